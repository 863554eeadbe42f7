"""Permissions that PartiQL statements of DynamoDB need.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-iam.html
"""

from collections.abc import Mapping
from typing import Any

from embedded_localstack.dynamodb import conditions, statements
from embedded_localstack.dynamodb.errors import InvalidRequestError
from embedded_localstack.dynamodb.statement import Statement
from embedded_localstack.dynamodb.syntax import Condition, Group, Path, Tree, Variable
from embedded_localstack.dynamodb.values import Value
from embedded_localstack.iam.request import Check, Request, Row, UnmappedError, text

_ACTIONS = {
    "SELECT": "dynamodb:PartiQLSelect",
    "INSERT": "dynamodb:PartiQLInsert",
    "UPDATE": "dynamodb:PartiQLUpdate",
    "DELETE": "dynamodb:PartiQLDelete",
}


def _one(request: Request) -> list[Check]:
    return [_check(request, request.params)]


def _many(request: Request) -> list[Check]:
    listed = request.params.get("Statements") or request.params.get("TransactStatements") or [{}]
    return [_check(request, statement) for statement in listed]


def _check(request: Request, given: Mapping[str, Any]) -> Check:
    try:
        statement = statements.parse(text(given.get("Statement")), list(given.get("Parameters") or []))
    except InvalidRequestError as error:
        raise UnmappedError(f"the permissions of a PartiQL statement can't be worked out: {error}") from error
    table = request.arn("dynamodb", f"table/{statement.table}")
    partition_key = request.facts.hash_key(table, statement.index)
    keys: dict[str, str | list[str]] = {}
    partitions = _partitions(statement, partition_key) if partition_key else []
    if partitions:
        keys["dynamodb:leadingkeys"] = [text(next(iter(value.values()))) for value in partitions]
    if statement.kind == "SELECT" and partition_key:
        keys["dynamodb:fulltablescan"] = str(not partitions).lower()
    return Check(_ACTIONS[statement.kind], f"{table}/index/{statement.index}" if statement.index else table, keys)


def _partitions(statement: Statement, name: str) -> list[Value]:
    """Return the partition keys that a statement reads or writes. Return none if it reads the whole table."""
    if statement.kind == "INSERT":
        return [statement.item[name]] if name in statement.item else []
    return _named(conditions.parse(statement.condition).tree, name, statement) if statement.condition else []


def _named(tree: Tree, name: str, statement: Statement) -> list[Value]:
    """Return the values to which a condition limits an attribute with = or IN. Return none without a limit."""
    match tree:
        case Condition("=" | "IN", (Path((str() as attribute,)), *operands)):
            values = [statement.values[item.name] for item in operands if isinstance(item, Variable)]
            is_about = statement.names.get(attribute, attribute) == name
            return values if is_about and len(values) == len(operands) else []
        case Group("AND", members):
            return next((values for member in members if (values := _named(member, name, statement))), [])
        case Group("OR", members):
            parts = [_named(member, name, statement) for member in members]
            return [value for values in parts for value in values] if all(parts) else []
    return []


PARTIQL: dict[str, Row] = {"ExecuteStatement": _one, "BatchExecuteStatement": _many, "ExecuteTransaction": _many}
