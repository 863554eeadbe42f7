"""The kinds that JSON gives to values: it says which are texts."""

from collections import Counter


class Number(str):
    """A number with a fraction or an exponent, or an infinity, as text, because a float might lose digits."""

    __slots__ = ()


class Kinds(Counter[type]):
    """The counts of a column's values in JSON, by their type in Python. It is empty for a column of CSV."""

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
