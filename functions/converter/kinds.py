"""Count the kinds of JSON values: strings, numbers and truth values."""

from collections import Counter


class Number(str):
    """A JSON number with a fraction or an exponent, or an infinity. It is kept as text, so that no digits are lost."""

    __slots__ = ()


class Kinds(Counter[type]):
    """The counts of a column's JSON values by Python type. For a CSV column, it is empty."""

    @property
    def texts(self) -> int:
        """Return the number of strings that are not empty."""
        return self[str]

    @property
    def numbers(self) -> int:
        """Return the number of numbers."""
        return self[int] + self[Number]

    @property
    def booleans(self) -> int:
        """Return the number of truth values."""
        return self[bool]
