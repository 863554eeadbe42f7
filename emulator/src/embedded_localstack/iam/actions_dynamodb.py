"""Permissions that operations of DynamoDB and DynamoDB Streams need.

The condition key dynamodb:LeadingKeys contains the partition keys of the items that a request reads or writes.
"""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

import re
from collections.abc import Iterable, Mapping
from typing import Any

from embedded_localstack.iam.actions_partiql import PARTIQL
from embedded_localstack.iam.request import Check, Request, Row, UnmappedError, anything, each, needs, text

_EQUAL = re.compile(r"([#\w.-]+)\s*=\s*([^\s()]+)")


def _table_arn(request: Request, name: Any) -> str:
    table = text(name) or "*"
    return table if table.startswith("arn:") else request.arn("dynamodb", f"table/{table}")


def _table(request: Request) -> str:
    return _table_arn(request, request.params.get("TableName"))


def _leading_keys(request: Request, arn: str, items: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    name = request.facts.hash_key(arn)
    values = [next(iter(item[name].values())) for item in items if name and name in item and item[name]]
    return {"dynamodb:leadingkeys": [text(value) for value in values]} if values else {}


def _item(action: str) -> Row:
    def row(request: Request) -> list[Check]:
        arn = _table(request)
        item = request.params.get("Key") or request.params.get("Item") or {}
        return [Check(action, arn, _leading_keys(request, arn, [item]))]

    return row


def _read_many(request: Request) -> str:
    """Return the ARN that Query and Scan need: the index if the request names one, otherwise the table."""
    index = request.params.get("IndexName")
    return f"{_table(request)}/index/{index}" if index else _table(request)


def _queried_partition(request: Request) -> dict[str, list[str]]:
    """Return the partition that a Query reads, as dynamodb:LeadingKeys.

    Without this key, a policy that uses ForAllValues on leading keys would allow every query.
    """
    params = request.params
    name = request.facts.hash_key(_table(request), params.get("IndexName"))
    values = [*_equal_in_expression(params, name), *_equal_in_conditions(params, name)]
    if name and values and all(values):
        return {"dynamodb:leadingkeys": [text(next(iter(value.values()))) for value in values]}
    if request.facts.hash_key(_table(request)) is None:
        return {}  # the table does not exist; DynamoDB reports it
    raise UnmappedError(
        f"the partition that a Query of {_read_many(request)} reads is not clear: write its key as NAME = :VALUE"
    )


def _equal_in_expression(params: Mapping[str, Any], name: str | None) -> list[Any]:
    """Return the values that KeyConditionExpression compares an attribute with.

    The list contains None for each operand that is not in ExpressionAttributeValues.
    """
    names, values = params.get("ExpressionAttributeNames") or {}, params.get("ExpressionAttributeValues") or {}
    comparisons = _EQUAL.findall(text(params.get("KeyConditionExpression")))
    return [values.get(operand) for attribute, operand in comparisons if names.get(attribute, attribute) == name]


def _equal_in_conditions(params: Mapping[str, Any], name: str | None) -> list[Any]:
    """Return the values that KeyConditions, the older parameter, compares an attribute with."""
    condition = (params.get("KeyConditions") or {}).get(name)
    return list(condition.get("AttributeValueList") or [None]) if condition else []


def _batch_get(request: Request) -> list[Check]:
    checks = []
    for table, part in (request.params.get("RequestItems") or {}).items():
        arn = _table_arn(request, table)
        checks.append(Check("dynamodb:BatchGetItem", arn, _leading_keys(request, arn, part.get("Keys") or [])))
    return checks or [Check("dynamodb:BatchGetItem", _table_arn(request, None))]


def _batch_write(request: Request) -> list[Check]:
    checks = []
    for table, entries in (request.params.get("RequestItems") or {}).items():
        arn = _table_arn(request, table)
        items = [entry[kind].get("Item") or entry[kind].get("Key") for entry in entries for kind in entry]
        checks.append(Check("dynamodb:BatchWriteItem", arn, _leading_keys(request, arn, items)))
    return checks or [Check("dynamodb:BatchWriteItem", _table_arn(request, None))]


_TRANSACTED = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Get": "dynamodb:GetItem",
}


def _transaction(request: Request) -> list[Check]:
    """Return the permissions for the parts of a transaction. IAM has no action for a transaction itself."""
    checks = []
    for entry in request.params.get("TransactItems") or []:
        for kind, part in entry.items():
            arn = _table_arn(request, part.get("TableName"))
            checks.append(
                Check(_TRANSACTED[kind], arn, _leading_keys(request, arn, [part.get("Key") or part.get("Item") or {}]))
            )
    return checks or [Check("dynamodb:GetItem", _table_arn(request, None))]


DYNAMODB: dict[str, Row] = (
    {operation: _item(f"dynamodb:{operation}") for operation in ("GetItem", "PutItem", "UpdateItem", "DeleteItem")}
    | {"Query": needs("dynamodb:Query", _read_many, _queried_partition), "Scan": needs("dynamodb:Scan", _read_many)}
    | each(
        "dynamodb",
        "DescribeTable DescribeTimeToLive DescribeContinuousBackups CreateTable UpdateTable DeleteTable".split(),
        _table,
    )
    | {
        "BatchGetItem": _batch_get,
        "BatchWriteItem": _batch_write,
        "TransactGetItems": _transaction,
        "TransactWriteItems": _transaction,
        "ListTables": needs("dynamodb:ListTables", anything),
    }
    | PARTIQL
)


def _stream(request: Request) -> str:
    params = request.params
    if params.get("StreamArn"):
        return text(params["StreamArn"])
    # An iterator of DynamoDB Streams begins with the ARN of its stream.
    arn, bar, _ = text(params.get("ShardIterator")).partition("|")
    return arn if bar else request.arn("dynamodb", "table/*/stream/*")


def _listed(request: Request) -> str:
    table = request.params.get("TableName")
    return f"{_table(request)}/stream/*" if table else "*"


STREAMS: dict[str, Row] = each("dynamodb", ["DescribeStream", "GetRecords", "GetShardIterator"], _stream) | {
    "ListStreams": needs("dynamodb:ListStreams", _listed)
}
