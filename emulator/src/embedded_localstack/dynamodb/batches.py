"""The checks of batches and transactions."""

from collections.abc import Callable, Mapping
from typing import Any

from embedded_localstack.dynamodb import requests
from embedded_localstack.dynamodb.errors import InvalidRequestError, broken_constraint
from embedded_localstack.dynamodb.expressions import Expressions
from embedded_localstack.dynamodb.requests import Request
from embedded_localstack.dynamodb.schema import Schema, check_item, check_key, check_paths
from embedded_localstack.dynamodb.values import Value, normalize_item

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html, API_BatchGetItem.html,
# API_TransactWriteItems.html
WRITES = 25
READS = 100
ACTIONS = 100
_DUPLICATES = "Provided list of item keys contains duplicates"
_AT_LEAST_ONE = "Member must have length greater than or equal to 1"

Tables = Callable[[str], Schema]


def batch_write_item(request: Request, tables: Tables) -> None:
    """Check a BatchWriteItem request.

    Raises:
        InvalidRequestError: DynamoDB refuses it.
    """
    batches = _batches(request)
    for table_name, writes in batches.items():
        if not 1 <= len(writes) <= WRITES:
            raise _wrong_length(table_name, f"Member must have length less than or equal to {WRITES}, {_AT_LEAST_ONE}")
    if sum(map(len, batches.values())) > WRITES:
        raise InvalidRequestError("Too many items requested for the BatchWriteItem call")
    for table_name, writes in batches.items():
        table = tables(table_name)
        _check_distinct([_written_key(write, table) for write in writes], table)


def _wrong_length(table_name: str, constraint: str) -> InvalidRequestError:
    return broken_constraint(
        f"{{{table_name}=[...]}}", "requestItems", f"Map value must satisfy constraint: [{constraint}]"
    )


def _batches(request: Request) -> dict[str, Any]:
    batches: dict[str, Any] = request.get("RequestItems") or {}
    if not batches:
        raise broken_constraint("{}", "requestItems", _AT_LEAST_ONE)
    return batches


def _written_key(write: Mapping[str, Any], table: Schema) -> Mapping[str, Value]:
    if len(write) != 1:
        state = "has more than one datatypes set" if write else "is empty"
        raise InvalidRequestError(
            f"Supplied AttributeValue {state}, must contain exactly one of the supported datatypes"
        )
    if "PutRequest" in write:
        item: dict[str, Value] = write["PutRequest"]["Item"]
        normalize_item(item)
        _check_batch_item(item, table)
        return item
    key: dict[str, Value] = write["DeleteRequest"]["Key"]
    normalize_item(key)
    check_key(key, table)
    return key


def _check_batch_item(item: dict[str, Value], table: Schema) -> None:
    """Check an item. In a batch, DynamoDB names neither the missing key nor the wrong type."""
    if any(name not in item or next(iter(item[name])) != table.types[name] for name in table.keys):
        raise InvalidRequestError("The provided key element does not match the schema")
    check_item(item, table)


def _check_distinct(keys: list[Mapping[str, Value]], table: Schema) -> None:
    if len({_identity(key, table) for key in keys}) < len(keys):
        raise InvalidRequestError(_DUPLICATES)


def _identity(key: Mapping[str, Value], table: Schema) -> tuple[str, ...]:
    return tuple(next(iter(key[name].values())) for name in table.keys)


def batch_get_item(request: Request, tables: Tables) -> None:
    """Check a BatchGetItem request.

    Raises:
        InvalidRequestError: DynamoDB refuses it.
    """
    batches = _batches(request)
    for table_name, reads in batches.items():
        if not 1 <= len(reads["Keys"]) <= READS:
            at_most = f"Member must have length less than or equal to {READS}"
            raise broken_constraint(
                None, f"requestItems.{table_name}.member.keys", at_most if reads["Keys"] else _AT_LEAST_ONE
            )
    if sum(len(reads["Keys"]) for reads in batches.values()) > READS:
        raise InvalidRequestError("Too many items requested for the BatchGetItem call")
    for table_name, reads in batches.items():
        table = tables(table_name)
        used = requests.expressions(reads, "get_item")
        paths = used.projection()
        used.check_used()
        check_paths(paths, table)
        for key in reads["Keys"]:
            normalize_item(key)
            check_key(key, table)
        _check_distinct(reads["Keys"], table)


def transact_write_items(request: Request, tables: Tables) -> None:
    """Check a TransactWriteItems request.

    Raises:
        InvalidRequestError: DynamoDB refuses it.
    """
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for action in _actions(request):
        if len(action) != 1:
            raise InvalidRequestError("TransactItems can only contain one of Check, Put, Update or Delete")
        ((kind, content),) = action.items()
        table = tables(content["TableName"])
        _CHECKS[kind](content, table)
        identity = table.table, _identity(content["Item" if kind == "Put" else "Key"], table)
        if identity in seen:
            raise InvalidRequestError("Transaction request cannot include multiple operations on one item")
        seen.add(identity)


def _actions(request: Request) -> list[dict[str, Any]]:
    actions: list[dict[str, Any]] = request.get("TransactItems") or []
    if not actions:
        raise broken_constraint("[]", "transactItems", _AT_LEAST_ONE)
    if len(actions) > ACTIONS:
        raise broken_constraint("[...]", "transactItems", f"Member must have length less than or equal to {ACTIONS}")
    return actions


def _condition_check(request: Request, table: Schema) -> None:
    normalize_item(request["Key"])
    used = Expressions(request, ("ConditionExpression",))
    paths = used.condition("ConditionExpression")
    used.check_used()
    check_paths(paths, table)
    check_key(request["Key"], table)


_CHECKS = {
    "Put": requests.put_item,
    "Update": requests.update_item,
    "Delete": requests.delete_item,
    "ConditionCheck": _condition_check,
}


def transact_get_items(request: Request, tables: Tables) -> None:
    """Check a TransactGetItems request.

    Raises:
        InvalidRequestError: DynamoDB refuses it.
    """
    seen: set[tuple[str, tuple[str, ...]]] = set()
    for action in _actions(request):
        table = tables(action["Get"]["TableName"])
        requests.get_item(action["Get"], table)
        identity = table.table, _identity(action["Get"]["Key"], table)
        if identity in seen:
            raise InvalidRequestError("Transaction request cannot include multiple operations on one item")
        seen.add(identity)


CHECKS: dict[str, Callable[[Request, Tables], None]] = {
    "batch_write_item": batch_write_item,
    "batch_get_item": batch_get_item,
    "transact_write_items": transact_write_items,
    "transact_get_items": transact_get_items,
}
