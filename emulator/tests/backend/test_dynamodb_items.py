"""Test DynamoDB's checks before it stores or reads an item, with DynamoDB's error messages."""
# ruff: noqa: E501 - the messages of DynamoDB

from collections.abc import Callable
from typing import Any

import pytest

from dynamodb_backend import RefusedError, Table, binary, key

INVALID = "One or more parameter values were invalid: "
EMPTY = "One or more parameter values are not valid. "
CONTENT = "The AttributeValue for a key attribute cannot contain an empty string value. "
MISMATCH = "The provided key element does not match the schema"


@pytest.fixture(scope="module")
def table() -> Table:
    table = Table()
    table.put({**key("a"), "n": {"N": "1"}, "m": {"M": {}}})
    return table


def refused(call: Callable[[], Any]) -> str:
    with pytest.raises(RefusedError) as error:
        call()
    assert error.value.code == "ValidationException"
    return str(error.value)


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"p": {"S": "a"}}, f"{INVALID}Missing the key s in the item"),
        ({"p": {"S": "a"}, "s": {"S": "1"}}, f"{INVALID}Type mismatch for key s expected: N actual: S"),
        (key(""), f"{EMPTY}{CONTENT}Key: p"),
        (key("x" * 2049), f"{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes"),
        (
            key("a") | {"g": {"N": "1"}},
            f"{INVALID}Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g",
        ),
        (
            key("a") | {"g": {"S": ""}},
            f"{EMPTY}A value specified for a secondary index key is not supported. {CONTENT}IndexName: by-g, IndexKey: g",
        ),
        (key("a") | {"x": {"S": "x" * 409_600}}, "Item size has exceeded the maximum allowed size"),
        (key("a") | {"x": {"SS": ["a", "a"]}}, f"{INVALID}Input collection [a, a] contains duplicates."),
        (key("a") | {"x": {"N": "1" * 39}}, "Attempting to store more than 38 significant digits in a Number"),
    ],
)
def test_invalid_items_are_not_stored(table: Table, item: dict[str, Any], message: str):
    assert refused(lambda: table.put(item)) == message


def test_an_item_of_400_kb_is_stored(table: Table):
    table.put({**key("large"), "x": {"S": "x" * 409_000}})


@pytest.mark.parametrize(
    "wrong",
    [
        {"p": {"S": "a"}},
        {**key("a"), "q": {"S": "a"}},
        {"p": {"S": "a"}, "s": {"S": "1"}},
        {"p": {"S": "a"}, "q": {"N": "1"}},
    ],
)
@pytest.mark.parametrize("operation", ["GetItem", "DeleteItem", "UpdateItem"])
def test_keys_that_do_not_fit_are_refused(table: Table, wrong: dict[str, Any], operation: str):
    assert refused(lambda: table.call(operation, Key=wrong)) == MISMATCH


def test_numbers_are_stored_in_their_form(table: Table):
    table.put({"p": {"S": "form"}, "s": {"N": "1.0"}, "x": {"N": "0001.500"}})
    assert table.get("form", "1") == {"p": {"S": "form"}, "s": {"N": "1"}, "x": {"N": "1.5"}}
    assert table.get("form", "1e0")


def update(table: Table, expression: str, **values: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    given = {f":{name}": value for name, value in values.items()}
    request = {"UpdateExpression": expression, "ReturnValues": "ALL_NEW"}
    return lambda: table.call("UpdateItem", Key=key("a"), ExpressionAttributeValues=given, **request)


@pytest.mark.parametrize(
    ("expression", "values", "message"),
    [
        ("SET p = :v", {"v": {"S": "1"}}, f"{INVALID}Cannot update attribute p. This attribute is part of the key"),
        (
            "SET g = :v",
            {"v": {"N": "1"}},
            f"{INVALID}Type mismatch for Index Key g Expected: S Actual: N IndexName: by-g",
        ),
        (
            "SET g.a = :v",
            {"v": {"N": "1"}},
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: IndexKey: g",
        ),
        (
            "SET m = :v, m.x = :v",
            {"v": {"S": "1"}},
            "Invalid UpdateExpression: Two document paths overlap with each other; must remove or rewrite one of these "
            "paths; path one: [m], path two: [m, x]",
        ),
        (
            "SET q.a = :v REMOVE q[1]",
            {"v": {"S": "1"}},
            "Invalid UpdateExpression: Two document paths conflict with each other; must remove or rewrite one of these "
            "paths; path one: [q, a], path two: [q, [1]]",
        ),
        (
            "ADD zz :v",
            {"v": {"S": "1"}},
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator: ADD, operand type: STRING",
        ),
        (
            "SET n = n + :v",
            {"v": {"S": "1"}},
            "Invalid UpdateExpression: Incorrect operand type for operator or function; operator or function: +, "
            "operand type: S",
        ),
        ("SET n = foo(n, :v)", {"v": {"N": "1"}}, "Invalid UpdateExpression: Invalid function name; function: foo"),
        (
            "SET n = if_not_exists(n)",
            {"v": {"N": "1"}},
            "Invalid UpdateExpression: Incorrect number of operands for operator or function; "
            "operator or function: if_not_exists, number of operands: 1",
        ),
        (
            "SET n = if_not_exists(:v, :v)",
            {"v": {"N": "1"}},
            "Invalid UpdateExpression: Operator or function requires a document path; operator or function: if_not_exists",
        ),
        (
            "SET n = :v SET x = :v",
            {"v": {"N": "1"}},
            'Invalid UpdateExpression: The "SET" section can only be used once in an update expression;',
        ),
        ("SET n = ", {"v": {"N": "1"}}, 'Invalid UpdateExpression: Syntax error; token: "<EOF>", near: "= "'),
        (
            "SET name = :v",
            {"v": {"N": "1"}},
            "Invalid UpdateExpression: Attribute name is a reserved keyword; reserved keyword: name",
        ),
        (
            "SET n = :w",
            {"v": {"N": "1"}},
            "Invalid UpdateExpression: An expression attribute value used in expression is not defined; attribute value: :w",
        ),
        (
            "SET n = n + :v",
            {"v": {"N": "1" + "0" * 60}},
            "Attempting to store more than 38 significant digits in a Number",
        ),
    ],
)
def test_invalid_updates_are_refused(table: Table, expression: str, values: dict[str, Any], message: str):
    assert refused(update(table, expression, **values)) == message


def test_updates_calculate_exactly(table: Table):
    table.put({**key("sum"), "n": {"N": "0.3"}})
    request = {"UpdateExpression": "SET n = n - :v", "ReturnValues": "UPDATED_NEW"}
    answer = table.call("UpdateItem", Key=key("sum"), ExpressionAttributeValues={":v": {"N": "0.1"}}, **request)
    assert answer["Attributes"] == {"n": {"N": "0.2"}}


def test_large_numbers_are_compared_exactly(table: Table):
    table.put({**key("exact"), "n": {"N": "0.10000000000000000001"}})
    read = {"FilterExpression": "n > :v", "KeyConditionExpression": "p = :p"}
    values = {":v": {"N": "0.1"}, ":p": {"S": "exact"}}
    assert table.call("Query", ExpressionAttributeValues=values, **read)["Count"] == 1


def test_attributes_are_answered_only_if_there_are_some(table: Table):
    assert table.put(key("new1"), ReturnValues="ALL_OLD") == {}
    assert table.call("DeleteItem", Key=key("new2"), ReturnValues="ALL_OLD") == {}
    values = {":v": {"S": "1"}}
    request = {"UpdateExpression": "SET x = :v", "ExpressionAttributeValues": values, "ReturnValues": "ALL_OLD"}
    assert table.call("UpdateItem", Key=key("new3"), **request) == {}
    assert table.call("UpdateItem", Key=key("new3"), **request)["Attributes"] == {**key("new3"), "x": {"S": "1"}}


def test_a_position_after_a_placeholder_is_projected(table: Table):
    table.put({**key("list"), "items": {"L": [{"S": "first"}, {"S": "second"}]}})
    request = {"ProjectionExpression": "#i[1]", "ExpressionAttributeNames": {"#i": "items"}}
    assert table.call("GetItem", Key=key("list"), **request)["Item"] == {"items": {"L": [{"S": "second"}]}}


def test_binary_keys_of_an_index_are_refused_if_empty(table: Table):
    assert "Type mismatch for Index Key g" in refused(lambda: table.put({**key("a"), "g": binary(b"")}))


def test_billing_modes_are_described_only_on_demand():
    assert "LastUpdateToPayPerRequestDateTime" in Table().created["TableDescription"]["BillingModeSummary"]
    units = {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1}
    provisioned = Table(BillingMode="PROVISIONED", ProvisionedThroughput=units).created["TableDescription"]
    assert "BillingModeSummary" not in provisioned


def test_what_the_backend_does_not_know_is_left_to_localstack(table: Table):
    assert refused(lambda: table.call("UpdateTable", TableClass="STANDARD_INFREQUENT_ACCESS")) == "Nothing to update"
