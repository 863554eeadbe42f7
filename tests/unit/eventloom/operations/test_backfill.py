"""backfill sends every object once, continues after an interruption, and needs the same memory for every bucket."""

import csv
import gzip
import io
import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import boto3
import pytest
from botocore.exceptions import ResponseStreamingError
from botocore.response import StreamingBody
from click.testing import Result
from moto import mock_aws

from eventloom.errors import UserError
from eventloom.operations import backfill
from eventloom.operations.backfill_sources import Inventory, Listing
from eventloom.operations.messages import Sender, notification
from eventloom.operations.pace import Checkpoint, Pace
from tests.unit.eventloom.operations.support import json_lines, make_target, run
from tests.unit.eventloom.operations.test_backfill_stepfunctions import MACHINE, FakeStates
from thumbnailer import events

ODD = "a b+c%25/사진 ü&?.jpg"
FAST = 1e9


class FakeS3:
    """A bucket of `count` keys that exist only while they are listed."""

    def __init__(self, count: int) -> None:
        self._count = count

    def get_paginator(self, _: str) -> "FakeS3":
        return self

    def paginate(self, Bucket: str, Prefix: str, StartAfter: str = "") -> Iterator[dict[str, Any]]:
        first = int(StartAfter.split("-")[1]) + 1 if StartAfter else 0
        for start in range(first, self._count, 1000):
            numbers = range(start, min(start + 1000, self._count))
            yield {
                "Contents": [
                    {"Key": f"key-{number:09}", "Size": number, "ETag": f'"{number:032x}"'} for number in numbers
                ]
            }


class FakeSqs:
    """A queue that keeps the bodies of its messages."""

    def __init__(self) -> None:
        self.bodies: list[str] = []

    def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
        self.bodies += [entry["MessageBody"] for entry in Entries]
        return {}


OUTPUTS = {"uploads_bucket": "uploads", "uploads_queue_url": "https://sqs/1/p-uploads"}


@dataclass
class Deployed:
    """An environment with 1,500 uploads."""

    folder: Path
    sqs: FakeSqs = field(default_factory=FakeSqs)

    def run(self, *arguments: str, answer: str | None = None, can_ask: bool = False) -> Result:
        clients = {"s3": FakeS3(1_500), "sqs": self.sqs}
        target = make_target(self.folder, OUTPUTS, lambda service: clients[service], can_ask=can_ask)
        return run(target, "backfill", *arguments, answer=answer)


@pytest.fixture
def deployed(tmp_path: Path) -> Deployed:
    return Deployed(tmp_path)


def keys(bodies: list[str]) -> list[str]:
    return [event.key for body in bodies for event in events.parse(body)[0]]


def peak_of(count: int, tmp_path: Path) -> int:
    tracemalloc.start()
    sent = 0

    def send(bodies: Iterator[str]) -> None:
        nonlocal sent
        sent += sum(1 for _ in bodies)

    backfill.backfill(Listing(FakeS3(count), "b"), send, Pace(FAST), Checkpoint(tmp_path / f"{count}.json"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert sent == count
    return peak


def test_memory_does_not_grow_with_the_number_of_objects(tmp_path: Path) -> None:
    small, large = peak_of(2_000, tmp_path), peak_of(20_000, tmp_path)
    assert large < small * 1.2
    assert large < 4 * 1024**2


def test_an_interrupted_run_continues_where_it_stopped(tmp_path: Path) -> None:
    checkpoint, sent = Checkpoint(tmp_path / "c.json"), list[str]()

    def send_until_it_breaks(bodies: Iterator[str]) -> None:
        if len(sent) >= 2_300:
            raise ConnectionError("network is gone")
        sent.extend(bodies)

    with pytest.raises(ConnectionError):
        backfill.backfill(Listing(FakeS3(5_000), "b"), send_until_it_breaks, Pace(FAST), checkpoint)
    assert checkpoint.load() == {"place": {"after": "key-000001999"}, "sent": 2_000}
    backfill.backfill(Listing(FakeS3(5_000), "b"), sent.extend, Pace(FAST), checkpoint)
    assert set(keys(sent)) == {f"key-{number:09}" for number in range(5_000)}
    assert len(sent) == 5_300, "only the page that was interrupted is sent again"
    assert checkpoint.load() == {}


def test_a_limit_may_end_within_a_page_and_no_object_is_skipped(tmp_path: Path) -> None:
    checkpoint, sent = Checkpoint(tmp_path / "c.json"), list[str]()
    assert backfill.backfill(Listing(FakeS3(2_500), "b"), sent.extend, Pace(FAST), checkpoint, limit=1_000) == 1_000
    assert len(sent) == 1_000
    assert checkpoint.load()["sent"] == 1_000
    backfill.backfill(Listing(FakeS3(2_500), "b"), sent.extend, Pace(FAST), checkpoint, limit=10)
    assert keys(sent)[-1] == "key-000001009"
    backfill.backfill(Listing(FakeS3(2_500), "b"), sent.extend, Pace(FAST), checkpoint)
    assert len(set(keys(sent))) == len(sent) == 2_500


def test_the_rate_is_not_exceeded() -> None:
    now, slept = 0.0, list[float]()

    def sleep(seconds: float) -> None:
        nonlocal now
        slept.append(seconds)
        now += seconds

    pace = Pace(100, clock=lambda: now, sleep=sleep)
    for _ in range(10):
        pace.wait(100)
    assert sum(slept) == pytest.approx(9)
    now += 60
    pace.wait(100)
    pace.wait(100)
    assert sum(slept) == pytest.approx(10), "lost time is not caught up on"


def test_the_thumbnailer_reads_unusual_keys_as_they_are() -> None:
    (event,), problems = events.parse(notification("b", ODD, size=5, etag='"e"'))
    assert (event.bucket, event.key, event.size, event.etag, event.sequencer, problems) == ("b", ODD, 5, "e", None, [])


def inventory(folder: Path, rows: list[list[str]], schema: str, file_format: str = "CSV") -> str:
    """Return an S3 Inventory report with two data files."""
    files = []
    for number, part in enumerate((rows[::2], rows[1::2])):
        text = io.StringIO()
        csv.writer(text, quoting=csv.QUOTE_ALL).writerows(part)
        (folder / f"{number}.csv.gz").write_bytes(gzip.compress(text.getvalue().encode()))
        files.append({"key": f"inventory/data/{number}.csv.gz", "size": 1, "MD5checksum": ""})
    content = {
        "sourceBucket": "photos",
        "destinationBucket": "arn:aws:s3:::inventories",
        "fileFormat": file_format,
        "fileSchema": schema,
        "files": files,
    }
    (folder / "manifest.json").write_text(json.dumps(content))
    return str(folder / "manifest.json")


def rows_of(count: int) -> list[list[str]]:
    live = [["photos", f"k{number:05}", "v", "true", "false", "7"] for number in range(count)]
    return [
        *live,
        ["photos", quote_plus(ODD), "v", "true", "false", "9"],
        ["photos", "old", "v", "false", "false", "1"],
        ["photos", "gone", "v", "true", "true", ""],
    ]


SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size"


def test_an_inventory_yields_current_objects_and_continues_within_a_file(tmp_path: Path) -> None:
    source = Inventory(None, inventory(tmp_path, rows_of(5_000), SCHEMA))
    pages = list(source.pages({}))
    objects = [item for page in pages for item in page]
    assert {item.key for item in objects} == {f"k{number:05}" for number in range(5_000)} | {ODD}
    assert source.bucket == "photos"
    for number, page in enumerate(pages):
        rest = [item for later in source.pages(page[-1].place) for item in later]
        assert rest == [item for later in pages[number + 1 :] for item in later]


def test_an_inventory_is_read_from_s3_although_an_answer_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers, read = [0], StreamingBody.read

    def cut_off_once(body: StreamingBody, amt: int | None = None) -> Any:
        answers[0] += 1
        if answers[0] == 2:  # the first answer is the manifest
            raise ResponseStreamingError(error="connection reset")
        return read(body, amt)

    monkeypatch.setattr(StreamingBody, "read", cut_off_once)
    inventory(tmp_path, rows_of(10), SCHEMA)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="inventories")
        for file in tmp_path.iterdir():
            s3.put_object(
                Bucket="inventories",
                Key=f"inventory/{'' if file.suffix == '.json' else 'data/'}{file.name}",
                Body=file.read_bytes(),
            )
        source = Inventory(s3, "s3://inventories/inventory/manifest.json", prefix="k")
        assert sum(len(page) for page in source.pages({})) == 10


@pytest.mark.parametrize("file_format", ["Parquet", "ORC"])
def test_an_inventory_of_another_format_says_what_to_do(tmp_path: Path, file_format: str) -> None:
    with pytest.raises(UserError, match="only CSV"):
        Inventory(None, inventory(tmp_path, rows_of(1), SCHEMA, file_format))


def test_at_most_the_objects_of_a_second_are_sent_at_once(tmp_path: Path) -> None:
    sizes: list[int] = []

    def send(bodies: Iterator[str]) -> None:
        sizes.append(sum(1 for _ in bodies))

    pace = Pace(2.5, clock=lambda: 0.0, sleep=lambda _: None)
    backfill.backfill(Listing(FakeS3(5), "b"), send, pace, Checkpoint(tmp_path / "c.json"))
    assert sizes == [2, 2, 1]


def test_another_inventory_with_the_same_name_has_its_own_checkpoint(tmp_path: Path) -> None:
    def checkpoint(rows: int) -> Path:
        source = Inventory(None, inventory(tmp_path, rows_of(rows), SCHEMA + ", ETag" * (rows % 2)))
        return backfill.checkpoint_of(make_target(tmp_path, {}, lambda _: None), source, "").path

    assert checkpoint(1) != checkpoint(2)
    assert checkpoint(2) == checkpoint(4), "the same manifest"


@pytest.mark.parametrize(("size", "error"), [(-9, "EOFError"), (0, "BadGzipFile")])
def test_a_damaged_data_file_is_named(size: int, error: str, tmp_path: Path) -> None:
    manifest = inventory(tmp_path, rows_of(5_000), SCHEMA)
    data = (tmp_path / "1.csv.gz").read_bytes()
    (tmp_path / "1.csv.gz").write_bytes(data[:size] if size else b"Bucket,Key")
    with pytest.raises(UserError, match=rf"inventory/data/1\.csv\.gz of the inventory is damaged: {error}"):
        list(Inventory(None, manifest).pages({}))


def test_another_file_than_a_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(UserError, match="is not a manifest"):
        Inventory(None, str(tmp_path / "manifest.json"))


def test_all_messages_are_in_the_queue_when_send_returns() -> None:
    with mock_aws():
        sqs = boto3.client("sqs", region_name="us-east-1")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        Sender(sqs, url).send(notification("b", f"k{number}") for number in range(95))
        assert (
            sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"]
            == "95"
        )


def test_a_message_that_sqs_keeps_refusing_is_an_error() -> None:
    class Refusing:
        calls = 0

        def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
            self.calls += 1
            return {
                "Failed": [{"Id": Entries[-1]["Id"], "Code": "InternalError", "Message": "m", "SenderFault": False}]
            }

    sqs = Refusing()
    with pytest.raises(UserError, match="InternalError"):
        Sender(sqs, "q").send(["1", "2"])
    assert sqs.calls > 1


WRONG_NUMBERS = [
    "--limit=-5",
    "--limit=0",
    "--limit=1.5",
    "--rate=0",
    "--rate=-1",
    "--rate=nan",
    "--rate=inf",
    "--rate=many",
]


@pytest.mark.parametrize(
    "wrong", [*WRONG_NUMBERS, "--distributed --limit 5", "--distributed --restart", "--distributed --bucket b"]
)
def test_wrong_numbers_and_options_are_usage_errors(wrong: str, deployed: Deployed) -> None:
    assert deployed.run(*wrong.split()).exit_code == 2
    assert deployed.sqs.bodies == []


def test_the_command_sends_counts_and_continues(deployed: Deployed) -> None:
    (counted,) = json_lines(deployed.run("--dry-run", "--json"))
    assert counted == {"bucket": "uploads", "would_send": 1_500, "usd": counted["usd"], "dry_run": True}
    assert deployed.sqs.bodies == []
    first = json_lines(deployed.run("--limit", "1100", "--yes", "--rate", "1e9", "--json"))
    assert first == [{"bucket": "uploads", "sent": 1_100, "sent_before": 0, "finished": False}]
    result = deployed.run("--rate", "1e9", "--json")
    assert "continuing after 1,100 objects" in result.stderr
    assert json_lines(result) == [{"bucket": "uploads", "sent": 400, "sent_before": 1_100, "finished": True}]
    assert sorted(keys(deployed.sqs.bodies)) == [f"key-{number:09}" for number in range(1_500)]


@pytest.mark.parametrize(
    ("arguments", "answer", "sent"),
    [
        ("--yes", None, 1_500),
        ("", "y", 1_500),
        ("", "n", 0),
        ("", None, 0),
        ("--limit 1001", None, 0),
        ("--limit 1000", None, 1_000),
    ],
)
def test_more_than_a_thousand_objects_need_a_confirmation(
    deployed: Deployed, arguments: str, answer: str | None, sent: int
) -> None:
    result = deployed.run("--rate", "1e9", *arguments.split(), answer=answer, can_ask=answer is not None)
    assert len(deployed.sqs.bodies) == sent
    assert result.exit_code == (0 if sent else 1)
    if not sent:
        assert "nothing was sent" in result.stderr


def test_restart_sends_all_objects_again(deployed: Deployed) -> None:
    deployed.run("--limit", "1000", "--rate", "1e9")
    result = deployed.run("--restart", "--rate", "1e9", "--yes")
    assert (result.exit_code, result.stdout) == (0, "sent 1,500 objects of uploads\n")
    assert len(deployed.sqs.bodies) == 2_500


def test_the_inventory_of_another_bucket_is_refused(deployed: Deployed, tmp_path: Path) -> None:
    manifest = inventory(tmp_path, rows_of(1), SCHEMA)
    result = deployed.run("--inventory", manifest)
    assert result.exit_code == 1
    assert "the inventory is of the bucket photos, not of uploads; to use it, add --bucket photos" in result.stderr
    assert json_lines(deployed.run("--inventory", manifest, "--bucket", "photos", "--json"))[0]["sent"] == 2


def test_an_environment_without_a_state_machine_says_what_to_do(deployed: Deployed) -> None:
    result = deployed.run("--distributed")
    assert result.exit_code == 1
    assert "'local' has no state machine for backfills; set backfill" in result.stderr


def test_the_command_follows_the_state_machine(deployed: Deployed) -> None:
    states = FakeStates()
    clients = {"s3": FakeS3(1_500), "stepfunctions": states}
    target = make_target(deployed.folder, OUTPUTS | {"backfill_state_machine_arn": MACHINE}, clients.__getitem__)
    command = ["backfill", "--distributed", "--prefix", "2025/", "--rate", "200", "--json"]
    assert "nothing was sent" in run(target, *command).stderr
    assert states.started == {}
    (facts,) = json_lines(run(target, *command, "--yes"))
    assert states.started == {facts["execution"]: {"prefix": "2025/", "at_once": 2}}
    assert (facts["batches"], facts["finished"]) == (7, True)
