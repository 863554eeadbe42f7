"""Parse patterns of JSON events, such as `{ $.user.id = 1 && ($.code >= 500 || $.error IS NULL) }`."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from embedded_localstack.log_patterns.values import (
    OPERATOR,
    InvalidPattern,
    Match,
    Tokens,
    Value,
    as_text,
    check_regexes,
    condition,
)

_STEP = re.compile(r"""\.?\[\s*(?:'([^']*)'|"([^"]*)"|(\d+)|(\*))\s*\]|\.([\w-]+|\*)""")
_SELECTOR = r"""\$(?:\.?\[\s*(?:'[^']*'|"[^"]*"|\d+|\*)\s*\]|\.(?:[\w-]+|\*))+"""
_CONSTANTS = {"NULL": None, "TRUE": True, "FALSE": False}
_MOST_WILDCARDS = 3


class Selector:
    """A path such as `$.users[0]["e-mail"]`, with at most one wildcard."""

    def __init__(self, text: str) -> None:
        self._steps: list[str | int | None] = []  # None is the wildcard
        for single, double, index, any_element, name in _STEP.findall(text.removeprefix("$")):
            wildcard = any_element or name == "*"
            self._steps.append(None if wildcard else int(index) if index else single or double or name)
        self.wildcards = self._steps.count(None)
        if self.wildcards > 1:
            raise InvalidPattern("A property selector can have only one wildcard")

    def values(self, document: Any) -> list[Any]:
        """Return the values at the path, or an empty list if a step of the path does not exist."""
        values = [document]
        for step in self._steps:
            values = [child for value in values for child in _children(value, step)]
        return values


def _children(value: Any, step: str | int | None) -> list[Any]:
    if step is None:
        return list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    if isinstance(step, int):
        return [value[step]] if isinstance(value, list) and step < len(value) else []
    return [value[step]] if isinstance(value, dict) and step in value else []


def select(document: Any, selector: str) -> str | None:
    """Return the first string, number or Boolean at a selector, as a string, or None."""
    if not re.fullmatch(_SELECTOR, selector):
        return None
    values = (value for value in Selector(selector).values(document) if _is_scalar(value))
    return next(map(as_text, values), None)


def _is_scalar(value: Any) -> bool:
    return value is not None and not isinstance(value, dict | list)


@dataclass
class _Parser:
    selectors: list[Selector] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)

    def comparison(self, tokens: Tokens) -> Callable[[Any], bool]:
        selector = Selector(tokens.need(_SELECTOR, "a property selector"))
        self.selectors.append(selector)
        if tokens.take(r"NOT\s+EXISTS\b"):
            return lambda document: not selector.values(document)
        if tokens.take(r"IS\b"):
            constant = _CONSTANTS[tokens.need(r"NULL\b|TRUE\b|FALSE\b", "NULL, TRUE or FALSE")]
            return lambda document: any(value is constant for value in selector.values(document))
        symbol, value = tokens.need(OPERATOR, "an operator"), tokens.value()
        if symbol not in {"=", "!="} and value.number is None:
            raise InvalidPattern(f"Invalid filter pattern: the operator {symbol} needs a number")
        self.values.append(value)
        return lambda document: any(
            _is_scalar(actual) and value.compare(symbol, actual) for actual in selector.values(document)
        )


@dataclass(frozen=True)
class Document:
    """A condition on JSON events."""

    holds: Callable[[Any], bool]

    def match(self, message: str) -> Match | None:
        """Return a match if the message is JSON for which the condition holds."""
        try:
            document = json.loads(message)
        except (ValueError, RecursionError):
            return None
        if not isinstance(document, dict | list) or not self.holds(document):
            return None
        return Match(select=lambda selector: select(document, selector))


def parse(text: str) -> Document:
    """Parse the condition of a pattern in braces.

    Raises:
        InvalidPattern: the condition is malformed, or has too many wildcards or regular expressions.
    """
    tokens, parser = Tokens(text), _Parser()
    tokens.need(r"\{", "'{'")
    holds = condition(tokens, parser.comparison)
    tokens.need(r"\}", "'}'")
    tokens.end()
    check_regexes(parser.values)
    if sum(selector.wildcards for selector in parser.selectors) > _MOST_WILDCARDS:
        raise InvalidPattern(f"A filter pattern can have at most {_MOST_WILDCARDS} wildcard selectors")
    return Document(holds)
