"""restore-items copies the items that the environment's table lacks, deletes nothing, and may be repeated."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from click.testing import Result
from moto import mock_aws

from eventloom.errors import UserError
from eventloom.operations.restore_items import Copy
from tests.unit.eventloom.operations.support import Override, json_lines, make_target, run

RESTORED = "restored"
KEYS = (("day", "HASH"), ("image_id", "RANGE"))


class Tables:
    """The activity table of an environment and a restored one, in moto."""

    def __init__(self, folder: Path) -> None:
        self.dynamodb: Any = boto3.client("dynamodb", region_name="us-east-1")
        self.create("activity", *KEYS)
        self.create(RESTORED, *KEYS)
        self.target = make_target(folder, {"activity_table": "activity"}, lambda _: self.dynamodb)

    def create(self, name: str, *keys: tuple[str, str]) -> None:
        self.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            BillingMode="PAY_PER_REQUEST",
        )

    def put(self, table: str, number: int, views: int, **more: Any) -> None:
        item = {"day": {"S": "2026-05-01"}, "image_id": {"S": f"{number:04d}"}, "views": {"N": str(views)}}
        self.dynamodb.put_item(TableName=table, Item=item | more)

    def views(self) -> dict[int, str]:
        """Return the views of each item of the environment's table, by number."""
        pages = self.dynamodb.get_paginator("scan").paginate(TableName="activity")
        return {int(item["image_id"]["S"]): item["views"]["N"] for page in pages for item in page["Items"]}

    def restore(self, *options: str) -> Result:
        return run(self.target, "restore-items", RESTORED, "--into", "activity", "--rate", "100000", *options)


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[Tables]:
    with mock_aws():
        yield Tables(tmp_path)


def test_missing_items_are_copied_and_the_others_stay(tables: Tables) -> None:
    for number in range(250):
        tables.put(RESTORED, number, views=1)
    tables.put("activity", 7, views=1)
    tables.put("activity", 8, views=50)
    tables.put("activity", 900, views=9)
    (dry,) = json_lines(tables.restore("--dry-run", "--json"))
    assert dry["copied"] == 248
    assert len(tables.views()) == 3
    (report,) = json_lines(tables.restore("--json"))
    assert report == {
        "environment": "local",
        "table": "activity",
        "dry_run": False,
        **{"read": 250, "copied": 248, "equal": 1, "different": 1},
    }
    assert tables.views() == {number: "1" for number in range(250)} | {8: "50", 900: "9"}
    assert json_lines(tables.restore("--json"))[0]["copied"] == 0, "a second run finds nothing to do"


def test_replace_also_copies_items_that_differ(tables: Tables) -> None:
    tables.put(RESTORED, 1, views=1, note={"S": "old"})
    tables.put("activity", 1, views=5)
    tables.put("activity", 2, views=5)
    result = tables.restore("--replace")
    assert "1 of 1 items copied into activity; 0 are there already, 1 differ" in result.stdout
    assert tables.views() == {1: "1", 2: "5"}


@pytest.mark.parametrize("was_there", [True, False])
def test_an_item_that_is_written_meanwhile_is_not_replaced(tables: Tables, was_there: bool) -> None:
    tables.put(RESTORED, 1, views=1)
    if was_there:
        tables.put("activity", 1, views=5)

    def put_after_another(**arguments: Any) -> Any:
        tables.put("activity", 1, views=6)
        return tables.dynamodb.put_item(**arguments)

    target = make_target(
        Path("unused"), {"activity_table": "activity"}, lambda _: Override(tables.dynamodb, put_item=put_after_another)
    )
    result = run(target, "restore-items", RESTORED, "--into", "activity", "--replace", "--json")
    assert json_lines(result)[0]["copied"] == 0
    assert tables.views() == {1: "6"}


def test_keys_that_dynamodb_did_not_process_are_asked_again(tables: Tables) -> None:
    tables.put(RESTORED, 1, views=1)
    tables.put("activity", 1, views=5)
    answers = iter([False, True])

    def read_later(RequestItems: dict[str, Any]) -> Any:
        if next(answers):
            return tables.dynamodb.batch_get_item(RequestItems=RequestItems)
        return {"Responses": {}, "UnprocessedKeys": RequestItems}

    target = make_target(
        Path("unused"), {"activity_table": "activity"}, lambda _: Override(tables.dynamodb, batch_get_item=read_later)
    )
    result = run(target, "restore-items", RESTORED, "--into", "activity", "--json")
    assert json_lines(result)[0]["different"] == 1
    assert tables.views() == {1: "5"}


def test_a_wrong_table_is_refused_with_advice(tables: Tables) -> None:
    tables.create("other", ("pk", "HASH"))
    for source, words in {
        "nowhere": "there is no table nowhere; restore one first",
        "activity": "activity is the environment's own table",
        "other": "different keys; --into names another one",
    }.items():
        result = run(tables.target, "restore-items", source, "--into", "activity")
        assert (result.exit_code, words in result.stderr) == (1, True), result.output


def test_a_table_that_is_being_restored_is_refused(tables: Tables) -> None:
    description = {"Table": {"TableStatus": "CREATING", "KeySchema": []}}
    dynamodb = Override(tables.dynamodb, describe_table=lambda **_: description, exceptions=tables.dynamodb.exceptions)
    with pytest.raises(UserError, match="the table restored is CREATING; wait until it is ACTIVE"):
        Copy(dynamodb, RESTORED, "activity", replace=False).check()
