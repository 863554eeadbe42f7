"""Backfill: every object once, resumable, in memory that does not grow with the bucket."""

import csv
import gzip
import io
import json
import sys
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import boto3
import pytest
from botocore.exceptions import ResponseStreamingError
from botocore.response import StreamingBody
from moto import mock_aws

from eventloom.errors import UserError
from eventloom.operations import backfill
from eventloom.operations.backfill_sources import Inventory, Listing
from eventloom.operations.messages import Sender, notification
from eventloom.operations.pace import Checkpoint, Pace
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
            yield {"Contents": [{"Key": f"key-{number:09}", "Size": number, "ETag": f'"{number:032x}"'} for number in numbers]}


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
    small, large = peak_of(2_000, tmp_path), peak_of(100_000, tmp_path)
    assert large < small * 1.2
    assert large < 4 * 1024**2


def test_an_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
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


def test_a_limit_ends_within_a_page_and_nothing_is_left_out(tmp_path: Path) -> None:
    checkpoint, sent = Checkpoint(tmp_path / "c.json"), list[str]()
    assert backfill.backfill(Listing(FakeS3(2_500), "b"), sent.extend, Pace(FAST), checkpoint, limit=1_000) == 1_000
    assert len(sent) == 1_000
    assert checkpoint.load()["sent"] == 1_000
    backfill.backfill(Listing(FakeS3(2_500), "b"), sent.extend, Pace(FAST), checkpoint, limit=10)
    assert keys(sent)[-1] == "key-000001009"
    backfill.backfill(Listing(FakeS3(2_500), "b"), sent.extend, Pace(FAST), checkpoint)
    assert len(set(keys(sent))) == len(sent) == 2_500


def test_the_rate_is_kept() -> None:
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
    assert sum(slept) == pytest.approx(10), "time that was lost is not caught up on"


def test_keys_of_every_kind_arrive_in_the_thumbnailer_as_they_are() -> None:
    (event,), problems = events.parse(notification("b", ODD, size=5, etag='"e"'))
    assert (event.bucket, event.key, event.size, event.etag, event.sequencer, problems) == ("b", ODD, 5, "e", None, [])


def inventory(folder: Path, rows: list[list[str]], schema: str, file_format: str = "CSV") -> str:
    """An S3 Inventory report with two data files."""
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


def test_an_inventory_yields_what_is_current_and_can_be_resumed_in_a_file(tmp_path: Path) -> None:
    source = Inventory(None, inventory(tmp_path, rows_of(5_000), SCHEMA))
    pages = list(source.pages({}))
    found = [one for page in pages for one in page]
    assert {one.key for one in found} == {f"k{number:05}" for number in range(5_000)} | {ODD}
    assert source.bucket == "photos"
    for number, page in enumerate(pages):
        rest = [one for later in source.pages(page[-1].place) for one in later]
        assert rest == [one for later in pages[number + 1 :] for one in later]


def test_an_inventory_is_read_from_s3_though_an_answer_is_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answers, read = [0], StreamingBody.read

    def cut_off_once(body: StreamingBody, amt: int | None = None) -> Any:
        answers[0] += 1
        if answers[0] == 2:  # the first is the manifest's
            raise ResponseStreamingError(error="connection reset")
        return read(body, amt)

    monkeypatch.setattr(StreamingBody, "read", cut_off_once)
    inventory(tmp_path, rows_of(10), SCHEMA)
    with mock_aws():
        s3 = boto3.client("s3", region_name="us-east-1")
        s3.create_bucket(Bucket="inventories")
        for file in tmp_path.iterdir():
            s3.put_object(
                Bucket="inventories", Key=f"inventory/{'' if file.suffix == '.json' else 'data/'}{file.name}", Body=file.read_bytes()
            )
        source = Inventory(s3, "s3://inventories/inventory/manifest.json", prefix="k")
        assert sum(len(page) for page in source.pages({})) == 10


@pytest.mark.parametrize("file_format", ["Parquet", "ORC"])
def test_an_inventory_of_another_format_is_refused_with_what_to_do(tmp_path: Path, file_format: str) -> None:
    with pytest.raises(UserError, match="only CSV"):
        Inventory(None, inventory(tmp_path, rows_of(1), SCHEMA, file_format))


def test_no_more_goes_at_once_than_in_a_second(tmp_path: Path) -> None:
    sizes: list[int] = []

    def send(bodies: Iterator[str]) -> None:
        sizes.append(sum(1 for _ in bodies))

    pace = Pace(2.5, clock=lambda: 0.0, sleep=lambda _: None)
    backfill.backfill(Listing(FakeS3(5), "b"), send, pace, Checkpoint(tmp_path / "c.json"))
    assert sizes == [2, 2, 1]


def test_another_inventory_of_the_same_name_has_a_checkpoint_of_its_own(tmp_path: Path) -> None:
    def checkpoint(rows: int) -> Path:
        source = Inventory(None, inventory(tmp_path, rows_of(rows), SCHEMA + ", ETag" * (rows % 2)))
        return backfill.checkpoint_of("local", source, "").path

    assert checkpoint(1) != checkpoint(2)
    assert checkpoint(2) == checkpoint(4), "the same manifest"


@pytest.mark.parametrize(("at", "what"), [(-9, "EOFError"), (0, "BadGzipFile")])
def test_a_damaged_data_file_is_named(at: int, what: str, tmp_path: Path) -> None:
    manifest = inventory(tmp_path, rows_of(5_000), SCHEMA)
    data = (tmp_path / "1.csv.gz").read_bytes()
    (tmp_path / "1.csv.gz").write_bytes(data[:at] if at else b"Bucket,Key")
    with pytest.raises(UserError, match=rf"inventory/data/1\.csv\.gz of the inventory is damaged: {what}"):
        list(Inventory(None, manifest).pages({}))


def test_what_is_no_manifest_is_named(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(UserError, match="no manifest"):
        Inventory(None, str(tmp_path / "manifest.json"))


def test_all_messages_are_on_the_queue_when_send_returns() -> None:
    with mock_aws():
        sqs = boto3.client("sqs", region_name="us-east-1")
        url = sqs.create_queue(QueueName="q")["QueueUrl"]
        Sender(sqs, url).send(notification("b", f"k{number}") for number in range(95))
        assert sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["ApproximateNumberOfMessages"] == "95"


def test_a_refused_message_is_tried_again_and_then_an_error() -> None:
    class Refusing:
        calls = 0

        def send_message_batch(self, QueueUrl: str, Entries: list[dict[str, str]]) -> dict[str, Any]:
            self.calls += 1
            return {"Failed": [{"Id": Entries[-1]["Id"], "Code": "InternalError", "Message": "m", "SenderFault": False}]}

    sqs = Refusing()
    with pytest.raises(UserError, match="InternalError"):
        Sender(sqs, "q").send(["1", "2"])
    assert sqs.calls > 1


@pytest.mark.parametrize(
    "wrong", ["--limit=-5", "--limit=0", "--limit=1.5", "--rate=0", "--rate=-1", "--rate=nan", "--rate=inf", "--rate=many"]
)
def test_a_number_that_means_nothing_is_refused(wrong: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["backfill.py", wrong])
    with pytest.raises(SystemExit) as ended:
        backfill.arguments()
    assert ended.value.code == 2
