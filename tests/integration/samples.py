"""Create the files, messages and archives that the documented commands name."""

import gzip
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from eventloom.clouds import ROOT, client
from shared.identity import image_id
from tests.integration.photos import photo
from tests.integration.support import Deployment, unique
from tests.integration.test_recoverer import remember

PHOTOS = ROOT / "examples" / "photos"
# S3 sends this event when a notification is configured. The thumbnailer ignores it.
S3_TEST_EVENT = json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"})
INVENTORY_BUCKET, ARCHIVE = "inventories", "orders"


def prepare(folder: Path, deployment: Deployment) -> None:
    """Fill the folder in which a reader types the examples with the files that the examples name."""
    (folder / "photos" / "day 1").mkdir(parents=True)
    (folder / "build").mkdir()
    for part in ("examples", "functions"):
        (folder / part).symlink_to(ROOT / part)
    shutil.copy(PHOTOS / "coffee.heic", folder / "beach.heic")
    names = ("holiday.jpg", "my photo.jpg", "my photo (2).jpg", "photos/one.jpg", "photos/day 1/two.jpg")
    for number, name in enumerate(names):
        (folder / name).write_bytes(photo(colour=(40 * number, 60, 40)))
    message = {"messageId": "1", "eventSource": "aws:sqs", "body": S3_TEST_EVENT}
    (folder / "event.json").write_text(json.dumps({"Records": [message]}))
    (folder / "events.jsonl").write_text(json.dumps({"Records": [event_of_no_object(deployment)]}) + "\n")


def event_of_no_object(deployment: Deployment) -> dict[str, object]:
    """Return the event of an object that was deleted from the raw bucket. The converter ignores it."""
    record = deployment.record(f"orders/{unique('2026.csv')}", "", "0055AED6DCD90281E5")
    record["s3"]["bucket"] = {"name": deployment["raw_bucket"], "arn": f"arn:aws:s3:::{deployment['raw_bucket']}"}
    return record


def forget_uploads(deployment: Deployment, folder: Path) -> None:
    """Delete what an example uploaded before, because an upload refuses to overwrite."""
    names = {path.name for sample in (folder, PHOTOS) for path in sample.rglob("*") if path.is_file()}
    pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=deployment["uploads_bucket"])
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", [])]
    for key in keys:
        if PurePosixPath(key).name in names:
            client("s3").delete_object(Bucket=deployment["uploads_bucket"], Key=key)


@contextmanager
def dead_letter(deployment: Deployment) -> Iterator[str]:
    """Put a message into the dead-letter queue of the uploads and yield its id."""
    remember(deployment, [int(time.time())])  # the recoverer redrives no message during its cool-down
    yield str(
        client("sqs").send_message(QueueUrl=deployment["uploads_dlq_url"], MessageBody=S3_TEST_EVENT)["MessageId"]
    )
    deployment.dlq_messages()


@contextmanager
def holiday(deployment: Deployment) -> Iterator[None]:
    """Put the object holiday.jpg. A documented command generates the event of this object."""
    deployment.put("holiday.jpg", photo())
    yield


def image(deployment: Deployment) -> str:
    """Put an image into the catalog and return its id."""
    key = unique("documented.jpg")
    deployment.put(key, photo())
    deployment.wait_for(key, status="READY")
    return image_id(deployment["uploads_bucket"], key)


@contextmanager
def inventory(deployment: Deployment) -> Iterator[None]:
    """Write an S3 Inventory of one object of the uploads bucket to s3://inventories/photos/manifest.json."""
    s3, key = client("s3"), unique("listed.jpg")
    deployment.put(key, photo())
    deployment.wait_for(key, status="READY")
    s3.create_bucket(Bucket=INVENTORY_BUCKET)
    manifest = {
        "sourceBucket": deployment["uploads_bucket"],
        "destinationBucket": f"arn:aws:s3:::{INVENTORY_BUCKET}",
        "fileFormat": "CSV",
        "fileSchema": "Bucket, Key",
        "files": [{"key": "photos/data/1.csv.gz"}],
    }
    objects = {
        "photos/manifest.json": json.dumps(manifest).encode(),
        "photos/data/1.csv.gz": gzip.compress(f'"{deployment["uploads_bucket"]}","{key}"\n'.encode()),
    }
    for name, body in objects.items():
        s3.put_object(Bucket=INVENTORY_BUCKET, Key=name, Body=body)
    try:
        yield
    finally:
        for name in objects:
            s3.delete_object(Bucket=INVENTORY_BUCKET, Key=name)
        s3.delete_bucket(Bucket=INVENTORY_BUCKET)


@contextmanager
def archive(_deployment: Deployment) -> Iterator[None]:
    """Create an EventBridge archive named `orders`."""
    events = client("events")
    bus = events.create_event_bus(Name=ARCHIVE)["EventBusArn"]
    events.create_archive(ArchiveName=ARCHIVE, EventSourceArn=bus)
    try:
        yield
    finally:
        events.delete_archive(ArchiveName=ARCHIVE)
        events.delete_event_bus(Name=ARCHIVE)
