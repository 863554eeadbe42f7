"""The thumbnailer's pipeline in moto, with a versioned bucket that sends the events of S3, and the table."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import quote_plus

import boto3
from moto import mock_aws

from thumbnailer.catalog import Catalog
from thumbnailer.events import Kind, ObjectEvent
from thumbnailer.imaging.images import Output, Photo, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.pipeline import Outcome, Pipeline
from thumbnailer.storage import Storage

UPLOADS, THUMBNAILS, TABLE = "uploads", "thumbnails", "catalog"
SIZES = (64, 16)


@cache
def _render(data: bytes, limits: Limits) -> Photo:
    return render(data, limits, Output(SIZES))


@dataclass
class Cloud:
    """The uploads bucket, the table and the pipeline.

    `put`, `delete` and `remove` change the uploads bucket and return the event that S3 would send.
    """

    s3: Any
    dynamodb: Any
    versioned: bool = True
    # Some emulators give every event the same sequencer, and none to deletions.
    constant_sequencers: bool = False
    limits: Limits = field(default_factory=lambda: Limits(max_bytes=1_000_000))
    ticks: int = 0

    def pipeline(self) -> Pipeline:
        """Return a pipeline as another execution environment would have it."""
        return Pipeline(Storage(self.s3, THUMBNAILS), Catalog(self.dynamodb, TABLE), self.limits, 30)

    def handle(self, event: ObjectEvent, make: Callable[[bytes], Photo] | None = None) -> Outcome:
        """Handle one event."""
        return self.pipeline().handle(event, make or self.make)

    def make(self, data: bytes) -> Photo:
        """Make the thumbnails of a photo."""
        return _render(data, self.limits)

    def put(self, data: bytes, key: str = "cat.jpg", **options: Any) -> ObjectEvent:
        """Upload an object."""
        answer = self.s3.put_object(Bucket=UPLOADS, Key=key, Body=data, **options)
        return self.event(Kind.CREATED, key, answer.get("VersionId"), answer["ETag"].strip('"'), len(data))

    def delete(self, key: str = "cat.jpg") -> ObjectEvent:
        """Delete an object. This puts a delete marker if the bucket has versions."""
        answer = self.s3.delete_object(Bucket=UPLOADS, Key=key)
        return self.event(Kind.DELETED, key, answer.get("VersionId"))

    def restore(self, version_id: str | None, key: str = "cat.jpg") -> ObjectEvent:
        """Copy an earlier version onto its key."""
        source = {"Bucket": UPLOADS, "Key": key, "VersionId": version_id}
        answer = self.s3.copy_object(Bucket=UPLOADS, Key=key, CopySource=source)
        etag = answer["CopyObjectResult"]["ETag"].strip('"')
        return self.event(Kind.CREATED, key, answer["VersionId"], etag)

    def remove(self, version_id: str | None, key: str = "cat.jpg") -> ObjectEvent:
        """Remove one version or a delete marker permanently."""
        self.s3.delete_object(Bucket=UPLOADS, Key=key, VersionId=version_id)
        return self.event(Kind.VERSION_REMOVED, key, version_id)

    def event(
        self, kind: Kind, key: str, version_id: str | None, etag: str | None = None, size: int | None = None
    ) -> ObjectEvent:
        self.ticks += 1
        sequencer: str | None = f"0055AED6{self.ticks:06X}".rstrip("0")
        if self.constant_sequencers:
            sequencer = "0055AED6DCD90281E5" if kind is Kind.CREATED else None
        name = {
            Kind.CREATED: "ObjectCreated:Put",
            Kind.DELETED: "ObjectRemoved:DeleteMarkerCreated",
            Kind.VERSION_REMOVED: "ObjectRemoved:Delete",
        }
        time = f"2026-11-23T10:00:{self.ticks % 60:02d}.000Z"
        return ObjectEvent(kind, name[kind], UPLOADS, key, version_id, sequencer, etag, size, time)

    def item(self, event: ObjectEvent) -> dict[str, Any] | None:
        """Return the catalog's item of the event's object, as DynamoDB returns it."""
        item: dict[str, Any] | None = self.dynamodb.get_item(
            TableName=TABLE, Key={"image_id": {"S": event.image_id}}
        ).get("Item")
        return item

    def status(self, event: ObjectEvent) -> str | None:
        """Return the status in the catalog."""
        item = self.item(event)
        return item["status"]["S"] if item else None

    def thumbnails(self, prefix: str = "") -> set[str]:
        """Return the keys of all thumbnails."""
        return {entry["Key"] for entry in self.s3.list_objects_v2(Bucket=THUMBNAILS, Prefix=prefix).get("Contents", [])}

    def check(self, event: ObjectEvent) -> None:
        """Check that catalog and thumbnails match the uploads bucket."""
        item = self.item(event)
        recorded = {thumbnail["M"]["key"]["S"] for thumbnail in (item or {}).get("thumbnails", {"M": {}})["M"].values()}
        assert self.thumbnails(event.image_id) == recorded
        try:
            current = self.s3.head_object(Bucket=event.bucket, Key=event.key)
        except self.s3.exceptions.ClientError:
            assert item is None or item["status"]["S"] == "DELETED"
            return
        assert item is not None
        assert item["status"]["S"] in {"READY", "REJECTED"}
        assert item.get("version_id", {}).get("S") == current.get("VersionId")
        assert item["etag"]["S"] == current["ETag"].strip('"')
        assert len(recorded) == (len(SIZES) if item["status"]["S"] == "READY" else 0)


@cache
def client(service: str, _config: Any = None) -> Any:
    """Return a client. It is created once, because that takes long. moto empties the cloud behind it between tests."""
    return boto3.client(service, region_name="us-east-1", aws_access_key_id="testing", aws_secret_access_key="testing")  # type: ignore[call-overload]


@contextmanager
def cloud(versioned: bool = True, **options: Any) -> Iterator[Cloud]:
    """Provide an empty cloud."""
    with mock_aws():
        s3, dynamodb = client("s3"), client("dynamodb")
        for bucket in (UPLOADS, THUMBNAILS):
            s3.create_bucket(Bucket=bucket)
        if versioned:
            s3.put_bucket_versioning(Bucket=UPLOADS, VersioningConfiguration={"Status": "Enabled"})
        dynamodb.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "image_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "image_id", "AttributeType": "S"}],
        )
        yield Cloud(s3, dynamodb, versioned, **options)


class Crash(BaseException):
    """Raised in place of a call, as if the process died."""


def crash() -> None:
    raise Crash


# Each step before which the process may die
STEPS = [
    ("s3", "get_object"),
    ("s3", "put_object"),
    ("s3", "list_objects_v2"),
    ("s3", "delete_objects"),
    ("dynamodb", "get_item"),
    ("dynamodb", "put_item"),
    ("dynamodb", "update_item"),
]


class Calls:
    """Count the calls of a client, and do something before or instead of some of them."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.names: list[str] = []
        self.before: dict[str, Callable[[], None]] = {}

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._client, name)
        if not callable(attribute) or name == "exceptions":
            return attribute

        def call(**arguments: Any) -> Any:
            self.names.append(name)
            action = self.before.pop(name, None)
            if action:
                action()
            return attribute(**arguments)

        return call


def body(*events: ObjectEvent) -> str:
    """Return the body of the SQS message that contains these events."""
    records = []
    for event in events:
        s3_object: dict[str, Any] = {
            "key": quote_plus(event.key, safe="/"),
            "versionId": event.version_id,
            "sequencer": event.sequencer,
        }
        s3_object |= {"size": event.size, "eTag": event.etag} if event.etag else {}
        s3 = {
            "bucket": {"name": event.bucket},
            "object": {name: value for name, value in s3_object.items() if value is not None},
        }
        records.append({"eventSource": "aws:s3", "eventName": event.name, "eventTime": event.time, "s3": s3})
    return json.dumps({"Records": records})
