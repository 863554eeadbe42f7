"""Test which permissions the operations on tables and streams need."""

import base64
from typing import Any

import pytest

from actions import ACCOUNT, REGION, TABLE, Cases, keys, needed
from embedded_localstack.iam.request import UnmappedError

CASES: Cases = [
    (
        "dynamodb",
        "CreateTable",
        {"TableName": "t", "Tags": [{"Key": "a"}]},
        [(f"dynamodb:{action}", f"{TABLE}/t") for action in ("CreateTable", "TagResource")],
    ),
    ("dynamodb", "PutItem", {"TableName": "t", "Item": {"id": {"S": "1"}}}, [("dynamodb:PutItem", f"{TABLE}/t")]),
    ("dynamodb", "GetItem", {"TableName": f"{TABLE}/t", "Key": {}}, [("dynamodb:GetItem", f"{TABLE}/t")]),
    ("dynamodb", "Query", {"TableName": "u", "IndexName": "i"}, [("dynamodb:Query", f"{TABLE}/u/index/i")]),
    ("dynamodb", "Scan", {"TableName": "t"}, [("dynamodb:Scan", f"{TABLE}/t")]),
    (
        "dynamodb",
        "BatchWriteItem",
        {"RequestItems": {"t": [{"PutRequest": {"Item": {"id": {"S": "1"}}}}], "u": [{"DeleteRequest": {"Key": {}}}]}},
        [("dynamodb:BatchWriteItem", f"{TABLE}/t"), ("dynamodb:BatchWriteItem", f"{TABLE}/u")],
    ),
    (
        "dynamodb",
        "TransactWriteItems",
        {
            "TransactItems": [
                {"Put": {"TableName": "t", "Item": {}}},
                {"Update": {"TableName": "u", "Key": {}}},
                {"ConditionCheck": {"TableName": "t", "Key": {}}},
            ]
        },
        [
            ("dynamodb:PutItem", f"{TABLE}/t"),
            ("dynamodb:UpdateItem", f"{TABLE}/u"),
            ("dynamodb:ConditionCheckItem", f"{TABLE}/t"),
        ],
    ),
    ("dynamodb", "UpdateTimeToLive", {"TableName": "t"}, [("dynamodb:UpdateTimeToLive", f"{TABLE}/t")]),
    (
        "dynamodbstreams",
        "GetRecords",
        {"ShardIterator": f"{TABLE}/t/stream/1|x"},
        [("dynamodb:GetRecords", f"{TABLE}/t/stream/1")],
    ),
    ("dynamodbstreams", "ListStreams", {}, [("dynamodb:ListStreams", "*")]),
    ("dynamodbstreams", "ListStreams", {"TableName": "t"}, [("dynamodb:ListStreams", f"{TABLE}/t/stream/*")]),
    (
        "kinesis",
        "PutRecords",
        {"StreamName": "s"},
        [("kinesis:PutRecords", f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream/s")],
    ),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_operations_need_their_permissions(
    service: str, operation: str, params: dict[str, Any], expected: list[tuple[str, str]]
):
    assert needed(service, operation, **params) == expected


def test_requests_have_their_condition_keys():
    assert keys("dynamodb", "GetItem", TableName="t", Key={"id": {"S": "1"}}) == {"dynamodb:leadingkeys": ["1"]}
    assert keys("dynamodb", "GetItem", TableName="other", Key={"id": {"S": "1"}}) == {}


ONE = {"ExpressionAttributeValues": {":v": {"S": "1"}, ":w": {"S": "2"}}}
PARTITIONS: list[tuple[str, dict[str, Any]]] = [
    ("by its name", {"KeyConditionExpression": "id = :v"}),
    ("without blanks", {"KeyConditionExpression": "id=:v"}),
    ("by another name", {"KeyConditionExpression": "#k = :v", "ExpressionAttributeNames": {"#k": "id"}}),
    (
        "as boto3 writes it",
        {"KeyConditionExpression": "(#n0 = :v AND begins_with(at, :w))", "ExpressionAttributeNames": {"#n0": "id"}},
    ),
    ("after the sort key", {"KeyConditionExpression": "at >= :w and id = :v"}),
    ("in the older form", {"KeyConditions": {"id": {"AttributeValueList": [{"S": "1"}], "ComparisonOperator": "EQ"}}}),
    ("of an index", {"IndexName": "i", "KeyConditionExpression": "id = :w AND owner = :v"}),
]


@pytest.mark.parametrize("params", [params for _, params in PARTITIONS], ids=[name for name, _ in PARTITIONS])
def test_the_leading_key_of_a_query_is_its_partition_key(params: dict[str, Any]):
    assert keys("dynamodb", "Query", TableName="t", **ONE, **params) == {"dynamodb:leadingkeys": ["1"]}


@pytest.mark.parametrize("expression", ["", "id = 1", "id = :absent", "id = :v AND id = 2", ":v = id", "at = :v"])
@pytest.mark.parametrize("index", [{}, {"IndexName": "unknown"}])
def test_a_query_of_unknown_partition_is_refused(expression: str, index: dict[str, str]):
    with pytest.raises(UnmappedError, match=r"the partition that a Query of .*table/t.* reads is not clear"):
        keys("dynamodb", "Query", TableName="t", KeyConditionExpression=expression, **ONE, **index)


def test_an_iterator_reads_from_its_own_stream():
    iterator, by_arn = (base64.b64encode(name + b":shardId-000000000000:0").decode() for name in (b"mine", b"None"))
    arn = f"arn:aws:kinesis:{REGION}:{ACCOUNT}:stream"
    expected = [("kinesis:GetRecords", f"{arn}/mine")]
    assert needed("kinesis", "GetRecords", ShardIterator=iterator, StreamARN=f"{arn}/other") == expected
    assert needed("kinesis", "GetRecords", ShardIterator=by_arn, StreamARN=f"{arn}/mine") == expected


ROW = f"{TABLE}/t"


@pytest.mark.parametrize(
    ("statement", "expected", "condition_keys"),
    [
        ('SELECT * FROM "t"', ("Select", ROW), {"dynamodb:fulltablescan": "true"}),
        ("SELECT * FROM t WHERE id <> 'a'", ("Select", ROW), {"dynamodb:fulltablescan": "true"}),
        ("SELECT * FROM t WHERE id = 'a' OR size = 1", ("Select", ROW), {"dynamodb:fulltablescan": "true"}),
        (
            "SELECT a FROM t WHERE size > 1 AND id = 'a'",
            ("Select", ROW),
            {"dynamodb:leadingkeys": ["a"], "dynamodb:fulltablescan": "false"},
        ),
        (
            "SELECT a FROM t WHERE id IN ['a', 'b'] OR id = 'c'",
            ("Select", ROW),
            {"dynamodb:leadingkeys": ["a", "b", "c"], "dynamodb:fulltablescan": "false"},
        ),
        (
            'SELECT * FROM "t"."i" WHERE owner = ?',
            ("Select", f"{ROW}/index/i"),
            {"dynamodb:leadingkeys": ["p"], "dynamodb:fulltablescan": "false"},
        ),
        ("INSERT INTO t VALUE {'id': 'a'}", ("Insert", ROW), {"dynamodb:leadingkeys": ["a"]}),
        ("UPDATE t SET n = 1 WHERE id = 'a'", ("Update", ROW), {"dynamodb:leadingkeys": ["a"]}),
        ("DELETE FROM t WHERE id = 'a'", ("Delete", ROW), {"dynamodb:leadingkeys": ["a"]}),
        ("SELECT * FROM missing", ("Select", f"{TABLE}/missing"), {}),
    ],
)
def test_statements_of_partiql_need_their_permissions(
    statement: str, expected: tuple[str, str], condition_keys: dict[str, Any]
):
    asked = {"Statement": statement, "Parameters": [{"S": "p"}] * statement.count("?")}
    permission = [(f"dynamodb:PartiQL{expected[0]}", expected[1])]
    assert needed("dynamodb", "ExecuteStatement", **asked) == permission
    assert keys("dynamodb", "ExecuteStatement", **asked) == condition_keys
    assert needed("dynamodb", "BatchExecuteStatement", Statements=[asked, asked]) == permission * 2
    assert needed("dynamodb", "ExecuteTransaction", TransactStatements=[asked]) == permission


def test_a_statement_that_cannot_be_read_is_refused():
    with pytest.raises(UnmappedError, match="permissions of a PartiQL statement can't be worked out"):
        needed("dynamodb", "ExecuteStatement", Statement="DROP TABLE t")
