"""Test batches and transactions, their tokens, PartiQL, and the capacity that requests consume."""
# ruff: noqa: E501 - the messages of DynamoDB

import pickle
from collections.abc import Callable
from typing import Any

import pytest

from dynamodb_backend import RefusedError, Table, key
from embedded_localstack.dynamodb.errors import TokenMismatchError
from embedded_localstack.dynamodb.tokens import is_repeated


@pytest.fixture(scope="module")
def table() -> Table:
    return Table()


def error(call: Callable[[], Any]) -> tuple[str, str]:
    with pytest.raises(RefusedError) as refused:
        call()
    return refused.value.code, str(refused.value)


def puts(*keys: dict[str, Any]) -> dict[str, Any]:
    return {"RequestItems": {"table": [{"PutRequest": {"Item": item}} for item in keys]}}


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (
            {"RequestItems": {}},
            "1 validation error detected: Value '{}' at 'requestItems' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            puts(*(key("b", str(number)) for number in range(26))),
            "1 validation error detected: Value '{table=[...]}' at 'requestItems' failed to satisfy constraint: Map value "
            "must satisfy constraint: [Member must have length less than or equal to 25, Member must have length greater "
            "than or equal to 1]",
        ),
        (puts(key("b"), key("b", "1.0")), "Provided list of item keys contains duplicates"),
        (
            {"RequestItems": {"table": [{"PutRequest": {"Item": key("b")}}, {"DeleteRequest": {"Key": key("b")}}]}},
            "Provided list of item keys contains duplicates",
        ),
        (puts({"p": {"S": "a"}}), "The provided key element does not match the schema"),
        (puts({**key("b"), "x": {"S": "x" * 410_000}}), "Item size has exceeded the maximum allowed size"),
        (
            {"RequestItems": {"table": [{}]}},
            "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes",
        ),
    ],
)
def test_invalid_batches_are_refused(table: Table, request_: dict[str, Any], message: str):
    assert error(lambda: table.call("BatchWriteItem", **request_)) == ("ValidationException", message)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ([key("a"), key("a", "1e0")], "Provided list of item keys contains duplicates"),
        ([{"p": {"S": "a"}}], "The provided key element does not match the schema"),
        (
            [key("a", str(number)) for number in range(101)],
            "1 validation error detected: Value at 'requestItems.table.member.keys' failed to satisfy constraint: "
            "Member must have length less than or equal to 100",
        ),
    ],
)
def test_invalid_reads_are_refused(table: Table, keys: list[dict[str, Any]], message: str):
    request = {"RequestItems": {"table": {"Keys": keys}}}
    assert error(lambda: table.call("BatchGetItem", **request)) == ("ValidationException", message)


def add(p: str, amount: str = "1") -> dict[str, Any]:
    values = {":n": {"N": amount}}
    change = {"UpdateExpression": "ADD n :n", "ExpressionAttributeValues": values}
    return {"Update": {"TableName": "table", "Key": key(p), **change}}


def test_a_transaction_with_a_token_is_made_once(table: Table):
    for _ in range(2):
        assert table.call("TransactWriteItems", TransactItems=[add("once")], ClientRequestToken="token") == {}
    item = table.get("once")
    assert item
    assert item["n"] == {"N": "1"}
    code, _ = error(
        lambda: table.call("TransactWriteItems", TransactItems=[add("once", "2")], ClientRequestToken="token")
    )
    assert code == "IdempotentParameterMismatchException"


def test_a_failed_transaction_does_not_use_its_token(table: Table):
    check = {"TableName": "table", "Key": key("later"), "ConditionExpression": "attribute_exists(p)"}
    request = {"TransactItems": [{"ConditionCheck": check}, add("failed")], "ClientRequestToken": "again"}
    assert error(lambda: table.call("TransactWriteItems", **request))[0] == "TransactionCanceledException"
    table.put(key("later"))
    table.call("TransactWriteItems", **request)
    assert table.get("failed")


def test_tokens_are_saved_with_the_backend(table: Table):
    from moto.dynamodb.models import dynamodb_backends  # noqa: PLC0415 - moto reads the environment when imported

    table.call("TransactWriteItems", TransactItems=[add("saved")], ClientRequestToken="saved")
    backend = pickle.loads(pickle.dumps(dynamodb_backends[table.account]["us-east-1"]))
    assert "saved" in backend.client_request_tokens


def test_tokens_are_forgotten_after_ten_minutes():
    known = {"a": (0.0, "x"), "b": (500.0, "x")}
    assert is_repeated(known, "a", "x", 599)
    with pytest.raises(TokenMismatchError):
        is_repeated(known, "a", "y", 599)
    assert not is_repeated(known, "a", "y", 601)
    assert list(known) == ["b"]


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (
            [],
            "1 validation error detected: Value '[]' at 'transactItems' failed to satisfy constraint: Member must have length greater than or equal to 1",
        ),
        ([add("t"), add("t")], "Transaction request cannot include multiple operations on one item"),
        ([add("t") | {"Delete": {}}], "TransactItems can only contain one of Check, Put, Update or Delete"),
        (
            [add(str(number)) for number in range(101)],
            "1 validation error detected: Value '[...]' at 'transactItems' failed to satisfy constraint: "
            "Member must have length less than or equal to 100",
        ),
    ],
)
def test_invalid_transactions_are_refused(table: Table, actions: list[dict[str, Any]], message: str):
    assert error(lambda: table.call("TransactWriteItems", TransactItems=actions)) == ("ValidationException", message)


def test_a_transaction_reads_a_hundred_items(table: Table):
    reads = [{"Get": {"TableName": "table", "Key": key("r", str(number))}} for number in range(100)]
    assert table.call("TransactGetItems", TransactItems=reads)["Responses"] == [{}] * 100


def test_capacity_and_metrics_are_answered_only_if_asked_for(table: Table):
    table.put(key("c"))
    keys = {"RequestItems": {"table": {"Keys": [key("c")]}}}
    answers = [
        table.put(key("c")),
        table.call("DeleteItem", Key=key("c")),
        table.call("UpdateItem", Key=key("c")),
        table.call("BatchWriteItem", **puts(key("c"))),
        table.call("BatchGetItem", **keys),
        table.call("TransactWriteItems", TransactItems=[add("c2")]),
    ]
    fields = {field for answer in answers for field in answer}
    assert fields == {"UnprocessedItems", "UnprocessedKeys", "Responses"}
    metrics = table.put(key("c"), ReturnItemCollectionMetrics="SIZE")["ItemCollectionMetrics"]
    assert metrics == {"ItemCollectionKey": {"p": {"S": "c"}}, "SizeEstimateRangeGB": [0.0, 1.0]}


def units(answer: dict[str, Any]) -> Any:
    consumed = answer["ConsumedCapacity"]
    return consumed[0]["CapacityUnits"] if isinstance(consumed, list) else consumed["CapacityUnits"]


def test_capacity_follows_the_size_of_items():
    table = Table()
    asked = {"ReturnConsumedCapacity": "TOTAL"}
    large = {**key("a"), "x": {"S": "x" * 10_000}}
    assert units(table.put(large, **asked)) == 10
    assert units(table.put(key("a"), **asked)) == 10  # the larger of the old and the new item
    table.put(large)
    assert units(table.call("GetItem", Key=key("a"), **asked)) == 1.5
    assert units(table.call("GetItem", Key=key("a"), ConsistentRead=True, **asked)) == 3
    assert units(table.call("GetItem", Key=key("none"), **asked)) == 0.5
    query = {"KeyConditionExpression": "p = :p", "ExpressionAttributeValues": {":p": {"S": "a"}, ":z": {"S": "z"}}}
    assert units(table.call("Query", FilterExpression="x = :z", **query, **asked)) == 1.5
    assert units(table.call("Scan", **asked)) == 1.5
    assert units(table.call("BatchGetItem", RequestItems={"table": {"Keys": [key("a")]}}, **asked)) == 1.5
    assert units(table.call("TransactWriteItems", TransactItems=[add("a")], **asked)) == 20
    assert units(table.call("BatchWriteItem", **puts(key("b"), key("c")), **asked)) == 2
    assert units(table.call("DeleteItem", Key=key("a"), **asked)) == 10


def test_indexes_have_their_share_of_the_capacity(table: Table):
    item = {**key("index"), "g": {"S": "G"}, "x": {"S": "x" * 3000}}
    consumed = table.put(item, ReturnConsumedCapacity="INDEXES")["ConsumedCapacity"]
    indexes = {"by-g": {"CapacityUnits": 1.0}}
    expected = {"CapacityUnits": 4.0, "Table": {"CapacityUnits": 3.0}, "GlobalSecondaryIndexes": indexes}
    assert consumed == {"TableName": "table"} | expected
    assert units(table.put({**item, "x": {"S": "y"}}, ReturnConsumedCapacity="TOTAL")) == 3  # the index did not change


@pytest.mark.parametrize(
    ("statement", "items"),
    [
        ("SELECT * FROM \"table\" WHERE p='pq'", [{**key("pq"), "m": {"M": {"a": {"L": [{"N": "1"}, {"S": "b"}]}}}}]),
        ('SELECT m.a[1] FROM "table" WHERE p=\'pq\' AND s=1', [{"m": {"M": {"a": {"L": [{"S": "b"}]}}}}]),
        ("SELECT p FROM table WHERE p = 'pq' AND s IN [1, 2] AND x IS MISSING", [{"p": {"S": "pq"}}]),
        ("SELECT p FROM table WHERE begins_with(p, 'pq') AND NOT (s > 1)", [{"p": {"S": "pq"}}]),
        ("UPDATE table SET x = 1 SET m.a = list_append(m.a, ['c']) WHERE p='pq' AND s=1 RETURNING MODIFIED NEW *",
         [{"x": {"N": "1"}, "m": {"M": {"a": {"L": [{"N": "1"}, {"S": "b"}, {"S": "c"}]}}}}]),
        ("UPDATE table SET x = x -1 REMOVE m WHERE p='pq' AND s=1 RETURNING ALL OLD *",
         [{**key("pq"), "x": {"N": "1"}, "m": {"M": {"a": {"L": [{"N": "1"}, {"S": "b"}, {"S": "c"}]}}}}]),
        ("DELETE FROM table WHERE p='pq' AND s=1 RETURNING ALL OLD *", [{**key("pq"), "x": {"N": "0"}}]),
        ("DELETE FROM table WHERE p='pq' AND s=1", []),
    ],
    ids=lambda value: value[:40] if isinstance(value, str) else "",
)  # fmt: skip
def test_statements_are_executed(statements: Table, statement: str, items: list[dict[str, Any]]):
    assert statements.call("ExecuteStatement", Statement=statement)["Items"] == items


@pytest.fixture(scope="module")
def statements() -> Table:
    table = Table()
    table.call("ExecuteStatement", Statement="INSERT INTO \"table\" VALUE {'p':'pq','s':1.0,'m':{'a':[1,'b']}}")
    return table


def test_statements_take_parameters(table: Table):
    insert = "INSERT INTO table VALUE {'p': ?, 's': ?, 'colors': <<'red', 'blue'>>}"
    parameters = [{"S": "o'clock"}, {"N": "1"}]
    table.call("ExecuteStatement", Statement=insert, Parameters=parameters)
    assert table.get("o'clock") == {**key("o'clock"), "colors": {"SS": ["red", "blue"]}}
    duplicate = "DuplicateItemException", "Duplicate primary key exists in table"
    assert error(lambda: table.call("ExecuteStatement", Statement=insert, Parameters=parameters)) == duplicate
    assert error(lambda: table.call("ExecuteStatement", Statement=insert))[0] == "ValidationException"


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("SELEC", "ValidationException"),
        ("SELECT * FROM table WHERE", "ValidationException"),
        ("SELECT * FROM elsewhere", "ResourceNotFoundException"),
        ("DELETE FROM table WHERE p='pq'", "ValidationException"),
        ("UPDATE table SET x = 1 WHERE p='none' AND s=1", "ConditionalCheckFailedException"),
    ],
)
def test_invalid_statements_are_refused(table: Table, statement: str, code: str):
    assert error(lambda: table.call("ExecuteStatement", Statement=statement))[0] == code


def test_a_transaction_of_statements_is_all_or_nothing(table: Table):
    table.put(key("there"))
    inserts = [{"Statement": f"INSERT INTO table VALUE {{'p':'{p}','s':1}}"} for p in ("not there", "there")]
    with pytest.raises(RefusedError) as refused:
        table.call("ExecuteTransaction", TransactStatements=inserts)
    assert [reason["Code"] for reason in refused.value.body["CancellationReasons"]] == ["None", "DuplicateItem"]
    assert table.get("not there") is None
    answers = table.call("BatchExecuteStatement", Statements=inserts)["Responses"]
    assert ["Error" in answer for answer in answers] == [False, True]
