"""Evaluate conditions on an item.

A value is either the API's JSON or an object with the attributes `type` and `value`, as in moto.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

import operator
from base64 import b64decode
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

from embedded_localstack.dynamodb.syntax import Call, Condition, Group, Operand, Path, Tree, Variable

Typed = tuple[str, Any]
"""The type of a value and its content."""

_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Evaluation:
    """A condition that can be evaluated, with the names and values of its request."""

    def __init__(self, tree: Tree, names: Mapping[str, str] | None, values: Mapping[str, Any] | None) -> None:
        """Take a condition that is already checked."""
        self._tree = tree
        self._names = names or {}
        self._values = values or {}

    def holds(self, attributes: Mapping[str, Any]) -> bool:
        """Return whether the condition holds for an item with these attributes."""
        return self._holds(self._tree, attributes)

    def _holds(self, tree: Tree, attributes: Mapping[str, Any]) -> bool:
        if isinstance(tree, Group):
            members = (self._holds(member, attributes) for member in tree.members)
            if tree.operator == "NOT":
                return not next(members)
            return all(members) if tree.operator == "AND" else any(members)
        operands = [self._value(operand, attributes) for operand in tree.operands]
        return _FUNCTIONS[tree.name](*operands) if isinstance(tree, Call) else _compared(tree, operands)

    def _value(self, operand: Operand, attributes: Mapping[str, Any]) -> Typed | None:
        if isinstance(operand, Variable):
            return typed(self._values[operand.name])
        if isinstance(operand, Call):  # size() is the only function that can be an operand
            return size(self._value(operand.operands[0], attributes))
        return self._attribute(operand, attributes)

    def _attribute(self, path: Path, attributes: Mapping[str, Any]) -> Typed | None:
        value: Any = {"M": attributes}
        for part in path.parts:
            kind, content = typed(value)
            if isinstance(part, int):
                if kind != "L" or part >= len(content):
                    return None
                value = content[part]
            else:
                name = self._names.get(part, part)
                if kind != "M" or name not in content:
                    return None
                value = content[name]
        return typed(value)


def typed(value: Any) -> Typed:
    """Return the type and the content of a value."""
    if isinstance(value, Mapping):
        ((kind, content),) = value.items()
        return kind, content
    return value.type, value.value


def _compared(condition: Condition, operands: list[Typed | None]) -> bool:
    first, *others = operands
    match condition.operator:
        case "=":
            return equal(first, others[0])
        case "<>":
            return not equal(first, others[0])
        case "IN":
            return any(equal(first, other) for other in others)
        case "BETWEEN":
            return _ordered(">=", first, others[0]) and _ordered("<=", first, others[1])
    return _ordered(condition.operator, first, others[0])


def equal(first: Typed | None, second: Typed | None) -> bool:
    """Return whether two values are the same. A missing value equals nothing."""
    if first is None or second is None or first[0] != second[0]:
        return False
    kind, one, other = first[0], first[1], second[1]
    if kind == "L":
        return len(one) == len(other) and all(
            equal(typed(left), typed(right)) for left, right in zip(one, other, strict=True)
        )
    if kind == "M":
        return one.keys() == other.keys() and all(equal(typed(one[name]), typed(other[name])) for name in one)
    if kind in ("SS", "NS", "BS"):
        return {_scalar(kind[0], member) for member in one} == {_scalar(kind[0], member) for member in other}
    return bool(_scalar(kind, one) == _scalar(kind, other))


def _scalar(kind: str, content: Any) -> Any:
    if kind == "N":
        return Decimal(content)
    if kind == "B":
        return content if isinstance(content, bytes) else b64decode(content)
    return content.encode() if kind == "S" else content


def _ordered(comparator: str, first: Typed | None, second: Typed | None) -> bool:
    if first is None or second is None or first[0] != second[0] or first[0] not in ("S", "N", "B"):
        return False
    return _ORDERS[comparator](_scalar(*first), _scalar(*second))


def size(value: Typed | None) -> Typed | None:
    """Return the result of size(): the number of characters, bytes or members, or None if the value has no size."""
    if value is None or value[0] in ("N", "BOOL", "NULL"):
        return None
    return "N", str(len(_scalar("B", value[1]) if value[0] == "B" else value[1]))


def _begins_with(value: Typed | None, start: Typed | None) -> bool:
    if value is None or start is None or value[0] != start[0] or value[0] not in ("S", "B"):
        return False
    return bool(_scalar(*value).startswith(_scalar(*start)))


def _contains(value: Typed | None, member: Typed | None) -> bool:
    if value is None or member is None:
        return False
    kind, content = value
    if kind in ("S", "B"):
        return kind == member[0] and _scalar(*member) in _scalar(*value)
    if kind == "L":
        return any(equal(typed(each), member) for each in content)
    return kind == member[0] + "S" and _scalar(*member) in [_scalar(member[0], each) for each in content]


def _has_type(value: Typed | None, name: Typed | None) -> bool:
    return value is not None and name is not None and value[0] == name[1]


_FUNCTIONS: dict[str, Callable[..., bool]] = {
    "attribute_exists": lambda value: value is not None,
    "attribute_not_exists": lambda value: value is None,
    "attribute_type": _has_type,
    "begins_with": _begins_with,
    "contains": _contains,
}
