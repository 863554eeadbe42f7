"""The deployed pipeline turns uploads into thumbnails and metadata, through S3, SQS and Lambda."""

import io
import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from eventloom import catalog
from eventloom.clouds import ROOT, client
from tests.integration.photos import close, colour_of, heavy_photo, photo, rotated_photo
from tests.integration.support import Deployment, depth, eventually, unique

SAMPLES = sorted(path for path in (ROOT / "examples/photos").iterdir() if path.suffix != ".md")


def thumbnail(deployment: Deployment, key: str) -> bytes:
    content: bytes = client("s3").get_object(Bucket=deployment["thumbnails_bucket"], Key=key)["Body"].read()
    return content


def test_a_photo_becomes_thumbnails_and_metadata(deployment: Deployment) -> None:
    key = unique("photo.jpg")
    deployment.put(key, photo(1600, 1200))
    item = deployment.wait_for(key, status="READY")
    assert (item["width"], item["height"], item["format"]) == (1600, 1200, "JPEG")
    assert {
        name: (thumbnail_facts["width"], thumbnail_facts["height"])
        for name, thumbnail_facts in item["thumbnails"].items()
    } == {
        "1280": (1280, 960),
        "512": (512, 384),
        "128": (128, 96),
    }
    for thumbnail_facts in item["thumbnails"].values():
        content = thumbnail(deployment, thumbnail_facts["key"])
        assert Image.open(io.BytesIO(content)).size == (thumbnail_facts["width"], thumbnail_facts["height"])
        assert len(content) == thumbnail_facts["bytes"]
        assert close(colour_of(content), (200, 60, 40))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_every_sample_photo_has_the_expected_status(deployment: Deployment, sample) -> None:
    key = unique(sample.name)
    deployment.put(key, sample.read_bytes())
    item = deployment.wait_for(key, status="REJECTED" if sample.stem == "corrupt" else "READY")
    assert ("reason" in item) == (sample.stem == "corrupt")


def test_orientation_is_applied_and_metadata_removed(deployment: Deployment) -> None:
    key = unique("rotated.jpg")
    deployment.put(key, rotated_photo())
    item = deployment.wait_for(key, status="READY")
    assert (item["width"], item["height"]) == (480, 640)
    picture = Image.open(io.BytesIO(thumbnail(deployment, item["thumbnails"]["512"]["key"])))
    assert picture.size == (384, 512)
    assert not picture.getexif()


@pytest.mark.parametrize(
    "name",
    [
        "with space.jpg",
        "plus+plus.jpg",
        "100%25.jpg",
        "사진/고양이 ü.jpg",
        "a&b=c?d#e.jpg",
        "quote'\"().jpg",
        "UPPER.JPG",
    ],
)
def test_unusual_keys_are_recorded_unchanged(deployment: Deployment, name: str) -> None:
    key = unique(name)
    deployment.put(key, photo())
    assert deployment.wait_for(key, status="READY")["key"] == key


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b"hello, I am no picture", "unsupported_format"),
        (photo()[:1500], "corrupt"),
        (b"%PDF-1.7 ...", "unsupported_format"),
    ],
)
def test_a_bad_file_is_rejected_with_its_reason_and_never_retried(
    deployment: Deployment, body: bytes, reason: str
) -> None:
    key = unique("poison.jpg")
    deployment.put(key, body)
    item = deployment.wait_for(key, status="REJECTED")
    assert item["reason"] == reason
    assert item["reason_text"]
    assert deployment.thumbnails(key) == []


def test_a_bad_file_does_not_delay_its_batch(deployment: Deployment) -> None:
    keys = [unique(f"{number}.jpg") for number in range(10)]
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda pair: deployment.put(pair[1], b"x" if pair[0] % 2 else photo()), enumerate(keys)))
    for number, key in enumerate(keys):
        deployment.wait_for(key, status="REJECTED" if number % 2 else "READY")


def test_an_overwritten_photo_has_only_the_thumbnails_of_the_new_version(deployment: Deployment) -> None:
    key = unique("again.jpg")
    first = deployment.put(key, photo(colour=(200, 0, 0)))
    deployment.wait_for(key, version_id=first)
    second = deployment.put(key, photo(colour=(0, 0, 200)))
    item = deployment.wait_for(key, version_id=second, status="READY")
    assert close(colour_of(thumbnail(deployment, item["thumbnails"]["128"]["key"])), (0, 0, 200))
    current = sorted(entry["key"] for entry in item["thumbnails"].values())
    eventually(lambda: deployment.thumbnails(key) == current, "only the new version's thumbnails")


def test_after_many_overwrites_the_catalog_has_the_last_version(deployment: Deployment) -> None:
    key = unique("burst.jpg")
    for shade in range(0, 200, 20):
        last = deployment.put(key, photo(colour=(0, shade, 0)))
    item = deployment.wait_for(key, version_id=last, status="READY")
    deployment.wait_until_settled()
    assert deployment.item(key) == item
    assert close(colour_of(thumbnail(deployment, item["thumbnails"]["128"]["key"])), (0, 180, 0))
    assert len(deployment.thumbnails(key)) == len(item["thumbnails"])


def test_a_deleted_photo_leaves_a_tombstone_and_no_thumbnails(deployment: Deployment) -> None:
    key = unique("gone.jpg")
    deployment.put(key, photo())
    deployment.wait_for(key, status="READY")
    client("s3").delete_object(Bucket=deployment["uploads_bucket"], Key=key)
    item = deployment.wait_for(key, status="DELETED")
    assert item["expires_at"] > 0
    assert "thumbnails" not in item
    eventually(lambda: not deployment.thumbnails(key), "no thumbnails")


def test_a_photo_that_is_uploaded_again_after_its_deletion_is_shown_again(deployment: Deployment) -> None:
    key = unique("back.jpg")
    deployment.put(key, photo())
    deployment.wait_for(key, status="READY")
    client("s3").delete_object(Bucket=deployment["uploads_bucket"], Key=key)
    deployment.wait_for(key, status="DELETED")
    version = deployment.put(key, photo(colour=(10, 200, 10)))
    assert "expires_at" not in deployment.wait_for(key, status="READY", version_id=version)


def test_deleting_a_noncurrent_version_changes_nothing(deployment: Deployment) -> None:
    key = unique("versions.jpg")
    old = deployment.put(key, photo(colour=(1, 2, 200)))
    new = deployment.put(key, photo())
    item = deployment.wait_for(key, status="READY", version_id=new)
    client("s3").delete_object(Bucket=deployment["uploads_bucket"], Key=key, VersionId=old)
    deployment.wait_until_settled()
    later_item = deployment.wait_for(key, status="READY", version_id=new)
    assert later_item["thumbnails"] == item["thumbnails"]
    assert set(deployment.thumbnails(key)) == {thumbnail["key"] for thumbnail in item["thumbnails"].values()}


def test_duplicate_events_change_nothing(deployment: Deployment) -> None:
    key = unique("twice.jpg")
    version = deployment.put(key, photo())
    item = deployment.wait_for(key, status="READY")
    record = deployment.record(key, version, item["sequencer"])
    for _ in range(3):
        deployment.send(record, record)
    deployment.wait_until_settled()
    assert deployment.item(key) == item


def test_an_event_of_a_deleted_object_is_acknowledged(deployment: Deployment) -> None:
    key = unique("gone.jpg")
    record = deployment.record(key, "", "01")
    del record["s3"]["object"]["versionId"]
    deployment.send(record)
    deployment.wait_until_settled()
    assert deployment.item(key) is None


def test_a_late_event_of_an_old_version_changes_nothing(deployment: Deployment) -> None:
    key = unique("late.jpg")
    old = deployment.put(key, photo(colour=(250, 0, 0)))
    deployment.wait_for(key, version_id=old)
    new = deployment.put(key, photo(colour=(0, 0, 250)))
    item = deployment.wait_for(key, version_id=new, status="READY")
    deployment.wait_until_settled()
    deployment.send(deployment.record(key, old, "0000000000000001"))
    deployment.wait_until_settled()
    assert deployment.item(key) == item
    eventually(lambda: len(deployment.thumbnails(key)) == len(item["thumbnails"]), "no thumbnail of the old version")


def test_the_test_event_of_s3_is_acknowledged(deployment: Deployment) -> None:
    body = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent", "Bucket": deployment["uploads_bucket"]})
    client("sqs").send_message(QueueUrl=deployment["uploads_queue_url"], MessageBody=body)
    deployment.wait_until_settled()
    assert depth(deployment["uploads_dlq_url"]) == 0


def test_the_index_by_status_lists_the_newest_images_first(deployment: Deployment) -> None:
    keys = [unique(f"{number}.jpg") for number in range(3)]
    for key in keys:
        deployment.put(key, photo())
        deployment.wait_for(key, status="READY")
    items = client("dynamodb").query(
        TableName=deployment["catalog_table"],
        IndexName="by_status",
        KeyConditionExpression="#s = :ready",
        ExpressionAttributeNames={"#s": "status"},
        ExpressionAttributeValues={":ready": {"S": "READY"}},
        ScanIndexForward=False,
    )["Items"]
    keys_listed = [item["key"]["S"] for item in items if item["key"]["S"] in keys]
    assert keys_listed == keys[::-1]


def test_200_parallel_uploads_of_1_mb_are_each_processed_once(deployment: Deployment) -> None:
    keys = [unique(f"{number}.jpg") for number in range(200)]
    with ThreadPoolExecutor(16) as pool:
        versions = dict(
            zip(
                keys,
                pool.map(lambda number: deployment.put(keys[number], heavy_photo(number)), range(200)),
                strict=True,
            )
        )
    for key in keys:
        deployment.wait_for(key, timeout_s=240, status="READY", version_id=versions[key])
    deployment.wait_until_settled()
    assert depth(deployment["uploads_dlq_url"]) == 0
    pages = (
        client("dynamodb")
        .get_paginator("scan")
        .paginate(
            TableName=deployment["catalog_table"], ProjectionExpression="#k", ExpressionAttributeNames={"#k": "key"}
        )
    )
    keys_listed = [item["key"]["S"] for page in pages for item in page["Items"] if item["key"]["S"] in versions]
    assert sorted(keys_listed) == sorted(keys)
    sample = catalog.image_id(deployment["uploads_bucket"], keys[0])
    assert (
        len(client("s3").list_objects_v2(Bucket=deployment["thumbnails_bucket"], Prefix=f"{sample}/")["Contents"]) == 3
    )
