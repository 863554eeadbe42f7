"""Audit: every kind of drift is found, only real drift is reported, and an interrupted audit goes on."""

import itertools
import sqlite3
import sys
import time
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from boto3.dynamodb.types import TypeSerializer
from botocore.exceptions import ClientError
from moto import mock_aws

from eventloom import terminal
from eventloom.errors import UserError
from eventloom.operations import audit as tool
from eventloom.operations.drift import KINDS, Audit, Drift, Places
from eventloom.operations.messages import image_id
from thumbnailer import events

PLACES = Places("uploads", "thumbnails", "catalog")


class Cloud:
    """moto's buckets, table and queue."""

    def __init__(self) -> None:
        self.s3 = boto3.client("s3", region_name="us-east-1")
        self.dynamodb = boto3.client("dynamodb", region_name="us-east-1")
        self.sqs = boto3.client("sqs", region_name="us-east-1")
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

    def item(self, key: str, etag: str | None, *thumbnails: str, status: str = "READY") -> None:
        found = {"image_id": image_id(PLACES.uploads, key), "bucket": PLACES.uploads, "key": key, "status": status, "etag": etag}
        found["thumbnails"] = {str(number): {"key": thumbnail} for number, thumbnail in enumerate(thumbnails)}
        self.dynamodb.put_item(TableName=PLACES.table, Item={name: TypeSerializer().serialize(value) for name, value in found.items()})

    def audit(self, folder: Path) -> Audit:
        return Audit(folder / "audit.sqlite", self.s3, self.dynamodb, PLACES)


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    with mock_aws():
        yield Cloud()


def drifted(cloud: Cloud) -> set[tuple[str, str]]:
    """One of each kind, and what is right or at least explained; the drift that there is."""
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
    return {
        ("missing_item", "new.jpg"),
        ("missing_item", "came back.jpg"),
        ("stale_version", "changed.jpg"),
        ("missing_thumbnails", "bare.jpg"),
        ("missing_thumbnails", "none.jpg"),
        ("item_without_object", "gone.jpg"),
        ("orphaned_thumbnail", cloud.thumbnail("fine.jpg", "old.jpg")),
        ("orphaned_thumbnail", cloud.thumbnail("no such.jpg")),
    }


def found_by(audit: Audit, before: float | None = None) -> set[tuple[str, str]]:
    audit.collect(lambda _: None)
    return {(drift.kind, drift.key) for drift in audit.findings(time.time() + 60 if before is None else before)}


def test_every_kind_of_drift_is_found_and_nothing_else(cloud: Cloud, tmp_path: Path) -> None:
    wanted = drifted(cloud)
    assert found_by(cloud.audit(tmp_path)) == wanted
    assert {kind for kind, _ in wanted} == set(KINDS)


def test_what_is_young_may_be_under_way(cloud: Cloud, tmp_path: Path) -> None:
    cloud.put("new.jpg")
    cloud.thumbnail("new.jpg")
    assert found_by(cloud.audit(tmp_path), before=time.time() - 600) == set()


def test_an_orphan_that_was_made_again_since_it_was_listed_may_be_under_way(cloud: Cloud, tmp_path: Path) -> None:
    cloud.thumbnail("new.jpg")
    audit = cloud.audit(tmp_path)
    audit.collect(lambda _: None)
    with sqlite3.connect(tmp_path / "audit.sqlite") as database:
        database.execute("update stored set modified = 0")
    assert not list(audit.findings(time.time() - 600))
    assert [drift.kind for drift in audit.findings(time.time() + 60)] == ["orphaned_thumbnail"]


def test_what_was_mended_meanwhile_is_not_reported(cloud: Cloud, tmp_path: Path) -> None:
    drifted(cloud)
    audit = cloud.audit(tmp_path)
    audit.collect(lambda _: None)
    cloud.item("new.jpg", cloud.put("new.jpg"))
    cloud.item("came back.jpg", cloud.put("came back.jpg"))
    cloud.item("changed.jpg", cloud.put("changed.jpg"), cloud.thumbnail("changed.jpg"))
    cloud.thumbnail("bare.jpg", "gone.jpg")
    cloud.item("none.jpg", cloud.put("none.jpg"), cloud.thumbnail("none.jpg"))
    cloud.put("gone.jpg")
    kinds = {drift.kind for drift in audit.findings(time.time() + 60)}
    assert kinds == {"orphaned_thumbnail"}


def test_an_interrupted_audit_goes_on(cloud: Cloud, tmp_path: Path) -> None:
    wanted = drifted(cloud)

    def stop(_: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cloud.audit(tmp_path).collect(stop)
    assert found_by(cloud.audit(tmp_path)) == wanted


def test_repairs_say_what_the_thumbnailer_understands(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    drifted(cloud)
    monkeypatch.setattr(tool, "client", lambda service: getattr(cloud, service))
    outputs = {"uploads_bucket": PLACES.uploads, "thumbnails_bucket": PLACES.thumbnails, "uploads_queue_url": cloud.url}
    audit = cloud.audit(tmp_path)
    audit.collect(lambda _: None)
    kinds = []
    for drift in audit.findings(time.time() + 60):
        kinds.append(drift.kind)
        tool.repair(drift, outputs)
        tool.repair(drift, outputs)
    assert kinds[-1] != kinds[0] == "orphaned_thumbnail", "removed before an image is made again, which may give them the same names"
    answers = [cloud.sqs.receive_message(QueueUrl=cloud.url, MaxNumberOfMessages=10).get("Messages", []) for _ in range(3)]
    sent = [event for message in itertools.chain(*answers) for event in events.parse(message["Body"])[0]]
    assert {(event.kind, event.asks_to_remake, event.key) for event in sent} == {
        (events.Kind.CREATED, False, "new.jpg"),
        (events.Kind.CREATED, False, "came back.jpg"),
        (events.Kind.CREATED, True, "changed.jpg"),
        (events.Kind.CREATED, True, "bare.jpg"),
        (events.Kind.CREATED, True, "none.jpg"),
        (events.Kind.DELETED, False, "gone.jpg"),
    }
    left = {found["Key"] for found in cloud.s3.list_objects_v2(Bucket=PLACES.thumbnails)["Contents"]}
    assert not [key for key in left if key.endswith("old.jpg") or key.startswith(image_id(PLACES.uploads, "no such.jpg"))]


class Endless:
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
            yield {"Contents": [{"Key": f"k{start + n:09}", "ETag": f'"{start + n:032x}"', "LastModified": moment} for n in range(1000)]}


def test_memory_does_not_grow_with_the_number_of_objects(tmp_path: Path) -> None:
    def peak_of(count: int) -> int:
        tracemalloc.start()
        Audit(tmp_path / f"{count}.sqlite", Endless(count), Endless(0), PLACES).collect(lambda _: None)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    small, large = peak_of(2_000), peak_of(30_000)
    assert large < small * 1.2


def test_what_vanished_is_no_drift(cloud: Cloud, tmp_path: Path) -> None:
    cloud.put("was here.jpg")
    audit = cloud.audit(tmp_path)
    audit.collect(lambda _: None)
    cloud.s3.delete_object(Bucket=PLACES.uploads, Key="was here.jpg")
    assert list(audit.findings(time.time() + 60)) == []
    assert not audit.is_real(Drift("stale_version", image_id(PLACES.uploads, "was here.jpg"), "was here.jpg"), time.time())


def test_an_object_encrypted_with_the_uploaders_key_is_compared(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """S3 answers a HEAD of one without that key by a bare 400."""

    def refused(**_: Any) -> None:
        raise ClientError({"Error": {"Code": "400", "Message": "Bad Request"}}, "HeadObject")

    cloud.item("secret.jpg", "of the version before", status="REJECTED")
    cloud.put("secret.jpg")
    monkeypatch.setattr(cloud.s3, "head_object", refused)
    audit = cloud.audit(tmp_path)
    audit.collect(lambda _: None)
    assert [drift.kind for drift in audit.findings(time.time() + 60)] == ["stale_version"]


def run(monkeypatch: pytest.MonkeyPatch, cloud: Cloud, folder: Path, places: Places, *arguments: str) -> int:
    outputs = {"uploads_bucket": places.uploads, "thumbnails_bucket": places.thumbnails, "catalog_table": places.table}
    monkeypatch.setattr(tool, "client", lambda service: getattr(cloud, service))
    monkeypatch.setattr(tool, "BUILD", folder)
    monkeypatch.setattr(terminal, "environment", lambda _: outputs)
    monkeypatch.setattr(sys, "argv", ["audit.py", "--env", "local", "--grace", "0", *arguments])
    return tool.main()


def test_an_interrupted_audit_of_another_account_is_not_gone_on_with(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "BUILD", tmp_path)
    here, there = PLACES, Places("uploads-2", "thumbnails", "catalog")
    cloud.s3.create_bucket(Bucket=there.uploads)
    interrupted = Audit(tool.file_of("local", there), cloud.s3, cloud.dynamodb, there)
    interrupted.collect(lambda _: None)
    cloud.put("new.jpg")
    time.sleep(1.1)  # S3's times are whole seconds
    assert run(monkeypatch, cloud, tmp_path, here) == 3
    assert "missing_item" in capsys.readouterr().out


def test_going_on_with_an_interrupted_audit_is_told(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(tool, "BUILD", tmp_path)
    Audit(tool.file_of("local", PLACES), cloud.s3, cloud.dynamodb, PLACES).collect(lambda _: None)
    assert run(monkeypatch, cloud, tmp_path, PLACES) == 0
    assert "interrupted at 2" in capsys.readouterr().err
    assert run(monkeypatch, cloud, tmp_path, PLACES) == 0
    assert "interrupted" not in capsys.readouterr().err


def test_a_damaged_file_of_an_audit_says_how_to_go_on(cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tool, "BUILD", tmp_path)
    path = tool.file_of("local", PLACES)
    path.parent.mkdir()
    path.write_text("no database" * 10)
    with pytest.raises(UserError, match="--restart lists anew"):
        run(monkeypatch, cloud, tmp_path, PLACES)
    assert run(monkeypatch, cloud, tmp_path, PLACES, "--restart") == 0


def test_a_key_is_one_line_whatever_it_holds(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cloud.put("a\x1b[2J\nno drift")
    time.sleep(1.1)  # S3's times are whole seconds
    assert run(monkeypatch, cloud, tmp_path, PLACES) == 3
    assert capsys.readouterr().out.splitlines()[0] == r"missing_item         a\x1b[2J\nno drift"
