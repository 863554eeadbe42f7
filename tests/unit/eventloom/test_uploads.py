"""Uploads never overwrite objects, never load whole files, and wait for exactly the versions that were sent."""

import io
import threading
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from eventloom import catalog
from eventloom.sources import Source
from eventloom.uploads import SENDERS, NoResult, Upload, send, send_all, wait
from shared.identity import image_id
from shared.names import from_metadata

BUCKET, TABLE = "uploads", "catalog"


class Cloud:
    """moto's bucket and table."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3", region_name="us-east-1")
        self.dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        self.dynamodb.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "image_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "image_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def body(self, key: str) -> bytes:
        content: bytes = self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        return content

    def items(self, image_ids: Sequence[str]) -> list[dict[str, Any]]:
        return catalog.items(self.dynamodb, TABLE, image_ids)

    def item(self, upload: Upload, version_id: str | None = None, status: str = "READY") -> None:
        names = {"image_id": upload.image_id, "version_id": version_id or upload.version_id, "status": status}
        self.dynamodb.put_item(TableName=TABLE, Item={name: {"S": value} for name, value in names.items()})


class S3:
    """An S3 client with a PUT that the test defines. All other operations fail."""

    def __init__(self, put_object: Callable[..., dict[str, Any]]) -> None:
        self.put_object = put_object


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with mock_aws():
        yield Cloud()


def source(folder: Path, key: str, content: bytes = b"new") -> Source:
    file = folder / f"{image_id(BUCKET, key)}.jpg"
    file.write_bytes(content)
    return Source(file, key)


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "PutObject")


def test_an_object_that_exists_is_not_overwritten_and_the_others_are_sent(cloud: Cloud, tmp_path: Path) -> None:
    cloud.s3.put_object(Bucket=BUCKET, Key="a.jpg", Body=b"old")
    sent = send_all(cloud.s3, BUCKET, [source(tmp_path, "a.jpg"), source(tmp_path, "b.jpg")], replace=False)
    assert [existing.key for existing in sent.existing] == ["a.jpg"]
    assert [upload.key for upload in sent.uploads] == ["b.jpg"]
    assert (cloud.body("a.jpg"), cloud.body("b.jpg")) == (b"old", b"new")


def test_replace_overwrites(cloud: Cloud, tmp_path: Path) -> None:
    cloud.s3.put_object(Bucket=BUCKET, Key="a.jpg", Body=b"old")
    sent = send_all(cloud.s3, BUCKET, [source(tmp_path, "a.jpg")], replace=True)
    assert sent.existing == []
    assert cloud.body("a.jpg") == b"new"
    assert sent.uploads[0].version_id == cloud.s3.head_object(Bucket=BUCKET, Key="a.jpg")["VersionId"]


@pytest.mark.parametrize("name", ["My photo (2) \u2013 é.jpg", "plain.jpg"])
def test_the_name_and_the_offset_from_utc_travel_beside_the_key(cloud: Cloud, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"new")
    send_all(cloud.s3, BUCKET, [Source(tmp_path / name, "a.jpg")], replace=False)
    metadata = cloud.s3.head_object(Bucket=BUCKET, Key="a.jpg")["Metadata"]
    assert from_metadata(metadata["filename"]) == name
    assert metadata["utc-offset"] == f"{datetime.now(UTC).astimezone():%:z}"


@pytest.mark.parametrize("key", ['x y/it\'s "$5".jpg', "사진 é+&=#?%.jpg"])
def test_a_key_arrives_unchanged(cloud: Cloud, tmp_path: Path, key: str) -> None:
    (upload,) = send_all(cloud.s3, BUCKET, [source(tmp_path, key)], replace=False).uploads
    assert [entry["Key"] for entry in cloud.s3.list_objects_v2(Bucket=BUCKET)["Contents"]] == [key]
    assert upload.image_id == image_id(BUCKET, key)
    assert cloud.s3.head_object(Bucket=BUCKET, Key=key)["ContentType"] == "image/jpeg"


def test_a_file_is_handed_over_open_instead_of_read(tmp_path: Path) -> None:
    bodies = []

    def put_object(**request: Any) -> dict[str, Any]:
        bodies.append(request["Body"])
        return {"VersionId": "1"}

    send(S3(put_object), BUCKET, source(tmp_path, "a.jpg"), replace=False)
    assert isinstance(bodies[0], io.BufferedReader)


def test_a_put_that_met_another_one_is_sent_again(tmp_path: Path) -> None:
    contents = []

    def put_object(**request: Any) -> dict[str, Any]:
        contents.append(request["Body"].read())
        if len(contents) < 3:
            raise refusal("ConditionalRequestConflict")
        return {"VersionId": "1"}

    assert send(S3(put_object), BUCKET, source(tmp_path, "a.jpg"), replace=False)
    assert contents == [b"new"] * 3


def test_a_put_that_always_meets_another_one_fails(tmp_path: Path) -> None:
    def put_object(**request: Any) -> dict[str, Any]:
        raise refusal("ConditionalRequestConflict")

    with pytest.raises(ClientError):
        send(S3(put_object), BUCKET, source(tmp_path, "a.jpg"), replace=False)


def test_the_first_problem_ends_it_and_the_number_of_files_sent_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lock, calls = threading.Lock(), []

    def put_object(**request: Any) -> dict[str, Any]:
        with lock:
            calls.append(request["Key"])
        if request["Key"] == "3":
            raise refusal("AccessDenied")
        return {"VersionId": "1"}

    files = [source(tmp_path, str(number)) for number in range(500)]
    with pytest.raises(ClientError, match="AccessDenied"):
        send_all(S3(put_object), BUCKET, files, replace=False)
    assert len(calls) < 500
    assert f"{len(calls) - 1} of 500 files were sent" in capsys.readouterr().err


def test_few_files_are_under_way_at_once(tmp_path: Path) -> None:
    lock, state = threading.Lock(), {"now": 0, "most": 0}
    together = threading.Barrier(SENDERS)

    def put_object(**request: Any) -> dict[str, Any]:
        with lock:
            state["now"] += 1
            state["most"] = max(state.values())
        together.wait(10)
        with lock:
            state["now"] -= 1
        return {"VersionId": "1"}

    send_all(S3(put_object), BUCKET, [source(tmp_path, str(number)) for number in range(5 * SENDERS)], replace=False)
    assert state["most"] == SENDERS


def uploads(count: int) -> list[Upload]:
    return [
        Upload(Path(f"{number}.jpg"), f"{number}.jpg", image_id(BUCKET, str(number)), f"v{number}")
        for number in range(count)
    ]


def test_results_come_as_soon_as_the_catalog_has_the_very_version(cloud: Cloud) -> None:
    first, second = uploads(2)
    cloud.item(first, version_id="an older one")
    cloud.item(second)
    results = wait(cloud.items, [first, second], sleep=lambda _: cloud.item(first, status="REJECTED"))
    assert [(upload, item["status"]) for upload, item in results] == [(second, "READY"), (first, "REJECTED")]


def test_more_images_than_one_answer_holds_are_all_found(cloud: Cloud) -> None:
    sent = uploads(230)
    for upload in sent:
        cloud.item(upload)
    assert {upload for upload, _ in wait(cloud.items, sent)} == set(sent)


class Clock:
    """A clock that advances only when it sleeps."""

    def __init__(self) -> None:
        self.now, self.naps = 0.0, list[float]()

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.naps.append(seconds)


def test_the_time_without_any_result_counts_not_the_time_in_all(cloud: Cloud) -> None:
    sent, clock = uploads(6), Clock()

    def sleep(seconds: float) -> None:
        clock.sleep(9)
        cloud.item(sent[len(clock.naps) - 1])

    assert len(list(wait(cloud.items, sent, 10, clock=clock, sleep=sleep))) == 6
    assert clock.now == 54


def test_uploads_without_a_result_are_named(cloud: Cloud) -> None:
    sent, clock = uploads(8), Clock()
    cloud.item(sent[0])
    results = wait(cloud.items, sent, 10, clock=clock, sleep=clock.sleep)
    assert next(results)[0] == sent[0]
    with pytest.raises(NoResult) as error:
        next(results)
    assert error.value.message == "no result came within 10 s for 1.jpg, 2.jpg, 3.jpg, 4.jpg, 5.jpg and 2 more"
    assert list(error.value.missing) == sent[1:]
