"""DynamoDB and its streams. Partition keys of items are given as dynamodb:LeadingKeys."""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

import re
from collections.abc import Iterable, Mapping
from typing import Any

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
    """Query and Scan of an index need the permission on the index, and only there."""
    index = request.params.get("IndexName")
    return f"{_table(request)}/index/{index}" if index else _table(request)


def _queried_partition(request: Request) -> dict[str, list[str]]:
    """A Query reads one partition.

    Were its key left out, a policy for all leading keys (ForAllValues) would let every query through.
    """
    params = request.params
    name = request.facts.hash_key(_table(request), params.get("IndexName"))
    values = [*_equal_in_expression(params, name), *_equal_in_conditions(params, name)]
    if name and values and all(values):
        return {"dynamodb:leadingkeys": [text(next(iter(value.values()))) for value in values]}
    if request.facts.hash_key(_table(request)) is None:
        return {}  # there is no such table, as DynamoDB will say
    raise UnmappedError(
        f"the partition that a Query of {_read_many(request)} reads cannot be told: write its key as NAME = :VALUE"
    )


def _equal_in_expression(params: Mapping[str, Any], name: str | None) -> list[Any]:
    """What KeyConditionExpression says that the attribute equals; None for what is no value of the request."""
    names, values = params.get("ExpressionAttributeNames") or {}, params.get("ExpressionAttributeValues") or {}
    found = _EQUAL.findall(text(params.get("KeyConditionExpression")))
    return [values.get(operand) for attribute, operand in found if names.get(attribute, attribute) == name]


def _equal_in_conditions(params: Mapping[str, Any], name: str | None) -> list[Any]:
    """The same in the older form."""
    condition = (params.get("KeyConditions") or {}).get(name)
    return list(condition.get("AttributeValueList") or [None]) if condition else []


def _batch_get(request: Request) -> list[Check]:
    found = []
    for table, part in (request.params.get("RequestItems") or {}).items():
        arn = _table_arn(request, table)
        found.append(Check("dynamodb:BatchGetItem", arn, _leading_keys(request, arn, part.get("Keys") or [])))
    return found or [Check("dynamodb:BatchGetItem", _table_arn(request, None))]


def _batch_write(request: Request) -> list[Check]:
    found = []
    for table, entries in (request.params.get("RequestItems") or {}).items():
        arn = _table_arn(request, table)
        items = [entry[kind].get("Item") or entry[kind].get("Key") for entry in entries for kind in entry]
        found.append(Check("dynamodb:BatchWriteItem", arn, _leading_keys(request, arn, items)))
    return found or [Check("dynamodb:BatchWriteItem", _table_arn(request, None))]


_TRANSACTED = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
    "Get": "dynamodb:GetItem",
}


def _transaction(request: Request) -> list[Check]:
    """A transaction needs what its parts need; there is no action for it as a whole."""
    found = []
    for entry in request.params.get("TransactItems") or []:
        for kind, part in entry.items():
            arn = _table_arn(request, part.get("TableName"))
            found.append(
                Check(_TRANSACTED[kind], arn, _leading_keys(request, arn, [part.get("Key") or part.get("Item") or {}]))
            )
    return found or [Check("dynamodb:GetItem", _table_arn(request, None))]


def _partiql(request: Request) -> list[Check]:
    raise UnmappedError(
        f"dynamodb:{request.operation} is refused: the permissions of a PartiQL statement are not worked out; use the "
        f"item API"
    )


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
        "ExecuteStatement": _partiql,
        "BatchExecuteStatement": _partiql,
        "ExecuteTransaction": _partiql,
    }
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
