"""Test the contents of table streams' records."""

from typing import Any

import pytest

from embedded_localstack.patches.dynamodb_records import record_size, unquoted, written

KEY = {"p": {"S": "a"}}
ITEM = {"p": {"S": "a"}, "x": {"N": "1"}}


BATCH = {"RequestItems": {"t": [{"PutRequest": {"Item": ITEM}}, {"DeleteRequest": {"Key": KEY}}]}}
CHECK = {"ConditionCheck": {"TableName": "u", "Key": KEY}}


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"TableName": "t", "Item": ITEM}, [("t", ITEM)]),
        ({"TableName": "t", "Key": KEY}, [("t", KEY)]),
        (BATCH, [("t", ITEM), ("t", KEY)]),
        ({"TransactItems": [{"Put": {"TableName": "t", "Item": ITEM}}, CHECK]}, [("t", ITEM), ("u", KEY)]),
    ],
)
def test_all_items_of_a_request_are_written(request_: dict[str, Any], expected: list[Any]):
    assert list(written(request_)) == expected


def test_the_size_of_a_record_is_that_of_its_keys_and_images():
    # The size that AWS reports for a new item {"id": "test"} with its new image
    assert record_size({"Keys": {"id": {"S": "test"}}, "NewImage": {"id": {"S": "test"}}}) == 12


@pytest.mark.parametrize(("table", "name"), [("t", "t"), ('"a-b"', "a-b"), ('"a-b"."index"', "a-b"), (None, None)])
def test_quotes_are_not_part_of_a_table_name(table: str | None, name: str | None):
    assert unquoted(table) == name
