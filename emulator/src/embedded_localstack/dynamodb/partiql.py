"""Execute PartiQL statements on moto's tables. moto's own parser requires spaces and lacks paths and functions."""
# mypy: disable-error-code="import-untyped"

import base64
import copy
import json
from collections.abc import Callable
from typing import Any

from moto.core.exceptions import JsonRESTError
from moto.dynamodb.exceptions import ConditionalCheckFailed, TransactionCanceledException
from moto.dynamodb.models.utilities import dynamo_json_dump

from embedded_localstack.dynamodb import conditions, projections, requests
from embedded_localstack.dynamodb.errors import DuplicateItemError, InvalidRequestError
from embedded_localstack.dynamodb.placeholders import Placeholders
from embedded_localstack.dynamodb.schema import Schema, check_item
from embedded_localstack.dynamodb.statement import Statement
from embedded_localstack.dynamodb.statements import parse
from embedded_localstack.dynamodb.syntax import Condition, Group, Path, Tree, Variable
from embedded_localstack.dynamodb.values import Item

Answer = dict[str, Any]
Describe = Callable[[str], Schema]
_UNKEYED = "Where clause does not contain a mandatory equality on all key attributes"


def execute(backend: Any, describe: Describe, request: dict[str, Any]) -> Answer:
    """Execute a statement and return the answer of ExecuteStatement.

    Raises:
        InvalidRequestError: DynamoDB refuses the statement.
        JsonRESTError: there is no such table, or the item does not fulfil the condition.
    """
    statement = parse(request["Statement"], copy.deepcopy(request.get("Parameters") or []))
    table = describe(statement.table)
    if statement.kind == "SELECT":
        return _select(backend, table, statement, request)
    if statement.kind == "INSERT":
        return _insert(backend, table, statement)
    key = _key(statement, table)
    return (_update if statement.kind == "UPDATE" else _delete)(backend, table, statement, key)


def _json(attributes: Any) -> Any:
    return json.loads(dynamo_json_dump(attributes))


def _select(backend: Any, table: Schema, statement: Statement, request: dict[str, Any]) -> Answer:
    read = {
        "IndexName": statement.index,
        "FilterExpression": statement.condition or None,
        "ProjectionExpression": statement.projection or None,
        "ExpressionAttributeNames": statement.names or None,
        "ExpressionAttributeValues": statement.values or None,
        "Limit": request.get("Limit"),
    }
    requests.scan(read, table)
    start = json.loads(base64.b64decode(request["NextToken"])) if request.get("NextToken") else None
    paths = projections.parse(statement.projection)[0] if statement.projection else ()
    projection = [projections.joined(Placeholders(statement.names, None).resolve(path)) for path in paths]
    index = table.indexes[statement.index] if statement.index else None
    partition_key = (index or table).keys[0]
    compared = _compared(statement)
    given = {
        "index_name": statement.index,
        "consistent_read": request.get("ConsistentRead", False),
        "filter_expression": statement.condition or None,
        "expr_names": statement.names,
        "expr_values": statement.values,
    }
    limit = request.get("Limit")
    if partition_key in compared:
        items, _, last = backend.query(
            table.table, compared[partition_key], None, [], limit, start, not statement.descending, projection, **given
        )
    else:
        items, _, last = backend.scan(
            table.table, {}, limit, start, projection_expression=projection, segments=(None, None), **given
        )
    answer: Answer = {"Items": [_json(item.attrs) for item in items]}
    if last is not None:
        answer["NextToken"] = base64.b64encode(dynamo_json_dump(last).encode()).decode()
        answer["LastEvaluatedKey"] = _json(last)
    return answer


def _insert(backend: Any, table: Schema, statement: Statement) -> Answer:
    check_item(statement.item, table)
    if backend.get_item(table.table, statement.item):
        raise DuplicateItemError("Duplicate primary key exists in table")
    backend.put_item(table.table, statement.item)
    return {"Items": []}


def _key(statement: Statement, table: Schema) -> Item:
    """Return the key of the item that the condition selects with "="."""
    compared = _compared(statement)
    if any(name not in compared for name in table.keys):
        raise InvalidRequestError(_UNKEYED)
    return {name: compared[name] for name in table.keys}


def _compared(statement: Statement) -> Item:
    """Return the attributes that the condition compares with values by "=", and these values."""
    compared: Item = {}
    for condition in _joined(conditions.parse(statement.condition).tree) if statement.condition else ():
        match condition:
            case Condition("=", (Path((str() as name,)), Variable(value))):
                compared[statement.names.get(name, name)] = statement.values[value]
    return compared


def _joined(tree: Tree) -> tuple[Tree, ...]:
    return tree.members if isinstance(tree, Group) and tree.operator == "AND" else (tree,)


def _update(backend: Any, table: Schema, statement: Statement, key: Item) -> Answer:
    change = {
        "Key": key,
        "UpdateExpression": statement.update,
        "ConditionExpression": statement.condition,
        "ExpressionAttributeNames": statement.names or None,
        "ExpressionAttributeValues": statement.values or None,
    }
    requests.update_item(change, table)
    before = backend.get_item(table.table, key)
    if before is None:
        raise ConditionalCheckFailed
    old = _json(before.attrs)
    backend.update_item(
        table.table,
        key,
        update_expression=statement.update,
        expression_attribute_names=statement.names,
        expression_attribute_values=statement.values,
        condition_expression=statement.condition,
    )
    return _returned(statement, old, _json(backend.get_item(table.table, key).attrs))


def _returned(statement: Statement, old: Item, new: Item) -> Answer:
    extent, _, age = statement.returning.partition("_")
    if not age:
        return {"Items": []}
    chosen = old if age == "OLD" else new
    if extent == "UPDATED":
        chosen = {name: value for name, value in chosen.items() if old.get(name) != new.get(name)}
    return {"Items": [chosen] if chosen else []}


def _delete(backend: Any, table: Schema, statement: Statement, key: Item) -> Answer:
    stored = backend.get_item(table.table, key)
    if stored is None:
        return {"Items": []}
    old = _json(stored.attrs)
    backend.delete_item(
        table.table,
        key,
        condition_expression=statement.condition,
        expression_attribute_names=statement.names,
        expression_attribute_values=statement.values,
    )
    return _returned(statement, old, {})


def execute_batch(backend: Any, describe: Describe, request: dict[str, Any]) -> Answer:
    """Execute the statements of BatchExecuteStatement. A statement that fails does not stop the others."""
    responses: list[Answer] = []
    for statement_request in request["Statements"]:
        try:
            items = execute(backend, describe, statement_request)["Items"]
            statement = parse(statement_request["Statement"], statement_request.get("Parameters") or [])
            responses.append({"TableName": statement.table})
            if items:
                responses[-1]["Item"] = items[0]
        except (InvalidRequestError, JsonRESTError) as error:
            code, message = _reason(error)
            responses.append({"Error": {"Code": code, "Message": message}})
    return {"Responses": responses}


def execute_transaction(backend: Any, describe: Describe, request: dict[str, Any]) -> Answer:
    """Execute all statements of ExecuteTransaction, or none if one fails.

    Raises:
        TransactionCanceledException: a statement failed.
    """
    tables = copy.deepcopy(backend.tables)
    responses: list[Answer] = []
    reasons: list[tuple[str | None, str | None, None]] = []
    for statement_request in request["TransactStatements"]:
        try:
            items = execute(backend, describe, statement_request)["Items"]
            responses.append({"Item": items[0]} if items else {})
            reasons.append((None, None, None))
        except (InvalidRequestError, JsonRESTError) as error:
            reasons.append((*_reason(error), None))
    if any(code for code, _, _ in reasons):
        backend.tables = tables
        raise TransactionCanceledException(reasons)
    return {"Responses": responses}


def _reason(error: InvalidRequestError | JsonRESTError) -> tuple[str, str]:
    """Return an error's code, in the form of batches and transactions, and its message."""
    code = error.code if isinstance(error, InvalidRequestError) else error.error_type.rpartition("#")[2]
    message = str(error) if isinstance(error, InvalidRequestError) else error.message
    return {"ValidationException": "ValidationError"}.get(code, code.removesuffix("Exception")), message
