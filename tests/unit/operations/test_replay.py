"""Replay: each event goes where such events go, and an interrupted replay goes on."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

import replay
from operations import console
from operations.failures import Failure
from operations.messages import notification
from operations.redrive import Redriver
from operations.streams import NotRedriven
from pipeline import PipelineError

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
    assert replay.route(event, OUTPUTS, function).target == target


def test_of_a_discarded_record_the_event_itself_is_sent() -> None:
    line = json.dumps(DISCARDED | {"body": json.dumps({"requestPayload": {"a": 1}})})
    assert json.loads(replay.route(line, OUTPUTS, None).body) == {"a": 1}


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
    with pytest.raises(PipelineError):
        replay.route(line, OUTPUTS, None)


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["replay.py", "--env", "local", "--json", *arguments])
    return replay.main()


BATCH = {"streamArn": "arn:x:stream/views", "shardId": "s", "startSequenceNumber": "3", "endSequenceNumber": "5", "batchSize": 3}


@pytest.mark.parametrize(
    ("kind", "target"), [("KinesisBatchInfo", "stream views"), ("DDBStreamBatchInfo", "function converter")], ids=["Kinesis", "a table"]
)
def test_a_discarded_batch_goes_back_to_its_stream_or_to_the_function_of_its_table(kind: str, target: str) -> None:
    line = json.dumps(DISCARDED | {"body": json.dumps({kind: BATCH})})
    assert replay.route(line, OUTPUTS, None).target == target


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
    monkeypatch.setattr(console, "environment", lambda _: OUTPUTS)
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

    def deliver(delivery: replay.Delivery, _: Any) -> None:
        if failing and len(sent) == 2:
            raise ConnectionError("network is gone")
        sent.append(delivery.body)

    monkeypatch.setattr(replay, "BUILD", tmp_path)
    monkeypatch.setattr(replay, "deliver", deliver)
    monkeypatch.setattr(console, "environment", lambda _: OUTPUTS)
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
