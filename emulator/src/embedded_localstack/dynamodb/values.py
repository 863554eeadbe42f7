"""Check and normalize attribute values, and calculate their sizes."""

import base64
from collections.abc import Callable, Mapping
from typing import Any

from embedded_localstack.dynamodb.decimals import canonical
from embedded_localstack.dynamodb.errors import InvalidRequestError, wrong_parameter

Value = dict[str, Any]
Item = dict[str, Value]

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-attributes-nested-depth
LEVELS = 32
ITEM_BYTES = 400 * 1024
TYPES = frozenset(("S", "N", "B", "BOOL", "NULL", "SS", "NS", "BS", "L", "M"))
_EMPTY_SETS = {
    "SS": "An string set  may not be empty",
    "NS": "An number set  may not be empty",
    "BS": "Binary sets should not be empty",
}


def type_of(value: Mapping[str, Any]) -> str:
    """Return the type of an attribute value, such as "S"."""
    return next(iter(value))


def normalize_item(item: Mapping[str, Value]) -> None:
    """Check the values of an item or key, and change its numbers to their normal form.

    Raises:
        InvalidRequestError: DynamoDB cannot store one of the values.
    """
    for value in item.values():
        normalize(value)


def normalize(value: Value, level: int = 0) -> None:
    """Check an attribute value, and change its numbers to their normal form.

    Raises:
        InvalidRequestError: DynamoDB cannot store the value.
    """
    if len(value) != 1 or not TYPES.issuperset(value):
        state = "has more than one datatypes set" if len(value) > 1 else "is empty"
        raise InvalidRequestError(
            f"Supplied AttributeValue {state}, must contain exactly one of the supported datatypes"
        )
    ((kind, content),) = value.items()
    if kind == "N":
        value["N"] = canonical(content)
    elif kind in ("M", "L"):
        if level >= LEVELS:
            raise InvalidRequestError("Nesting Levels have exceeded supported limits")
        for child in content.values() if kind == "M" else content:
            normalize(child, level + 1)
    elif kind in _EMPTY_SETS:
        _normalize_set(value, kind)
    elif kind == "NULL" and content is not True:
        raise wrong_parameter("Null attribute value types must have the value of true")


def _normalize_set(value: Value, kind: str) -> None:
    members = value[kind]
    if not members:
        raise wrong_parameter(_EMPTY_SETS[kind])
    if kind == "NS":
        value[kind] = members = [canonical(member) for member in members]
    if len(set(members)) < len(members):
        if kind == "NS":
            raise InvalidRequestError("Input collection contains duplicates")
        of_type = "of type BS" if kind == "BS" else ""
        raise wrong_parameter(f"Input collection [{', '.join(members)}]{of_type} contains duplicates.")


def item_size(item: Mapping[str, Value]) -> int:
    """Return the size of an item in bytes.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/CapacityUnitCalculations.html
    """
    return sum(len(name.encode()) + size(value) for name, value in item.items())


def size(value: Value) -> int:
    """Return the size of an attribute value in bytes."""
    ((kind, content),) = value.items()
    return _SIZES[kind](content)


def _text_size(content: str) -> int:
    return len(content.encode())


def _number_size(text: str) -> int:
    """Return the size of a number in bytes: one for every two digits, one more, and one for a minus sign."""
    digits = text.lstrip("-").replace(".", "").strip("0")
    return 1 + (len(digits) + 1) // 2 + text.startswith("-") if digits else 1


def _binary_size(content: str | bytes) -> int:
    return len(content) if isinstance(content, bytes) else len(base64.b64decode(content))


_SIZES: dict[str, Callable[[Any], int]] = {
    "S": _text_size,
    "N": _number_size,
    "B": _binary_size,
    "SS": lambda members: sum(map(_text_size, members)),
    "NS": lambda members: sum(map(_number_size, members)),
    "BS": lambda members: sum(map(_binary_size, members)),
    "L": lambda members: 3 + sum(1 + size(member) for member in members),
    "M": lambda members: 3 + len(members) + item_size(members),
    "BOOL": lambda _: 1,
    "NULL": lambda _: 1,
}
