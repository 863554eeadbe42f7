"""Provide the tokens, values and comparisons that all kinds of filter patterns share."""

import json
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_BARE_VALUE = re.compile(r"[\w.*+-]+")
# The characters and escapes that AWS supports between two percent signs. AWS's examples contain spaces too.
_REGEX = re.compile(r"(?:[A-Za-z0-9:_#=@/;,\- ^$?\[\]{}|*+.]|\\[dDsSwWtn]|\\x[0-9A-Fa-f]{2}|\\[^A-Za-z0-9()!])+")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
OPERATOR = r"!=|<=|>=|=|<|>"
MOST_REGEXES = 2
"""The regular expressions that a JSON or a space-delimited pattern may have."""


class InvalidPattern(Exception):
    """A filter pattern that AWS refuses."""


@dataclass(frozen=True)
class Match:
    """An event that matches. `extracted` has the fields of a space-delimited pattern; `select` finds any value."""

    extracted: dict[str, str] = field(default_factory=dict)
    select: Callable[[str], str | None] = lambda _selector: None


class Pattern(Protocol):
    """A parsed filter pattern."""

    def match(self, message: str) -> Match | None:
        """Return the match of an event's message, or None."""


class Value:
    """The right side of a comparison: `404`, `4*`, `"a phrase*"` or `%regex%`."""

    def __init__(self, text: str) -> None:
        self.number: float | None = None
        self.is_regex = text.startswith("%")
        if self.is_regex:
            self._found: Callable[[str], Any] = regex(text[1:-1]).search
            return
        if _NUMBER.fullmatch(text):
            self.number = float(text)
        content = unquoted(text) if text.startswith('"') else text
        parts = (re.escape(part) for part in content.split("*"))
        self._found = re.compile(".*".join(parts), re.DOTALL).fullmatch

    def compare(self, symbol: str, actual: Any) -> bool:
        """Return whether the comparison of an event's string, number or Boolean with this value holds."""
        number = as_number(actual) if self.number is not None else None
        if number is not None and self.number is not None:
            return _ORDER[symbol](number, self.number)
        if symbol in {"=", "!="}:
            return bool(self._found(as_text(actual))) == (symbol == "=")
        return False


def regex(text: str) -> re.Pattern[str]:
    """Compile a regular expression of a pattern.

    Raises:
        InvalidPattern: the expression is invalid, or has characters or operators that AWS does not support.
    """
    if not _REGEX.fullmatch(text):
        raise InvalidPattern(f"Invalid regular expression '{text}'")
    try:
        return re.compile(text, re.ASCII)
    except re.error as error:
        raise InvalidPattern(f"Invalid regular expression '{text}': {error}") from error


def unquoted(text: str) -> str:
    """Return the content of a string in double quotation marks. A backslash escapes the next character."""
    return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)


def as_number(value: Any) -> float | None:
    """Return a JSON value or a field as a number, or None if it is not a number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


def as_text(value: Any) -> str:
    """Return a JSON value as a string."""
    return value if isinstance(value, str) else json.dumps(value)


class Tokens:
    """The tokens of a pattern, in order."""

    def __init__(self, text: str) -> None:
        self._text, self._position = text, 0

    def take(self, expression: str) -> str | None:
        """Return the text that a regular expression matches here, after spaces, and consume it, or return None."""
        match = re.compile(rf"\s*({expression})").match(self._text, self._position)
        if not match:
            return None
        self._position = match.end()
        return match.group(1)

    def need(self, expression: str, what: str) -> str:
        """Consume and return the text that a regular expression matches here.

        Raises:
            InvalidPattern: the expression does not match here.
        """
        token = self.take(expression)
        if token is None:
            rest = self._text[self._position :].strip()
            raise InvalidPattern(f"Invalid filter pattern: {what} expected at '{rest[:20]}'")
        return token

    def value(self) -> Value:
        """Return the value that begins here."""
        token = self.take(r'"(?:[^"\\]|\\.)*"') or self.take(r"%(?:[^%\\]|\\.)+%") or self.take(_BARE_VALUE.pattern)
        if token is None:
            rest = self._text[self._position :].lstrip()
            raise InvalidPattern(f"Invalid character(s) in term '{rest[:1]}'")
        return Value(token)

    def end(self) -> None:
        """Raise InvalidPattern if the pattern does not end here."""
        self.need(r"\Z", "the end")


@dataclass(frozen=True)
class Every[T]:
    """A condition that holds if all its parts hold."""

    parts: Sequence[Callable[[T], bool]]

    def __call__(self, subject: T) -> bool:
        return all(part(subject) for part in self.parts)


@dataclass(frozen=True)
class Either[T]:
    """A condition that holds if at least one of its parts holds."""

    parts: Sequence[Callable[[T], bool]]

    def __call__(self, subject: T) -> bool:
        return any(part(subject) for part in self.parts)


def condition[T](tokens: Tokens, comparison: Callable[[Tokens], Callable[[T], bool]]) -> Callable[[T], bool]:
    """Parse a compound condition. The order of operations is () > && > ||."""

    def primary() -> Callable[[T], bool]:
        if tokens.take(r"\("):
            inner = condition(tokens, comparison)
            tokens.need(r"\)", "')'")
            return inner
        return comparison(tokens)

    def conjunction() -> Callable[[T], bool]:
        parts = [primary()]
        while tokens.take("&&"):
            parts.append(primary())
        return Every(parts)

    parts = [conjunction()]
    while tokens.take(r"\|\|"):
        parts.append(conjunction())
    return Either(parts)


def check_regexes(values: Sequence[Value]) -> None:
    """Raise InvalidPattern if a pattern has more regular expressions than AWS allows."""
    if sum(value.is_regex for value in values) > MOST_REGEXES:
        raise InvalidPattern(f"A filter pattern can have at most {MOST_REGEXES} regular expressions")
