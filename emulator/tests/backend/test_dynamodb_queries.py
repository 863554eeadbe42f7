"""Test which queries, scans and conditions DynamoDB accepts, what they find, and DynamoDB's error messages."""
# ruff: noqa: E501 - the messages of DynamoDB

from typing import Any

import pytest

from dynamodb_backend import RefusedError, Table, key

KEYS = "Invalid KeyConditionExpression: "
FILTER = "Invalid FilterExpression: "
INVALID = "One or more parameter values were invalid: "


@pytest.fixture(scope="module")
def table() -> Table:
    table = Table()
    table.put({**key("a"), "n": {"N": "5"}, "t": {"S": "text"}, "set": {"NS": ["1", "2"]}, "yes": {"BOOL": True}})
    table.put({**key("a", "2"), "g": {"S": "G"}, "list": {"L": [{"N": "1"}, {"M": {"x": {"S": "y"}}}]}})
    return table


def values(**given: Any) -> dict[str, Any]:
    """Return DynamoDB values: a number for an int, and a string for a str."""
    return {f":{name}": {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in given.items()}


def refused(table: Table, operation: str, request: dict[str, Any]) -> str:
    with pytest.raises(RefusedError) as error:
        table.call(operation, **request)
    assert error.value.code == "ValidationException"
    return str(error.value)


@pytest.mark.parametrize(
    ("expression", "given", "message"),
    [
        ("s = :s", {"s": 1}, "Query condition missed key schema element: p"),
        ("p > :p", {"p": "a"}, "Query key condition not supported"),
        ("p = :p", {"p": 1}, f"{INVALID}Condition parameter type does not match schema type"),
        ("p = :p AND n = :n", {"p": "a", "n": 1}, "Query condition missed key schema element: s"),
        ("p = :p OR s = :s", {"p": "a", "s": 1}, "Invalid operator used in KeyConditionExpression: OR"),
        ("p = :p AND s <> :s", {"p": "a", "s": 1}, "Invalid operator used in KeyConditionExpression: <>"),
        ("p = :p AND contains(s, :s)", {"p": "a", "s": 1}, "Invalid operator used in KeyConditionExpression: contains"),
        ("p = :p AND p = :p", {"p": "a"}, "KeyConditionExpressions must only contain one condition per key"),
        (
            "p = :p AND s.a = :s",
            {"p": "a", "s": 1},
            "KeyConditionExpressions cannot have conditions on nested attributes",
        ),
        ("p = :p AND size(s) = :s", {"p": "a", "s": 1}, "KeyConditionExpressions cannot contain nested operations"),
        (
            "p = :p AND begins_with(s, :s)",
            {"p": "a", "s": 1},
            f"{KEYS}Incorrect operand type for operator or function; operator or function: begins_with, operand type: N",
        ),
        (
            "p = :p AND s BETWEEN :b AND :a",
            {"p": "a", "a": 1, "b": 5},
            f"{KEYS}The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
            "lower bound operand: AttributeValue: {N:5}, upper bound operand: AttributeValue: {N:1}",
        ),
        (
            "p = :q",
            {"q": "a", "w": "b"},
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}",
        ),
        (
            "p = :x",
            {"p": "a"},
            f"{KEYS}An expression attribute value used in expression is not defined; attribute value: :x",
        ),
        (" ", {"p": "a"}, f"{KEYS}The expression can not be empty;"),
    ],
)
def test_invalid_key_conditions_are_refused(table: Table, expression: str, given: dict[str, Any], message: str):
    request = {"KeyConditionExpression": expression, "ExpressionAttributeValues": values(**given)}
    assert refused(table, "Query", request) == message


MANY = ", ".join(f":v{number}" for number in range(101))


@pytest.mark.parametrize(
    ("expression", "given", "message"),
    [
        ("status = :v", {"v": 1}, f"{FILTER}Attribute name is a reserved keyword; reserved keyword: status"),
        ("size > :v", {"v": 1}, f"{FILTER}Attribute name is a reserved keyword; reserved keyword: size"),
        (
            "#q = :v",
            {"v": 1},
            f"{FILTER}An expression attribute name used in the document path is not defined; attribute name: #q",
        ),
        ("foo(n, :v)", {"v": 1}, f"{FILTER}Invalid function name; function: foo"),
        (
            "contains(n, :v, :v)",
            {"v": 1},
            f"{FILTER}Incorrect number of operands for operator or function; operator or function: contains, "
            "number of operands: 3",
        ),
        (
            "attribute_exists(:v)",
            {"v": 1},
            f"{FILTER}Operator or function requires a document path; operator or function: attribute_exists",
        ),
        (
            "begins_with(n, :v) = :v",
            {"v": 1},
            f"{FILTER}The function is not allowed to be used this way in an expression; function: begins_with",
        ),
        (
            "size(:v) > :v",
            {"v": 1},
            f"{FILTER}Incorrect operand type for operator or function; operator or function: size, operand type: N",
        ),
        (
            "attribute_type(n, :v)",
            {"v": "X"},
            f"{FILTER}Invalid attribute type name found; type: X, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}",
        ),
        (
            "n = n AND n = :v",
            {"v": 1},
            f"{FILTER}The first operand must be distinct from the remaining operands for this operator or function; "
            "operator: =, first operand: [n]",
        ),
        ("((n = :v))", {"v": 1}, f"{FILTER}The expression has redundant parentheses;"),
        (
            f"n IN ({MANY})",
            {f"v{number}": number for number in range(101)},
            f"{FILTER}The IN operator is provided with too many operands; number of operands: 101",
        ),
        (
            " OR ".join(["n = :v"] * 302),
            {"v": 1},
            f"{FILTER}The expression contains too many operators; operator count: 301",
        ),
        (
            "n = :v OR " * 500 + "n = :v",
            {"v": 1},
            f"{FILTER}Expression size has exceeded the maximum allowed size; expression size: 5006",
        ),
        ("n = :v)", {"v": 1}, f'{FILTER}Syntax error; token: ")", near: ":v)"'),
        (
            "s.a = :v",
            {"v": 1},
            "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: s",
        ),
    ],
)
def test_invalid_filters_are_refused(table: Table, expression: str, given: dict[str, Any], message: str):
    request = {"FilterExpression": expression, "ExpressionAttributeValues": values(**given)}
    assert refused(table, "Scan", request) == message


QUERY = {"KeyConditionExpression": "p = :p", "ExpressionAttributeValues": values(p="a")}


@pytest.mark.parametrize(
    ("operation", "request_", "message"),
    [
        (
            "Scan",
            {"Limit": 0},
            "1 validation error detected: Value '0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
        ),
        (
            "Scan",
            {"ExclusiveStartKey": {"p": {"S": "a"}}},
            "The provided starting key is invalid: The provided key element does not match the schema",
        ),
        ("Scan", {"IndexName": "nope"}, "The table does not have the specified index: nope"),
        (
            "Scan",
            {"ExpressionAttributeNames": {"#a": "a"}},
            "ExpressionAttributeNames can only be specified when using expressions",
        ),
        ("Query", QUERY | {"ExclusiveStartKey": {"p": {"S": "a"}}}, "The provided starting key is invalid"),
        (
            "Query",
            QUERY | {"ExclusiveStartKey": key("b")},
            "The provided starting key is outside query boundaries based on provided conditions",
        ),
        ("Query", QUERY | {"IndexName": "nope"}, "The table does not have the specified index: nope"),
        (
            "Query",
            QUERY | {"IndexName": "by-g", "ConsistentRead": True},
            "Consistent reads are not supported on global secondary indexes",
        ),
        (
            "Query",
            QUERY | {"FilterExpression": "s = :p"},
            "Filter Expression can only contain non-primary key attributes: Primary key attribute: s",
        ),
        ("Query", {}, "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."),
        (
            "Query",
            QUERY | {"QueryFilter": {}},
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {QueryFilter} Expression parameters: {KeyConditionExpression}",
        ),
        (
            "PutItem",
            {
                "Item": key("x"),
                "ConditionExpression": "attribute_exists(p)",
                "ExpressionAttributeValues": values(w="1"),
            },
            "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}",
        ),
        (
            "PutItem",
            {"Item": key("x"), "ConditionExpression": "attribute_exists(p)", "ExpressionAttributeNames": {"w": "1"}},
            'ExpressionAttributeNames contains invalid key: Syntax error; key: "w"',
        ),
        (
            "PutItem",
            {
                "Item": key("x"),
                "ConditionExpression": "p = :v",
                "ExpressionAttributeValues": {":v": {"NS": ["1", "1"]}},
            },
            "ExpressionAttributeValues contains invalid value: Input collection contains duplicates for key :v",
        ),
    ],
)
def test_invalid_requests_are_refused(table: Table, operation: str, request_: dict[str, Any], message: str):
    assert refused(table, operation, request_) == message


@pytest.mark.parametrize(
    ("expression", "given", "sort_keys"),
    [
        ("n = :v", {"v": 5}, ["1"]),
        ("n = :v", {"v": "5"}, []),
        ("n > :v", {"v": "5"}, []),
        ("n <> :v", {"v": 5}, ["2"]),
        ("n BETWEEN :v AND :w", {"v": 5, "w": 6}, ["1"]),
        ("n IN (:v, :w)", {"v": 4, "w": 5}, ["1"]),
        ("NOT n = :v", {"v": 5}, ["2"]),
        ("(n = :v OR g = :w) AND attribute_not_exists(t)", {"v": 5, "w": "G"}, ["2"]),
        ("begins_with(t, :v)", {"v": "te"}, ["1"]),
        ("contains(t, :v)", {"v": "ex"}, ["1"]),
        ("contains(#set, :v)", {"v": 2}, ["1"]),
        ("contains(#list, :v)", {"v": 1}, ["2"]),
        ("#list[1].x = :v", {"v": "y"}, ["2"]),
        ("#list[7].x = :v", {"v": "y"}, []),
        ("size(t) = :v", {"v": 4}, ["1"]),
        ("size(gone) > :v", {"v": 0}, []),
        ("attribute_type(n, :v)", {"v": "N"}, ["1"]),
        ("yes = :v", {"v": 1}, []),
        ("(t) = (:v)", {"v": "text"}, ["1"]),
    ],
)
def test_conditions_hold_for_the_right_items(
    table: Table, expression: str, given: dict[str, Any], sort_keys: list[str]
):
    names = {name: name[1:] for name in ("#set", "#list") if name in expression}
    request = {"ExpressionAttributeNames": names} if names else {}
    found = table.call("Scan", FilterExpression=expression, ExpressionAttributeValues=values(**given), **request)
    assert [item["s"]["N"] for item in found["Items"]] == sort_keys


def test_a_query_continues_at_its_start_key(table: Table):
    page = table.call("Query", Limit=1, **QUERY)
    assert page["LastEvaluatedKey"] == key("a")
    assert table.call("Query", ExclusiveStartKey=page["LastEvaluatedKey"], **QUERY)["Items"][0]["s"] == {"N": "2"}
