"""replay sends each event to the target of its kind, and continues after an interruption."""

import io
import json
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import Result

from eventloom.errors import UserError
from eventloom.operations.messages import notification
from eventloom.operations.replay_routes import Delivery, Router
from tests.unit.eventloom.operations.support import json_lines, make_target, run
from tests.unit.eventloom.operations.test_stream_batches import FakeStream, FakeTableStream

FUNCTIONS = {name: {"function_name": f"p-{name}", "alias_arn": f"arn:{name}"} for name in ("converter", "digest")}
OUTPUTS = {
    "uploads_bucket": "uploads",
    "raw_bucket": "raw",
    "uploads_queue_url": "https://sqs/1/p-uploads",
    "functions": FUNCTIONS,
    "catalog_table": "catalog",
}
DISCARDED = {"queue": "p-converter-failures", "message_id": "m", "attributes": {}, "discarded_at": "now", "reason": "r"}


def route_offline(line: str, function: str | None = None) -> Delivery:
    """Return where a line goes, without a request to AWS."""
    return Router(OUTPUTS, function, {}.__getitem__).route(line)


@pytest.mark.parametrize(
    ("event", "function", "target"),
    [
        (notification("uploads", "k"), None, "queue p-uploads"),
        (notification("raw", "k"), None, "function converter"),
        (notification("raw", "k"), "digest", "function digest"),
        (
            json.dumps({"detail-type": "Object Created", "detail": {"bucket": {"name": "uploads"}}}),
            None,
            "queue p-uploads",
        ),
        (json.dumps({"any": "event"}), "digest", "function digest"),
        (json.dumps(DISCARDED | {"body": json.dumps({"requestPayload": {"a": 1}})}), None, "function converter"),
    ],
)
def test_an_event_goes_where_events_of_its_kind_go(event: str, function: str | None, target: str) -> None:
    assert route_offline(event, function).target == target


def test_the_event_of_a_discarded_message_is_sent() -> None:
    line = json.dumps(DISCARDED | {"body": json.dumps({"requestPayload": {"a": 1}})})
    assert json.loads(route_offline(line).message.body) == {"a": 1}


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
        json.dumps(DISCARDED),
        json.dumps(DISCARDED | {"body": 5}),
        json.dumps(DISCARDED | {"body": "{}", "queue": {}}),
        json.dumps(DISCARDED | {"body": "{}", "attributes": {"size": 5}}),
        json.dumps({"Records": [json.loads(notification("uploads", "k"))["Records"][0], "x"]}),
    ],
)
def test_an_event_that_does_not_say_where_it_goes_is_refused(line: str) -> None:
    with pytest.raises(UserError):
        route_offline(line)


BATCH = {
    "streamArn": "arn:x:stream/views",
    "shardId": "s",
    "startSequenceNumber": "3",
    "endSequenceNumber": "5",
    "batchSize": 3,
}


@pytest.mark.parametrize(
    ("kind", "target"),
    [("KinesisBatchInfo", "stream views"), ("DDBStreamBatchInfo", "function converter")],
    ids=["Kinesis", "a table"],
)
def test_a_discarded_batch_goes_to_its_stream_or_to_the_function_of_its_table(kind: str, target: str) -> None:
    line = json.dumps(DISCARDED | {"body": json.dumps({kind: BATCH})})
    assert route_offline(line).target == target


class FakeFunction:
    """A Lambda that keeps its invocations."""

    def __init__(self) -> None:
        self.invocations: list[dict[str, Any]] = []

    def invoke(self, **request: Any) -> dict[str, Any]:
        self.invocations.append(request)
        return {"StatusCode": 202, "Payload": io.BytesIO(b"{}")}


@dataclass
class Deployed:
    """An environment that keeps what is sent to its queue and functions, and streams that have records 1 to 9."""

    folder: Path
    sent: list[str] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    waiting: int = 0
    broken: dict[str, BaseException] = field(default_factory=dict)
    stream: FakeStream = field(default_factory=lambda: FakeStream(range(1, 10), page=10))
    function: FakeFunction = field(default_factory=FakeFunction)

    def send(self, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:
        for entry in Entries:
            for word, error in self.broken.items():
                if word in entry["MessageBody"]:
                    raise error
        self.sent += [entry["MessageBody"] for entry in Entries]
        self.requests.append(len(Entries))
        return {}

    def count(self, QueueUrl: str, AttributeNames: list[str]) -> dict[str, Any]:
        counts = dict.fromkeys(AttributeNames, "0") | {"ApproximateNumberOfMessages": str(self.waiting)}
        return {"Attributes": counts if QueueUrl == OUTPUTS["uploads_queue_url"] else dict.fromkeys(counts, "0")}

    def client(self, service: str) -> Any:
        queue = SimpleNamespace(
            send_message_batch=self.send,
            get_queue_attributes=self.count,
            get_queue_url=lambda QueueName: {"QueueUrl": f"https://sqs/1/{QueueName}"},
        )
        clients = {
            "kinesis": self.stream,
            "dynamodbstreams": FakeTableStream(range(1, 10), page=10),
            "sqs": queue,
            "lambda": self.function,
            "dynamodb": SimpleNamespace(batch_get_item=lambda **_: {"Responses": {}}),
        }
        return clients[service]

    def run(self, *arguments: str) -> Result:
        return run(make_target(self.folder, OUTPUTS, self.client), "replay", "--rate", "10000", *arguments)


@pytest.fixture
def deployed(tmp_path: Path) -> Deployed:
    return Deployed(tmp_path)


def write(folder: Path, *texts: str, separator: str = "\n") -> str:
    """Write a file of lines and return its path."""
    path = folder / "events.jsonl"
    path.write_text("".join(text + separator for text in texts))
    return str(path)


def test_discarded_messages_that_cannot_be_sent_are_left_in_a_file(deployed: Deployed, tmp_path: Path) -> None:
    """Records 1 to 9 are in the streams: the batch from 0 on is not complete any more."""
    dropped = {"KinesisBatchInfo": BATCH | {"startSequenceNumber": "0"}}
    bodies = {"dropped": dropped, "odd": {"KinesisBatchInfo": {"shardId": "s"}}, "there": {"KinesisBatchInfo": BATCH}}
    bodies |= {"last": {"DDBStreamBatchInfo": BATCH | {"streamArn": "arn:x:table/t/stream/s"}}}
    lines = [json.dumps(DISCARDED | {"message_id": name, "body": json.dumps(body)}) for name, body in bodies.items()]
    result = deployed.run("--file", write(tmp_path, *lines), "--json")
    assert result.exit_code == 1
    assert deployed.stream.put == [b"3", b"4", b"5"]
    assert [len(json.loads(call["Payload"])["Records"]) for call in deployed.function.invocations] == [3]
    (facts,) = json_lines(result)
    assert (facts["events"], facts["left"], facts["targets"]) == (2, 2, {"stream views": 1, "function converter": 1})
    assert "discarded message dropped: the stream has dropped its first records" in result.stderr
    assert "discarded message odd: it holds no event" in result.stderr
    assert Path(facts["left_in"]).read_text().splitlines() == lines[:2]


def test_an_interrupted_replay_continues_with_the_batch_that_failed(deployed: Deployed, tmp_path: Path) -> None:
    events = [notification("uploads", f"사진 {number}") for number in range(25)]
    path = write(tmp_path, *events, separator="\n\n")
    result = deployed.run("--file", path, "--dry-run", "--json")
    assert json_lines(result) == [{"events": 25, "targets": {"queue p-uploads": 25}, "left": 0, "dry_run": True}]
    assert deployed.sent == []
    deployed.broken = {events[12]: ConnectionError("network is gone")}
    assert deployed.run("--file", path).exit_code == 1
    assert deployed.sent == events[:10]
    deployed.broken = {}
    assert json_lines(deployed.run("--file", path, "--json"))[0]["events"] == 15
    assert deployed.sent == events
    assert deployed.requests == [10, 10, 5]


def test_at_most_the_events_of_a_second_are_sent_together(deployed: Deployed, tmp_path: Path) -> None:
    path = write(tmp_path, *(notification("uploads", f"{number}") for number in range(5)))
    target = make_target(deployed.folder, OUTPUTS, deployed.client)
    assert run(target, "replay", "--file", path, "--rate", "3").exit_code == 0
    assert deployed.requests == [3, 2]


def test_events_keep_their_order_when_they_go_to_different_places(deployed: Deployed, tmp_path: Path) -> None:
    uploads = notification("uploads", "a")
    digest = json.dumps(DISCARDED | {"queue": "p-digest-failures", "body": json.dumps({"requestPayload": {}})})
    assert deployed.run("--file", write(tmp_path, uploads, uploads, digest, uploads), "--json").exit_code == 0
    assert deployed.requests == [2, 1]
    assert len(deployed.function.invocations) == 1


SPAN = ("--start", "2026-01-01T00:00", "--end", "2026-01-02T00:00")


@pytest.mark.parametrize(
    "wrong",
    [
        (),
        ("--archive", "a"),
        ("--archive", "a", "--start", "2026-01-01T00:00"),
        ("--archive", "a", "--start", "yesterday", "--end", "2026-01-01T00:00"),
        ("--archive", "a", *SPAN, "--rate", "5"),
        ("--archive", "a", *SPAN, "--function", "converter"),
        ("--archive", "a", *SPAN, "--file", __file__),
        ("--file", __file__, *SPAN),
        ("--file", "no such file"),
    ],
    ids=" ".join,
)
def test_options_that_do_not_belong_together_are_usage_errors(wrong: tuple[str, ...], deployed: Deployed) -> None:
    result = run(make_target(deployed.folder, OUTPUTS, deployed.client), "replay", *wrong)
    assert (result.exit_code, result.stdout) == (2, "")


FIRST = "abcdefghij"


@pytest.mark.parametrize(
    ("names", "appended"),
    [(FIRST, "klm"), ("xyz", "klm"), ("", "klm"), ("a", "")],
    ids=["appended to", "replaced", "emptied", "cut short"],
)
def test_only_a_file_that_was_appended_to_is_continued(
    names: str, appended: str, deployed: Deployed, tmp_path: Path
) -> None:
    events = {name: notification("uploads", name) for name in "abcdefghijklmxyz"}
    deployed.broken = {"stop": KeyboardInterrupt()}
    path = write(tmp_path, *(events[name] for name in FIRST), notification("uploads", "stop"))
    assert deployed.run("--file", path).exit_code == 130
    write(tmp_path, *(events[name] for name in names + appended))
    if names == FIRST:
        assert deployed.run("--file", path).exit_code == 0
        assert deployed.sent == [events[name] for name in FIRST + appended]
        return
    result = deployed.run("--file", path)
    assert result.exit_code == 1
    assert "was changed since its replay was interrupted; --restart" in result.stderr
    assert deployed.run("--file", path, "--restart").exit_code == 0
    assert deployed.sent[10:] == [events[name] for name in names + appended]


@pytest.mark.parametrize("line", [b"nonsense", b"caf\xe9", b'{"discarded_at": "now"}', b'{"any": "event"}'])
def test_a_line_that_cannot_be_sent_is_named(line: bytes, deployed: Deployed, tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_bytes(notification("uploads", "k").encode() + b"\n\n" + line + b"\n")
    for options in (["--dry-run"], [], []):
        result = deployed.run("--file", str(tmp_path / "events.jsonl"), *options)
        assert result.exit_code == 1
        assert "events.jsonl, line 3: " in result.stderr
    assert len(deployed.sent) == 1


def test_a_dry_run_refuses_a_function_that_does_not_exist(deployed: Deployed, tmp_path: Path) -> None:
    result = deployed.run("--file", write(tmp_path, "{}"), "--function", "nope", "--dry-run")
    assert result.exit_code == 1
    assert "no function 'nope' is deployed; there are: converter, digest" in result.stderr


def test_lines_go_to_the_named_function(deployed: Deployed, tmp_path: Path) -> None:
    assert deployed.run("--file", write(tmp_path, '{"any": "event"}'), "--function", "digest").exit_code == 0
    assert deployed.function.invocations == [
        {"FunctionName": "arn:digest", "InvocationType": "Event", "Payload": b'{"any": "event"}'}
    ]


BUS = "arn:aws:events:eu-west-1:123456789012:event-bus/default"


class FakeEvents:
    """EventBridge with replays that end after a few descriptions. The second description is interrupted."""

    def __init__(self) -> None:
        self.started: dict[str, dict[str, Any]] = {}
        self.descriptions = 0

    def describe_archive(self, ArchiveName: str) -> dict[str, Any]:
        return {"EventSourceArn": BUS, "ArchiveArn": f"arn:aws:events:eu-west-1:123456789012:archive/{ArchiveName}"}

    def describe_rule(self, Name: str, EventBusName: str) -> dict[str, Any]:
        assert EventBusName == BUS
        return {"Arn": f"arn:aws:events:eu-west-1:123456789012:rule/{Name}"}  # as AWS names rules of the default bus

    def start_replay(self, ReplayName: str, **request: Any) -> None:
        self.started[ReplayName] = request

    def list_replays(self, **only: str) -> dict[str, Any]:
        assert len(only) == 1, "filters are exclusive"
        return {"Replays": [{"ReplayName": name} for name in self.started]}

    def describe_replay(self, ReplayName: str) -> dict[str, Any]:
        self.descriptions += 1
        if self.descriptions == 2:
            raise KeyboardInterrupt
        return self.started[ReplayName] | {"State": "COMPLETED" if self.descriptions > 5 else "RUNNING"}


def test_the_same_command_follows_a_replay_that_is_running(deployed: Deployed) -> None:
    events = FakeEvents()
    target = make_target(deployed.folder, OUTPUTS, lambda _: events)
    options = (
        "--archive",
        "a",
        "--start",
        "2026-01-01T00:00:00.5",
        "--end",
        "2026-01-02T01:00+01:00",
        "--rule",
        "r",
        "--json",
    )
    assert run(target, "replay", *options).exit_code == 130
    (facts,) = json_lines(run(target, "replay", *options))
    ((name, request),) = events.started.items()
    assert (facts["replay"], facts["state"]) == (name, "COMPLETED")
    assert request["Destination"] == {"Arn": BUS, "FilterArns": ["arn:aws:events:eu-west-1:123456789012:rule/r"]}
    assert run(target, "replay", *options).exit_code == 0
    assert len(events.started) == 2, "a replay that has ended is not followed"


def test_a_dry_run_of_an_archive_starts_nothing(deployed: Deployed) -> None:
    events = FakeEvents()
    target = make_target(deployed.folder, OUTPUTS, lambda _: events)
    (facts,) = json_lines(run(target, "replay", "--archive", "a", *SPAN, "--dry-run", "--json"))
    assert (facts["dry_run"], facts["start"]) == (True, "2026-01-01 00:00:00+00:00")
    assert events.started == {}
