"""Check requests for single items, queries and scans. The checks also normalize the numbers in a request."""

from collections.abc import Callable, Mapping
from typing import Any

from embedded_localstack.dynamodb import key_conditions
from embedded_localstack.dynamodb.errors import InvalidRequestError, broken_constraint
from embedded_localstack.dynamodb.expressions import Expressions, Paths
from embedded_localstack.dynamodb.schema import (
    Index,
    Schema,
    check_changes,
    check_index_keys,
    check_item,
    check_key,
    check_paths,
)
from embedded_localstack.dynamodb.values import normalize, normalize_item, type_of

Request = dict[str, Any]
_START = "The provided starting key is invalid"
_OLD = {
    "put_item": ("Expected", "ConditionalOperator"),
    "delete_item": ("Expected", "ConditionalOperator"),
    "update_item": ("AttributeUpdates", "Expected", "ConditionalOperator"),
    "get_item": ("AttributesToGet",),
    "query": ("AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"),
    "scan": ("AttributesToGet", "ScanFilter", "ConditionalOperator"),
}
_NEW = {
    "put_item": ("ConditionExpression",),
    "delete_item": ("ConditionExpression",),
    "update_item": ("UpdateExpression", "ConditionExpression"),
    "get_item": ("ProjectionExpression",),
    "query": ("ProjectionExpression", "FilterExpression", "KeyConditionExpression"),
    "scan": ("ProjectionExpression", "FilterExpression"),
}


def expressions(request: Request, operation: str) -> Expressions:
    """Return the expressions of a request.

    Raises:
        InvalidRequestError: the request also has the older parameters, or a name or value is invalid.
    """
    present = [parameter for parameter in _NEW[operation] if request.get(parameter) is not None]
    older = [parameter for parameter in _OLD[operation] if request.get(parameter) is not None]
    if present and older and not ("KeyConditions" in older and "KeyConditionExpression" not in present):
        raise InvalidRequestError(
            "Can not use both expression and non-expression parameters in the same request: "
            f"Non-expression parameters: {{{', '.join(older)}}} Expression parameters: {{{', '.join(present)}}}"
        )
    return Expressions(request, _NEW[operation])


def put_item(request: Request, table: Schema) -> None:
    """Check a PutItem request.

    Raises:
        InvalidRequestError: DynamoDB refuses it.
    """
    normalize_item(request["Item"])
    _check_condition(request, table, "put_item")
    check_item(request["Item"], table)


def delete_item(request: Request, table: Schema) -> None:
    """Check a DeleteItem request.

    Raises:
        InvalidRequestError: DynamoDB refuses it.
    """
    normalize_item(request["Key"])
    _check_condition(request, table, "delete_item")
    check_key(request["Key"], table)


def _check_condition(request: Request, table: Schema, operation: str) -> None:
    used = expressions(request, operation)
    paths = used.condition("ConditionExpression")
    used.check_used()
    _normalize_conditions(request.get("Expected"))
    check_paths(paths, table)


def update_item(request: Request, table: Schema) -> None:
    """Check an UpdateItem request.

    Raises:
        InvalidRequestError: DynamoDB refuses it.
    """
    normalize_item(request["Key"])
    used = expressions(request, "update_item")
    changes = used.update()
    paths = used.condition("ConditionExpression")
    used.check_used()
    _normalize_conditions(request.get("Expected"))
    updates = request.get("AttributeUpdates") or {}
    for update in updates.values():
        if "Value" in update:
            normalize(update["Value"])
    check_changes(((str(change.path[0]), len(change.path), change.type) for change in changes), table)
    check_changes(((name, 1, type_of(update["Value"])) for name, update in updates.items() if "Value" in update), table)
    check_index_keys({name: update["Value"] for name, update in updates.items() if "Value" in update}, table)
    check_paths(paths, table)
    check_key(request["Key"], table)


def get_item(request: Request, table: Schema) -> None:
    """Check a GetItem request, or the key and projection of another request.

    Raises:
        InvalidRequestError: DynamoDB refuses it.
    """
    normalize_item(request["Key"])
    used = expressions(request, "get_item")
    paths = used.projection()
    used.check_used()
    check_paths(paths, table)
    check_key(request["Key"], table)


def query(request: Request, table: Schema) -> None:
    """Check a Query request.

    Raises:
        InvalidRequestError: DynamoDB refuses it.
    """
    _check_page(request)
    used = expressions(request, "query")
    given = request.get("KeyConditions")
    if request.get("KeyConditionExpression") is None and given is None:
        raise InvalidRequestError(
            "Either the KeyConditions or KeyConditionExpression parameter must be specified in the request."
        )
    _normalize_conditions(given)
    conditions = key_conditions.legacy_conditions(given) if given is not None else used.key_condition()
    filtered = used.condition("FilterExpression")
    projected = used.projection()
    used.check_used()
    _normalize_conditions(request.get("QueryFilter"))
    index = _index(request, table)
    keys = index.keys if index else table.keys
    _check_start_key(request, table, index, _START)
    key_conditions.check(conditions, keys, table.types)
    _check_start_in_query(request, conditions, keys)
    _check_filter(filtered, keys, "Filter Expression")
    _check_filter([(name,) for name in request.get("QueryFilter") or ()], keys, "QueryFilter")
    check_paths([*filtered, *projected], table)


def scan(request: Request, table: Schema) -> None:
    """Check a Scan request.

    Raises:
        InvalidRequestError: DynamoDB refuses it.
    """
    _check_page(request)
    used = expressions(request, "scan")
    paths = used.condition("FilterExpression") + used.projection()
    used.check_used()
    _normalize_conditions(request.get("ScanFilter"))
    index = _index(request, table)
    _check_start_key(request, table, index, _START if index else f"{_START}: {_SCHEMA}")
    check_paths(paths, table)


_SCHEMA = "The provided key element does not match the schema"


def _check_page(request: Request) -> None:
    limit = request.get("Limit")
    if limit is not None and limit < 1:
        raise broken_constraint(limit, "limit", "Member must have value greater than or equal to 1")
    if start := request.get("ExclusiveStartKey"):
        normalize_item(start)


def _index(request: Request, table: Schema) -> Index | None:
    name = request.get("IndexName")
    if name is None:
        return None
    index = table.index(name)
    if index.is_global and request.get("ConsistentRead"):
        raise InvalidRequestError("Consistent reads are not supported on global secondary indexes")
    if index.is_global and index.attributes is not None and request.get("Select") == "ALL_ATTRIBUTES":
        raise InvalidRequestError(
            "One or more parameter values were invalid: Select type ALL_ATTRIBUTES is not supported for global "
            f"secondary index {name} because its projection type is not ALL"
        )
    return index


def _check_start_key(request: Request, table: Schema, index: Index | None, message: str) -> None:
    start = request.get("ExclusiveStartKey")
    if start is None:
        return
    names = {*table.keys, *(index.keys if index else ())}
    if set(start) != names:
        raise InvalidRequestError(message)
    for name in names:
        if type_of(start[name]) != table.types[name]:
            raise InvalidRequestError(f"{_START}: {_SCHEMA}")


def _check_start_in_query(request: Request, conditions: key_conditions.Conditions, keys: tuple[str, ...]) -> None:
    start = request.get("ExclusiveStartKey")
    if start is not None and start[keys[0]] != conditions[keys[0]][1][0]:
        raise InvalidRequestError("The provided starting key is outside query boundaries based on provided conditions")


def _check_filter(paths: Paths, keys: tuple[str, ...], parameter: str) -> None:
    for key in keys:
        if any(path[0] == key for path in paths):
            raise InvalidRequestError(
                f"{parameter} can only contain non-primary key attributes: Primary key attribute: {key}"
            )


def _normalize_conditions(conditions: Mapping[str, Any] | None) -> None:
    """Check and normalize the values of the older conditions: Expected, KeyConditions, QueryFilter, ScanFilter."""
    for condition in (conditions or {}).values():
        for value in condition.get("AttributeValueList") or ():
            normalize(value)
        if condition.get("Value"):
            normalize(condition["Value"])


CHECKS: dict[str, Callable[[Request, Schema], None]] = {
    "put_item": put_item,
    "delete_item": delete_item,
    "update_item": update_item,
    "get_item": get_item,
    "query": query,
    "scan": scan,
}
