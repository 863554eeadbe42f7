"""Convert, add and subtract numbers as DynamoDB does.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html
"""

import re
from decimal import Context, Decimal

from embedded_localstack.dynamodb.errors import InvalidRequestError

DIGITS = 38
LARGEST_EXPONENT = 125
SMALLEST_EXPONENT = -130

_CANONICAL = re.compile(r"0|-?[1-9][0-9]{0,36}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,9})?")
# This precision covers the whole range of exponents, so sums and differences are exact.
_EXACT = Context(prec=2 * (LARGEST_EXPONENT - SMALLEST_EXPONENT))


def canonical(text: object) -> str:
    """Return a number in DynamoDB's normal form, such as `1.5` for `0001.500` and for `15e-1`.

    Raises:
        InvalidRequestError: the text is not a number, has more than 38 significant digits, or is out of range.
    """
    if isinstance(text, str) and _CANONICAL.fullmatch(text):
        return text
    if not text:
        raise InvalidRequestError("The parameter cannot be converted to a numeric value")
    if not isinstance(text, str) or not _NUMBER.fullmatch(text):
        raise InvalidRequestError(f"The parameter cannot be converted to a numeric value: {text}")
    return stored(Decimal(text))


def stored(number: Decimal) -> str:
    """Return a number as the text that DynamoDB stores.

    Raises:
        InvalidRequestError: the number has more than 38 significant digits or is out of range.
    """
    if not number:
        return "0"
    exponent = number.adjusted()
    if exponent > LARGEST_EXPONENT:
        raise InvalidRequestError(
            "Number overflow. Attempting to store a number with magnitude larger than supported range"
        )
    if exponent < SMALLEST_EXPONENT:
        raise InvalidRequestError(
            "Number underflow. Attempting to store a number with magnitude smaller than supported range"
        )
    sign, digits, _ = number.as_tuple()
    significant = "".join(map(str, digits)).strip("0")
    if len(significant) > DIGITS:
        raise InvalidRequestError("Attempting to store more than 38 significant digits in a Number")
    whole = significant[: max(0, exponent + 1)].ljust(exponent + 1, "0") or "0"
    fraction = significant[exponent + 1 :] if exponent >= 0 else "0" * (-exponent - 1) + significant
    return ("-" if sign else "") + whole + ("." + fraction if fraction else "")


def total(first: str, second: str) -> str:
    """Return the sum of two stored numbers.

    Raises:
        InvalidRequestError: DynamoDB cannot store the sum.
    """
    return stored(_EXACT.add(Decimal(first), Decimal(second)))


def difference(first: str, second: str) -> str:
    """Return the difference of two stored numbers.

    Raises:
        InvalidRequestError: DynamoDB cannot store the difference.
    """
    return stored(_EXACT.subtract(Decimal(first), Decimal(second)))
