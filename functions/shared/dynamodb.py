"""Helpers for DynamoDB's items and errors."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item in DynamoDB's JSON as plain Python values.

    Whole numbers become int, and other numbers float. DynamoDB's sets become Python sets.

    Raises ValueError, TypeError or AttributeError if `item` is not DynamoDB's JSON.
    """
    return {name: _value(value) for name, value in item.items()}


def is_conditional_failure(error: ClientError) -> bool:
    """Return whether a write failed because its condition did not hold."""
    return error.response["Error"]["Code"] == "ConditionalCheckFailedException"


def _value(typed: Mapping[str, Any]) -> Any:
    ((kind, value),) = typed.items()
    match kind:
        case "M":
            return plain(value)
        case "L":
            return [_value(part) for part in value]
        case "N":
            return _number(value)
        case "NS":
            return {_number(part) for part in value}
        case "SS" | "BS":
            return set(value)
    return None if kind == "NULL" else value


def _number(text: str) -> int | float:
    try:
        return int(text)
    except ValueError:
        number = float(text)
        return int(number) if number.is_integer() else number
