"""audit finds every kind of drift, reports only real drift, and continues after an interruption."""

import itertools
import sqlite3
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer
from click.testing import Result
from moto import mock_aws

from eventloom.operations.audit import database_file, repair
from eventloom.operations.drift import Audit, Drift, Kind, Places
from eventloom.operations.target import Target
from eventloom.operations.thumbnail_settings import ThumbnailSettings
from shared.identity import image_id
from tests.unit.eventloom.operations.support import Override, fail_with, json_lines, make_target, run
from thumbnailer import events

PLACES = Places("uploads", "thumbnails", "catalog")


SETTINGS = ThumbnailSettings(frozenset({"0"}), "jpeg", 1_000_000)


class FakeLambda:
    """A client of Lambda with the thumbnailer's variables."""

    variables: ClassVar = {"THUMBNAIL_SIZES": "0", "OUTPUT_FORMAT": "jpeg", "MAX_BYTES": "1000000"}

    def get_function(self, FunctionName: str) -> dict[str, Any]:
        assert FunctionName == "arn:thumbnailer:live"
        return {"Configuration": {"Environment": {"Variables": self.variables}}}


class Cloud:
    """Buckets, a table and a queue of moto."""

    def __init__(self) -> None:
        self.s3: Any = boto3.client("s3", region_name="us-east-1")
        self.dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        self.sqs = boto3.client("sqs", region_name="us-east-1")
        self.lambda_ = FakeLambda()
        self.url = self.sqs.create_queue(QueueName="uploads")["QueueUrl"]
        for bucket in (PLACES.uploads, PLACES.thumbnails):
            self.s3.create_bucket(Bucket=bucket)
        self.dynamodb.create_table(
            TableName=PLACES.table,
            KeySchema=[{"AttributeName": "image_id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "image_id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )

    def put(self, key: str) -> str:
        etag: str = self.s3.put_object(Bucket=PLACES.uploads, Key=key, Body=key.encode())["ETag"]
        return etag.strip('"')

    def thumbnail(self, key: str, name: str = "128.jpg") -> str:
        stored = f"{image_id(PLACES.uploads, key)}/tag/{name}"
        self.s3.put_object(Bucket=PLACES.thumbnails, Key=stored, Body=b"t")
        return stored

    def item(self, key: str, etag: str | None, *thumbnails: str, status: str = "READY", **facts: Any) -> None:
        item: dict[str, Any] = facts | {
            "image_id": image_id(PLACES.uploads, key),
            "bucket": PLACES.uploads,
            "key": key,
            "status": status,
            "etag": etag,
        }
        item["thumbnails"] = {
            str(number): {"key": thumbnail, "content_type": "image/jpeg"} for number, thumbnail in enumerate(thumbnails)
        }
        self.dynamodb.put_item(
            TableName=PLACES.table, Item={name: TypeSerializer().serialize(value) for name, value in item.items()}
        )

    def client(self, service: str) -> Any:
        return self.lambda_ if service == "lambda" else getattr(self, service)

    def audit(self, folder: Path) -> Audit:
        return Audit(folder / "audit.sqlite", self.s3, self.dynamodb, PLACES, SETTINGS)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with mock_aws():
        yield Cloud()


def create_drift(cloud: Cloud) -> set[tuple[str, str]]:
    """Create drift of each kind, and images without drift. Returns the kinds and keys of the drift."""
    cloud.item("fine.jpg", cloud.put("fine.jpg"), cloud.thumbnail("fine.jpg"))
    cloud.item("rejected.jpg", cloud.put("rejected.jpg"), status="REJECTED")
    cloud.item("deleted.jpg", None, status="DELETED")
    cloud.put("new.jpg")
    cloud.put("came back.jpg")
    cloud.item("came back.jpg", None, status="DELETED")
    cloud.put("changed.jpg")
    cloud.item("changed.jpg", "another", cloud.thumbnail("changed.jpg"))
    cloud.item("none.jpg", cloud.put("none.jpg"))
    cloud.item("bare.jpg", cloud.put("bare.jpg"), f"{image_id(PLACES.uploads, 'bare.jpg')}/tag/gone.jpg")
    cloud.item("gone.jpg", "e", cloud.thumbnail("gone.jpg"))
    cloud.item("sizes.jpg", cloud.put("sizes.jpg"), cloud.thumbnail("sizes.jpg"), cloud.thumbnail("sizes.jpg", "2.jpg"))
    return {
        ("missing_item", "new.jpg"),
        ("missing_item", "came back.jpg"),
        ("stale_version", "changed.jpg"),
        ("missing_thumbnails", "bare.jpg"),
        ("missing_thumbnails", "none.jpg"),
        ("outdated_thumbnails", "sizes.jpg"),
        ("item_without_object", "gone.jpg"),
        ("orphaned_thumbnail", cloud.thumbnail("fine.jpg", "old.jpg")),
        ("orphaned_thumbnail", cloud.thumbnail("no such.jpg")),
    }


def findings(audit: Audit, before: float | None = None) -> set[tuple[str, str]]:
    audit.collect(lambda _: None)
    return {(drift.kind, drift.key) for drift in audit.findings(time.time() + 60 if before is None else before)}


def test_every_kind_of_drift_and_nothing_else_is_found(cloud: Cloud, tmp_path: Path) -> None:
    expected = create_drift(cloud)
    assert findings(cloud.audit(tmp_path)) == expected
    assert {kind for kind, _ in expected} == set(Kind)


def test_young_objects_may_be_in_progress(cloud: Cloud, tmp_path: Path) -> None:
    cloud.put("new.jpg")
    cloud.thumbnail("new.jpg")
    assert findings(cloud.audit(tmp_path), before=time.time() - 600) == set()


def test_an_orphan_that_was_created_again_since_it_was_listed_may_be_in_progress(cloud: Cloud, tmp_path: Path) -> None:
    cloud.thumbnail("new.jpg")
    audit = cloud.audit(tmp_path)
    audit.collect(lambda _: None)
    with sqlite3.connect(tmp_path / "audit.sqlite") as database:
        database.execute("update stored set modified = 0")
    assert not list(audit.findings(time.time() - 600))
    assert [drift.kind for drift in audit.findings(time.time() + 60)] == ["orphaned_thumbnail"]


def test_drift_that_ended_since_the_listing_is_not_reported(cloud: Cloud, tmp_path: Path) -> None:
    create_drift(cloud)
    audit = cloud.audit(tmp_path)
    audit.collect(lambda _: None)
    cloud.item("new.jpg", cloud.put("new.jpg"))
    cloud.item("came back.jpg", cloud.put("came back.jpg"))
    cloud.item("changed.jpg", cloud.put("changed.jpg"), cloud.thumbnail("changed.jpg"))
    cloud.thumbnail("bare.jpg", "gone.jpg")
    cloud.item("none.jpg", cloud.put("none.jpg"), cloud.thumbnail("none.jpg"))
    cloud.put("gone.jpg")
    cloud.item("sizes.jpg", cloud.put("sizes.jpg"), cloud.thumbnail("sizes.jpg"))
    kinds = {drift.kind for drift in audit.findings(time.time() + 60)}
    assert kinds == {"orphaned_thumbnail"}


def test_an_interrupted_audit_continues(cloud: Cloud, tmp_path: Path) -> None:
    expected = create_drift(cloud)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cloud.audit(tmp_path).collect(stop)
    assert findings(cloud.audit(tmp_path)) == expected


def test_the_thumbnailer_understands_the_events_of_repairs(cloud: Cloud, tmp_path: Path) -> None:
    create_drift(cloud)
    outputs = {"uploads_bucket": PLACES.uploads, "thumbnails_bucket": PLACES.thumbnails, "uploads_queue_url": cloud.url}
    audit = cloud.audit(tmp_path)
    audit.collect(lambda _: None)
    kinds = []
    for drift in audit.findings(time.time() + 60):
        kinds.append(drift.kind)
        for _ in range(2):
            repair(drift, outputs, lambda service: getattr(cloud, service))
    assert kinds[-1] != kinds[0] == "orphaned_thumbnail", (
        "orphans are deleted before repairs create thumbnails with the same names"
    )
    answers = [
        cloud.sqs.receive_message(QueueUrl=cloud.url, MaxNumberOfMessages=10).get("Messages", []) for _ in range(3)
    ]
    sent = [event for message in itertools.chain(*answers) for event in events.parse(message["Body"])[0]]
    assert {(event.kind, event.asks_to_remake, event.key) for event in sent} == {
        (events.Kind.CREATED, False, "new.jpg"),
        (events.Kind.CREATED, False, "came back.jpg"),
        (events.Kind.CREATED, True, "changed.jpg"),
        (events.Kind.CREATED, True, "bare.jpg"),
        (events.Kind.CREATED, True, "none.jpg"),
        (events.Kind.CREATED, True, "sizes.jpg"),
        (events.Kind.DELETED, False, "gone.jpg"),
    }
    remaining = {entry["Key"] for entry in cloud.s3.list_objects_v2(Bucket=PLACES.thumbnails)["Contents"]}
    assert not [
        key for key in remaining if key.endswith("old.jpg") or key.startswith(image_id(PLACES.uploads, "no such.jpg"))
    ]


class ManyObjects:
    """Buckets of many objects, and an empty table."""

    def __init__(self, count: int) -> None:
        self._count = count

    def get_paginator(self, operation: str) -> Any:
        self._operation = operation
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        if self._operation == "scan":
            yield {"Items": []}
            return
        moment = datetime(2026, 1, 1, tzinfo=UTC)
        for start in range(0, self._count, 1000):
            yield {
                "Contents": [
                    {"Key": f"k{start + n:09}", "ETag": f'"{start + n:032x}"', "LastModified": moment}
                    for n in range(1000)
                ]
            }


def test_memory_does_not_grow_with_the_number_of_objects(tmp_path: Path) -> None:
    def peak_of(count: int) -> int:
        tracemalloc.start()
        Audit(tmp_path / f"{count}.sqlite", ManyObjects(count), ManyObjects(0), PLACES).collect(lambda _: None)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    small, large = peak_of(2_000), peak_of(30_000)
    assert large < small * 1.2


def test_an_object_that_vanished_is_not_drift(cloud: Cloud, tmp_path: Path) -> None:
    cloud.put("was here.jpg")
    audit = cloud.audit(tmp_path)
    audit.collect(lambda _: None)
    cloud.s3.delete_object(Bucket=PLACES.uploads, Key="was here.jpg")
    assert list(audit.findings(time.time() + 60)) == []
    assert not audit.is_real(
        Drift(Kind.STALE_VERSION, image_id(PLACES.uploads, "was here.jpg"), "was here.jpg"), time.time()
    )


def test_an_object_encrypted_with_the_uploaders_key_is_compared(cloud: Cloud, tmp_path: Path) -> None:
    """S3 answers a HEAD request for such an object with 400 if the request lacks the key."""
    cloud.item("secret.jpg", "of an earlier version", status="REJECTED")
    cloud.put("secret.jpg")
    cloud.s3 = Override(cloud.s3, head_object=fail_with(AssertionError("HEAD needs the key")))
    audit = cloud.audit(tmp_path)
    audit.collect(lambda _: None)
    assert [drift.kind for drift in audit.findings(time.time() + 60)] == ["stale_version"]


class Deployed:
    """An environment on moto, where everything is older than the grace period: its clock is a minute fast."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.cloud = cloud
        self.folder = folder

    def target(self, places: Places = PLACES) -> Target:
        outputs = {
            "uploads_bucket": places.uploads,
            "thumbnails_bucket": places.thumbnails,
            "catalog_table": places.table,
            "uploads_queue_url": self.cloud.url,
            "functions": {"thumbnailer": {"alias_arn": "arn:thumbnailer:live"}},
        }
        return make_target(self.folder, outputs, self.cloud.client, now=lambda: time.time() + 60)

    def run(self, *arguments: str) -> Result:
        return run(self.target(), "audit", "--grace", "0", *arguments)

    def interrupted_audit(self, places: Places = PLACES) -> Path:
        """Run an audit that is interrupted after the listing, and return its file."""
        path = database_file(self.target(places), places)
        Audit(path, self.cloud.s3, self.cloud.dynamodb, places).collect(lambda _: None)
        return path


@pytest.fixture
def deployed(cloud: Cloud, tmp_path: Path) -> Deployed:
    return Deployed(cloud, tmp_path)


def test_drift_ends_with_exit_code_3_and_repaired_drift_with_0(deployed: Deployed) -> None:
    deployed.cloud.put("new.jpg")
    finding = {"drift": "missing_item", "image_id": image_id(PLACES.uploads, "new.jpg"), "key": "new.jpg"}
    summary = {
        "compared": {"objects": 1, "items": 0, "stored": 0},
        "found": {"missing_item": 1},
        "may_be_accepted": {},
    }
    result = deployed.run("--json")
    assert (result.exit_code, json_lines(result)) == (3, [finding, summary | {"repaired": False}])
    assert "Messages" not in deployed.cloud.sqs.receive_message(QueueUrl=deployed.cloud.url)
    result = deployed.run("--repair", "--json")
    assert (result.exit_code, json_lines(result)) == (0, [finding, summary | {"repaired": True}])
    (message,) = deployed.cloud.sqs.receive_message(QueueUrl=deployed.cloud.url)["Messages"]
    assert [event.key for event in events.parse(message["Body"])[0]] == ["new.jpg"]


def test_no_drift_ends_with_exit_code_0(deployed: Deployed) -> None:
    result = deployed.run()
    assert (result.exit_code, result.stdout) == (0, "0 objects, 0 items, 0 thumbnails: no drift\n")


def test_uploads_within_the_grace_period_are_left_out(deployed: Deployed) -> None:
    deployed.cloud.put("new.jpg")
    assert run(deployed.target(), "audit").exit_code == 0
    assert run(deployed.target(), "audit", "--grace", "0.5").exit_code == 3


def test_the_interrupted_audit_of_another_account_is_not_continued(deployed: Deployed) -> None:
    elsewhere = Places("uploads-2", "thumbnails", "catalog")
    deployed.cloud.s3.create_bucket(Bucket=elsewhere.uploads)
    deployed.interrupted_audit(elsewhere)
    deployed.cloud.put("new.jpg")
    result = deployed.run()
    assert result.exit_code == 3
    assert "missing_item" in result.stdout


def test_continuing_an_interrupted_audit_is_reported(deployed: Deployed) -> None:
    path = deployed.interrupted_audit()
    result = deployed.run("--json")
    assert result.exit_code == 0
    assert "continuing with the listings of the audit that stopped at 2" in result.stderr
    assert not path.exists()
    assert "continuing" not in deployed.run().stderr


def test_a_damaged_file_of_an_audit_says_how_to_continue(deployed: Deployed) -> None:
    path = database_file(deployed.target(), PLACES)
    path.parent.mkdir()
    path.write_text("no database" * 10)
    result = deployed.run()
    assert result.exit_code == 1
    assert "--restart lists everything again" in result.stderr
    assert deployed.run("--restart").exit_code == 0


def test_a_key_is_one_line_whatever_it_contains(deployed: Deployed) -> None:
    deployed.cloud.put("a\x1b[2J\nno drift")
    result = deployed.run()
    assert result.exit_code == 3
    assert result.stdout.splitlines()[0] == r"missing_item         a\x1b[2J\nno drift"


def test_rejected_photos_that_may_be_accepted_now_are_counted_and_are_not_drift(deployed: Deployed) -> None:
    rejections = [("archived", 5), ("archived", 5), ("too_large", 900_000), ("too_large", 2_000_000), ("corrupt", 5)]
    for number, (reason, size) in enumerate(rejections):
        key = f"{number}.jpg"
        deployed.cloud.item(key, deployed.cloud.put(key), status="REJECTED", reason=reason, bytes=size)
    result = deployed.run("--json")
    assert result.exit_code == 0
    assert json_lines(result)[0]["may_be_accepted"] == {"archived": 2, "too_large": 1}
    assert "2 archived, 1 too_large; ./eventloom backfill --rejected tries them" in result.stderr


def test_an_environment_without_the_thumbnailer_is_compared_without_its_settings(deployed: Deployed) -> None:
    deployed.cloud.item("a.jpg", deployed.cloud.put("a.jpg"), *(deployed.cloud.thumbnail("a.jpg", n) for n in "12"))
    target = deployed.target()
    target.outputs["functions"].clear()
    assert run(target, "audit", "--grace", "0").exit_code == 0
    assert deployed.run().exit_code == 3
