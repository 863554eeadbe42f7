"""Check the operands of conditions.

An operand is a value, the parts of a path, or the type of a function's result.
"""

from base64 import b64decode
from collections.abc import Sequence
from decimal import Decimal

from embedded_localstack.dynamodb.errors import InvalidRequestError
from embedded_localstack.dynamodb.values import TYPES, Value, type_of

_COUNTS = {
    "attribute_exists": 1,
    "attribute_not_exists": 1,
    "attribute_type": 2,
    "begins_with": 2,
    "contains": 2,
    "size": 1,
}


def type_name(operand: object) -> str:
    """Return the type of a value or of a function's result; empty for a path."""
    if isinstance(operand, dict):
        return type_of(operand)
    return operand if isinstance(operand, str) else ""


def path_text(path: Sequence[str | int]) -> str:
    """Return a path as DynamoDB writes it in messages."""
    return f"[{', '.join(f'[{part}]' if isinstance(part, int) else part for part in path)}]"


def wrong_type(operator: str, kind: str) -> InvalidRequestError:
    """Return the error for an operand of a wrong type."""
    return InvalidRequestError(
        f"Incorrect operand type for operator or function; operator or function: {operator}, operand type: {kind}"
    )


def wrong_count(operator: str, count: int) -> InvalidRequestError:
    """Return the error for a function with too few or too many operands."""
    return InvalidRequestError(
        "Incorrect number of operands for operator or function; "
        f"operator or function: {operator}, number of operands: {count}"
    )


def no_path(operator: str) -> InvalidRequestError:
    """Return the error for a function that needs a document path and has another operand."""
    return InvalidRequestError(f"Operator or function requires a document path; operator or function: {operator}")


def distinct(operator: str, operands: Sequence[object]) -> None:
    """Check that the operands are not the same path.

    Raises:
        InvalidRequestError: the operands are the same path.
    """
    first = operands[0]
    if isinstance(first, tuple) and len(operands) > 1 and first == operands[1]:
        raise InvalidRequestError(
            "The first operand must be distinct from the remaining operands for this operator or function; "
            f"operator: {operator}, first operand: {path_text(first)}"
        )


def function(name: str, operands: Sequence[object]) -> str:
    """Check the operands of a function, and return the type of its result.

    Raises:
        InvalidRequestError: the number of operands or a type is wrong.
    """
    if len(operands) != _COUNTS[name]:
        raise wrong_count(name, len(operands))
    distinct(name, operands)
    types = [type_name(operand) for operand in operands]
    if name in ("attribute_exists", "attribute_not_exists") and not isinstance(operands[0], tuple):
        raise no_path(name)
    if name == "begins_with":
        for kind in types:
            if kind not in ("", "S", "B"):
                raise wrong_type(name, kind)
    if name == "attribute_type":
        _check_type_name(operands[1])
    if name == "size" and types[0] in ("N", "BOOL", "NULL"):
        raise wrong_type(name, types[0])
    return "N" if name == "size" else "BOOL"


def _check_type_name(operand: object) -> None:
    if type_name(operand) != "S":
        raise wrong_type("attribute_type", type_name(operand) or "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")
    text = operand["S"] if isinstance(operand, dict) else ""
    if text not in TYPES:
        raise InvalidRequestError(
            f"Invalid attribute type name found; type: {text}, valid types: {{B,NULL,SS,BOOL,L,BS,N,NS,S,M}}"
        )


def between(low: object, high: object) -> None:
    """Check the bounds of BETWEEN.

    Raises:
        InvalidRequestError: the types differ, or the lower bound is above the upper one.
    """
    if not isinstance(low, dict) or not isinstance(high, dict):
        return
    (low_type, low_content), (high_type, high_content) = *low.items(), *high.items()
    bounds = (
        f"lower bound operand: AttributeValue: {{{low_type}:{low_content}}}, "
        f"upper bound operand: AttributeValue: {{{high_type}:{high_content}}}"
    )
    if low_type != high_type:
        raise InvalidRequestError(f"The BETWEEN operator requires same data type for lower and upper bounds; {bounds}")
    if low_type in ("S", "N", "B") and _greater(low, high):
        raise InvalidRequestError(
            "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; " + bounds
        )


def _greater(first: Value, second: Value) -> bool:
    kind = type_of(first)
    if kind == "N":
        return Decimal(first[kind]) > Decimal(second[kind])
    return bool(_bytes(first[kind], kind) > _bytes(second[kind], kind))


def _bytes(content: str, kind: str) -> bytes:
    return b64decode(content) if kind == "B" else content.encode()
