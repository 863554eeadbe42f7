"""Replay: each event goes where such events go, and an interrupted replay goes on."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from eventloom import terminal
from eventloom.errors import UserError
from eventloom.operations import replay, replay_archives, replay_routes
from eventloom.operations.failure_queues import Failure
from eventloom.operations.messages import notification
from eventloom.operations.redrive import Redriver
from eventloom.operations.stream_batches import NotRedriven

FUNCTIONS = {name: {"function_name": f"p-{name}", "alias_arn": f"arn:{name}"} for name in ("converter", "digest")}
OUTPUTS = {"uploads_bucket": "uploads", "raw_bucket": "raw", "uploads_queue_url": "https://sqs/1/p-uploads", "functions": FUNCTIONS}
DISCARDED = {"queue": "p-converter-failures", "message_id": "m", "attributes": {}, "discarded_at": "now", "reason": "r"}


@pytest.mark.parametrize(
    ("event", "function", "target"),
    [
        (notification("uploads", "k"), None, "queue p-uploads"),
        (notification("raw", "k"), None, "function converter"),
        (notification("raw", "k"), "digest", "function digest"),
        (json.dumps({"detail-type": "Object Created", "detail": {"bucket": {"name": "uploads"}}}), None, "queue p-uploads"),
        (json.dumps({"any": "event"}), "digest", "function digest"),
        (json.dumps(DISCARDED | {"body": json.dumps({"requestPayload": {"a": 1}})}), None, "function converter"),
    ],
)
def test_an_event_goes_where_such_events_go(event: str, function: str | None, target: str) -> None:
    assert replay_routes.route(event, OUTPUTS, function).target == target


def test_of_a_discarded_record_the_event_itself_is_sent() -> None:
    line = json.dumps(DISCARDED | {"body": json.dumps({"requestPayload": {"a": 1}})})
    assert json.loads(replay_routes.route(line, OUTPUTS, None).body) == {"a": 1}


NO_OBJECTS = [
    {"detail": "x"},
    {"detail": {"bucket": "uploads"}},
    {"Records": [{"s3": "x"}]},
    {"Records": [{"s3": {"bucket": {"name": {}}}}]},
]


@pytest.mark.parametrize(
    "line",
    [
        "{",
        json.dumps({"any": "event"}),
        notification("elsewhere", "k"),
        *map(json.dumps, NO_OBJECTS),
        json.dumps({"Records": "uploads"}),
        json.dumps({"Records": [json.loads(notification("uploads", "k"))["Records"][0], "x"]}),
    ],
)
def test_what_has_no_place_is_refused(line: str) -> None:
    with pytest.raises(UserError):
        replay_routes.route(line, OUTPUTS, None)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["replay.py", "--env", "local", "--json", *arguments])
    return replay.main()


BATCH = {"streamArn": "arn:x:stream/views", "shardId": "s", "startSequenceNumber": "3", "endSequenceNumber": "5", "batchSize": 3}


@pytest.mark.parametrize(
    ("kind", "target"), [("KinesisBatchInfo", "stream views"), ("DDBStreamBatchInfo", "function converter")], ids=["Kinesis", "a table"]
)
def test_a_discarded_batch_goes_back_to_its_stream_or_to_the_function_of_its_table(kind: str, target: str) -> None:
    line = json.dumps(DISCARDED | {"body": json.dumps({kind: BATCH})})
    assert replay_routes.route(line, OUTPUTS, None).target == target


def test_discarded_messages_that_cannot_be_sent_hold_up_none_and_are_left(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    handed: list[str] = []

    def hand_over(_: Redriver, failure: Failure) -> None:
        if failure.batch["shardId"] == "forgotten":
            raise NotRedriven("its records are in the stream no longer")
        handed.append(failure.message_id)

    monkeypatch.setattr(replay, "BUILD", tmp_path)
    monkeypatch.setattr(Redriver, "hand_over", hand_over)
    monkeypatch.setattr(terminal, "environment", lambda _: OUTPUTS)
    bodies = {"gone": {"KinesisBatchInfo": BATCH | {"shardId": "forgotten"}}, "odd": {"KinesisBatchInfo": {"shardId": "s"}}}
    bodies |= {"there": {"KinesisBatchInfo": BATCH}, "last": {"DDBStreamBatchInfo": BATCH}}
    events = [json.dumps(DISCARDED | {"message_id": name, "body": json.dumps(body)}) for name, body in bodies.items()]
    (tmp_path / "discarded.jsonl").write_text("\n".join(events))
    assert run(monkeypatch, "--file", str(tmp_path / "discarded.jsonl"), "--rate", "10000") == 1
    assert handed == ["there", "last"]
    said = capsys.readouterr()
    facts = json.loads(said.out)
    assert (facts["events"], facts["left"]) == (2, 2)
    assert "discarded message gone: its records are in the stream no longer" in said.err
    assert Path(facts["left_in"]).read_text().splitlines() == events[:2]


def test_an_interrupted_replay_goes_on_with_the_event_that_failed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sent: list[str] = []
    failing = True

    def deliver(delivery: replay_routes.Delivery, _: Any) -> None:
        if failing and len(sent) == 2:
            raise ConnectionError("network is gone")
        sent.append(delivery.body)

    monkeypatch.setattr(replay, "BUILD", tmp_path)
    monkeypatch.setattr(replay, "deliver", deliver)
    monkeypatch.setattr(terminal, "environment", lambda _: OUTPUTS)
    events = [notification("uploads", f"사진 {number}") for number in range(5)]
    (tmp_path / "events.jsonl").write_text("\n\n".join(events))
    arguments = ("--file", str(tmp_path / "events.jsonl"), "--rate", "10000")
    assert run(monkeypatch, *arguments, "--dry-run") == 0
    assert sent == []
    with pytest.raises(ConnectionError):
        run(monkeypatch, *arguments)
    failing = False
    assert run(monkeypatch, *arguments) == 0
    assert sent == events


def test_an_archive_takes_a_span_of_time_and_no_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    span = ("--start", "2026-01-01T00:00", "--end", "2026-01-02T00:00")
    for wrong in (["--archive", "a"], ["--archive", "a", *span, "--rate", "5"], ["--archive", "a", "--file", "f"], []):
        with pytest.raises(SystemExit) as ended:
            run(monkeypatch, *wrong)
        assert ended.value.code == 2


@pytest.fixture
def deployed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[str]:
    """What is delivered; the event "stop" interrupts."""
    sent: list[str] = []

    def deliver(delivery: replay_routes.Delivery, _: Any) -> None:
        if "stop" in delivery.body:
            raise KeyboardInterrupt
        sent.append(delivery.body)

    monkeypatch.setattr(replay, "BUILD", tmp_path)
    monkeypatch.setattr(replay, "deliver", deliver)
    monkeypatch.setattr(terminal, "environment", lambda _: OUTPUTS)
    return sent


@pytest.mark.parametrize(
    ("names", "more"), [("abc", "def"), ("xyz", "def"), ("", "def"), ("a", "")], ids=["added to", "another", "emptied", "cut short"]
)
def test_a_file_that_was_changed_meanwhile_is_not_taken_for_sent(
    names: str, more: str, deployed: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "events.jsonl"
    events = {name: notification("uploads", name) for name in "abcdefxyz"}
    path.write_text("\n".join([*(events[name] for name in "abc"), notification("uploads", "stop")]))
    with pytest.raises(KeyboardInterrupt):
        run(monkeypatch, "--file", str(path), "--rate", "10000")
    path.write_text("".join(events[name] + "\n" for name in names + more))
    if names == "abc":
        assert run(monkeypatch, "--file", str(path), "--rate", "10000") == 0
        assert deployed == [events[name] for name in "abcdef"]
        return
    with pytest.raises(UserError, match=r"was changed .* --restart"):
        run(monkeypatch, "--file", str(path))
    assert run(monkeypatch, "--file", str(path), "--rate", "10000", "--restart") == 0
    assert deployed[3:] == [events[name] for name in names + more]


@pytest.mark.parametrize("line", [b"nonsense", b"caf\xe9", b'{"discarded_at": "now"}', b'{"any": "event"}'])
@pytest.mark.usefixtures("deployed")
def test_a_line_that_cannot_be_sent_is_named(line: bytes, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(notification("uploads", "k").encode() + b"\n\n" + line + b"\n")
    for arguments in (["--dry-run"], [], []):
        with pytest.raises(UserError, match=r"events\.jsonl, line 3: "):
            run(monkeypatch, "--file", str(tmp_path / "events.jsonl"), *arguments)


@pytest.mark.usefixtures("deployed")
def test_a_dry_run_too_refuses_a_function_that_is_not_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text("{}\n")
    with pytest.raises(UserError, match="no function 'nope'"):
        run(monkeypatch, "--file", str(tmp_path / "events.jsonl"), "--function", "nope", "--dry-run")


BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/default"


class FakeEvents:
    """EventBridge with replays that last for a few looks at them."""

    def __init__(self) -> None:
        self.started: dict[str, dict[str, Any]] = {}
        self.looks = 0

    def describe_archive(self, ArchiveName: str) -> dict[str, Any]:
        return {"EventSourceArn": BUS, "ArchiveArn": f"arn:aws:events:eu-west-1:123456789012:archive/{ArchiveName}"}

    def describe_rule(self, Name: str, EventBusName: str) -> dict[str, Any]:
        assert EventBusName == BUS
        return {"Arn": f"arn:aws:events:eu-west-1:123456789012:rule/{Name}"}  # as AWS names rules of the default bus

    def start_replay(self, ReplayName: str, **what: Any) -> None:
        self.started[ReplayName] = what

    def list_replays(self, **only: str) -> dict[str, Any]:
        assert len(only) == 1, "filters are exclusive"
        return {"Replays": [{"ReplayName": name} for name in self.started]}

    def describe_replay(self, ReplayName: str) -> dict[str, Any]:
        self.looks += 1
        if self.looks == 2:
            raise KeyboardInterrupt
        return self.started[ReplayName] | {"State": "COMPLETED" if self.looks > 5 else "RUNNING"}


def test_the_same_archive_again_follows_the_replay_that_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    events = FakeEvents()
    monkeypatch.setattr(replay_archives, "client", lambda _: events)
    monkeypatch.setattr(replay_archives.time, "sleep", lambda _: None)
    monkeypatch.setattr(terminal, "environment", lambda _: OUTPUTS)
    arguments = ("--archive", "a", "--start", "2026-01-01T00:00:00.5", "--end", "2026-01-02T01:00+01:00", "--rule", "r")
    with pytest.raises(KeyboardInterrupt):
        run(monkeypatch, *arguments)
    assert run(monkeypatch, *arguments) == 0
    ((name, what),) = events.started.items()
    assert json.loads(capsys.readouterr().out)["replay"] == name
    assert what["Destination"] == {"Arn": BUS, "FilterArns": ["arn:aws:events:eu-west-1:123456789012:rule/r"]}
    assert run(monkeypatch, *arguments) == 0
    assert len(events.started) == 2, "one that has ended is started anew"
