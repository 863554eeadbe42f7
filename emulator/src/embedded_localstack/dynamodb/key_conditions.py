"""Read and check the key conditions of a query.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Query.KeyConditionExpressions.html
"""

from collections.abc import Mapping
from typing import Any

from embedded_localstack.dynamodb.conditions import Parsed
from embedded_localstack.dynamodb.errors import InvalidRequestError, wrong_parameter
from embedded_localstack.dynamodb.placeholders import Placeholders
from embedded_localstack.dynamodb.syntax import Call, Condition, Group, Operand, Path, Tree, Variable
from embedded_localstack.dynamodb.values import Value, type_of

_MIRRORED = {"=": "=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}
Conditions = dict[str, tuple[str, list[Value]]]
"""For each key, the operator and its values."""


def key_conditions(parsed: Parsed, placeholders: Placeholders) -> Conditions:
    """Return the conditions of a KeyConditionExpression.

    Raises:
        InvalidRequestError: the expression does anything but compare keys with values.
    """
    conditions: Conditions = {}
    _collect(parsed.tree, placeholders, conditions)
    return conditions


def _collect(tree: Tree, placeholders: Placeholders, conditions: Conditions) -> None:
    if isinstance(tree, Group):
        if tree.operator != "AND":
            raise InvalidRequestError(f"Invalid operator used in KeyConditionExpression: {tree.operator}")
        for member in tree.members:
            _collect(member, placeholders, conditions)
        return
    operator = _operator(tree)
    name, operands = _key(tree, placeholders)
    if name in conditions:
        raise InvalidRequestError("KeyConditionExpressions must only contain one condition per key")
    if isinstance(tree.operands[0], Variable):
        operator = _MIRRORED.get(operator, operator)
    conditions[name] = (operator, [placeholders.value(operand.name) for operand in operands])


def _operator(condition: Condition | Call) -> str:
    if isinstance(condition, Condition):
        operator = condition.operator
        if operator in ("<>", "IN"):
            raise InvalidRequestError(f"Invalid operator used in KeyConditionExpression: {operator}")
    else:
        operator = condition.name
        if operator != "begins_with":
            raise InvalidRequestError(f"Invalid operator used in KeyConditionExpression: {operator}")
    if operator in ("BETWEEN", "begins_with") and not isinstance(condition.operands[0], Path):
        raise InvalidRequestError(
            f"Invalid condition in KeyConditionExpression: {operator} operator must have the key attribute "
            "as its first operand"
        )
    return operator


def _key(condition: Condition | Call, placeholders: Placeholders) -> tuple[str, list[Variable]]:
    """Return the name of the key and the other operands."""
    names: list[str] = []
    values: list[Variable] = []
    for operand in condition.operands:
        _sort_operand(operand, placeholders, names, values)
    if not names:
        raise InvalidRequestError("Invalid condition in KeyConditionExpression: No key attribute specified")
    return names[0], values


def _sort_operand(operand: Operand, placeholders: Placeholders, names: list[str], values: list[Variable]) -> None:
    if isinstance(operand, Variable):
        values.append(operand)
    elif isinstance(operand, Call):
        raise InvalidRequestError("KeyConditionExpressions cannot contain nested operations")
    elif names:
        raise InvalidRequestError(
            "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"
        )
    elif len(operand.parts) > 1:
        raise InvalidRequestError("KeyConditionExpressions cannot have conditions on nested attributes")
    else:
        names.append(str(placeholders.resolve(operand)[0]))


def check(conditions: Conditions, keys: tuple[str, ...], types: Mapping[str, str]) -> None:
    """Check the conditions against the keys of a table or index.

    Raises:
        InvalidRequestError: the partition key is missing or not compared by "=", a condition is on an attribute that
            is no key, or a value has a wrong type.
    """
    if len(conditions) > 2:
        raise InvalidRequestError("Conditions can be of length 1 or 2 only")
    if len(keys) == 1 and len(conditions) > 1:
        raise InvalidRequestError("Query key condition not supported")
    for name in keys:
        if name not in conditions:
            if name == keys[0] or len(conditions) > 1:
                raise InvalidRequestError(f"Query condition missed key schema element: {name}")
            continue
        operator, values = conditions[name]
        for value in values:
            if type_of(value) != types[name]:
                raise wrong_parameter("Condition parameter type does not match schema type")
            _check_empty(name, value)
        if name == keys[0] and operator not in ("=", "EQ"):
            raise InvalidRequestError("Query key condition not supported")


def _check_empty(name: str, value: Value) -> None:
    ((kind, content),) = value.items()
    if kind in ("S", "B") and not content:
        raise InvalidRequestError(
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            f"empty {'string' if kind == 'S' else 'binary'} value. Key: {name}"
        )


def legacy_conditions(conditions: Mapping[str, Any]) -> Conditions:
    """Return the conditions of KeyConditions, the older parameter."""
    return {
        name: (given["ComparisonOperator"], given.get("AttributeValueList", [])) for name, given in conditions.items()
    }
