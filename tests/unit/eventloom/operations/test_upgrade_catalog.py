"""upgrade-catalog lists the photos of an older version by date, hides none of them, and may be repeated."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from eventloom.operations.upgrade_catalog import Catalog
from shared.dynamodb import plain
from shared.listing import COMPLETE, attributes
from tests.unit.eventloom.operations.support import json_lines, make_target, run

OUTPUTS = {"catalog_table": "catalog", "state_table": "state"}
NAMES = ("image_id", "status", "uploaded_at")


class Tables:
    """The tables of an environment in moto."""

    def __init__(self, folder: Path) -> None:
        self.dynamodb: Any = boto3.client("dynamodb", region_name="us-east-1")
        keys = {"HASH": "status", "RANGE": "uploaded_at"}
        index = [{"AttributeName": name, "KeyType": kind} for kind, name in keys.items()]
        self.dynamodb.create_table(
            TableName="catalog",
            KeySchema=[{"AttributeName": "image_id", "KeyType": "HASH"}],
            AttributeDefinitions=[
                {"AttributeName": name, "AttributeType": "S"} for name in ("image_id", *keys.values())
            ],
            GlobalSecondaryIndexes=[
                {"IndexName": "by_status", "KeySchema": index, "Projection": {"ProjectionType": "ALL"}}
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        self.dynamodb.create_table(
            TableName="state",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        self.target = make_target(folder, OUTPUTS, lambda _: self.dynamodb)

    def put(self, number: int, status: str = "READY", **fields: str) -> dict[str, Any]:
        """Add an item as an older version wrote it."""
        item = {
            "image_id": f"{number:032x}",
            "status": status,
            "key": f"a/{number}.jpg",
            "uploaded_at": f"2026-11-30T09:{number:02d}:00.000Z",
        } | fields
        typed: dict[str, Any] = {name: {"S": value} for name, value in item.items()} | {"revision": {"N": "1"}}
        self.dynamodb.put_item(TableName="catalog", Item=typed)
        return item

    def items(self) -> dict[str, dict[str, Any]]:
        return {item["image_id"]["S"]: plain(item) for item in self.dynamodb.scan(TableName="catalog")["Items"]}

    def is_complete(self) -> bool:
        answer = self.dynamodb.get_item(TableName="state", Key={"pk": {"S": COMPLETE}})
        return bool(answer.get("Item", {}).get("complete", {}).get("BOOL"))


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    with mock_aws():
        yield Tables(tmp_path)


def test_every_photo_gets_the_keys_that_the_thumbnailer_writes(tables: Tables) -> None:
    old = [
        tables.put(1, captured_at="2026-06-15T10:30:00+02:00"),
        tables.put(2),
        tables.put(3, "REJECTED", reason="corrupt"),
    ]
    tables.put(4, "DELETED")
    (report,) = json_lines(run(tables.target, "upgrade-catalog", "--json"))
    assert report == {"environment": tables.target.environment, "changed": 3}
    items = tables.items()
    for item in old:
        assert items[item["image_id"]] == item | attributes(item) | {"revision": 1}
    assert "shelf" not in items[f"{4:032x}"]
    assert tables.is_complete()


def test_a_dry_run_changes_nothing(tables: Tables) -> None:
    tables.put(1)
    (report,) = json_lines(run(tables.target, "upgrade-catalog", "--dry-run", "--json"))
    assert report["would_change"] == 1
    assert "shelf" not in tables.items()[f"{1:032x}"]
    assert not tables.is_complete()


def test_a_repetition_changes_nothing_more(tables: Tables) -> None:
    tables.put(1)
    counts = [json_lines(run(tables.target, "upgrade-catalog", "--json"))[0]["changed"] for _ in range(2)]
    assert counts == [1, 0]


def test_a_photo_that_was_written_meanwhile_keeps_its_newer_keys(tables: Tables) -> None:
    item = tables.put(1)
    tables.dynamodb.update_item(
        TableName="catalog",
        Key={"image_id": {"S": item["image_id"]}},
        UpdateExpression="SET revision = :two, taken_key = :key",
        ExpressionAttributeValues={":two": {"N": "2"}, ":key": {"S": "newer"}},
    )
    catalog = Catalog(tables.dynamodb, "catalog", "state")
    assert not catalog._add_keys(item | {"revision": 1})
    assert tables.items()[item["image_id"]]["taken_key"] == "newer"


def test_photos_that_an_invocation_of_the_old_version_writes_meanwhile_are_not_missed(tables: Tables) -> None:
    """The command ends with a pass that finds nothing."""
    tables.put(1)
    late = iter([lambda: tables.put(2)])

    def done(_: int) -> None:
        for put in late:
            put()
            return

    assert Catalog(tables.dynamodb, "catalog", "state").upgrade(done) == 2
    assert all("shelf" in item for item in tables.items().values())
