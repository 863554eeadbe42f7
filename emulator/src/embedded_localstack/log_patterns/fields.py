"""Parse patterns of space-delimited events, such as `[ip, user, ..., status = 4*, size > 1000]`."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from embedded_localstack.log_patterns.values import (
    OPERATOR,
    InvalidPattern,
    Match,
    Tokens,
    Value,
    check_regexes,
    condition,
)

# The characters between brackets or quotation marks are one field.
_WORD = re.compile(r'\[([^\]]*)\](?=\s|\Z)|"((?:[^"\\]|\\.)*)"(?=\s|\Z)|(\S+)')
_NAME = r"[A-Za-z_][\w-]*"


@dataclass(frozen=True)
class Field:
    """A field of a pattern. It may have no name and no condition."""

    name: str
    holds: Callable[[str], bool]


@dataclass(frozen=True)
class Fields:
    """The fields of a pattern before and after its ellipsis. Without an ellipsis, `after` is None."""

    before: tuple[Field, ...]
    after: tuple[Field, ...] | None

    def match(self, message: str) -> Match | None:
        """Return a match with the fields of the message by name, as `$name`, or by position, as `$1`."""
        words = self._words(message.strip())
        if words is None:
            return None
        after = self.after or ()
        unnamed = [Field("", lambda _text: True)] * (len(words) - len(self.before) - len(after))
        fields = [*self.before, *unnamed, *after]
        if not all(field.holds(word) for field, word in zip(fields, words, strict=True)):
            return None
        pairs = enumerate(zip(fields, words, strict=True), 1)
        extracted = {f"${field.name or number}": word for number, (field, word) in pairs}
        positions = {f"${number}": word for number, word in enumerate(words, 1)}
        return Match(extracted, (positions | extracted).get)

    def _words(self, message: str) -> list[str] | None:
        """Return the words, or None if there are too few. Without an ellipsis, the last field contains the rest."""
        matches = list(_WORD.finditer(message))
        words = [next(group for group in match.groups() if group is not None) for match in matches]
        count = len(self.before) + len(self.after or ())
        if len(words) < count:
            return None
        if self.after is None and len(words) > count:
            return [*words[: count - 1], message[matches[count - 1].start() :]]
        return words


def parse(text: str) -> Fields:
    """Parse the fields of a pattern in brackets.

    Raises:
        InvalidPattern: a field or a condition is malformed, or there are two ellipses.
    """
    tokens, values = Tokens(text), list[Value]()
    tokens.need(r"\[", "'['")
    groups: list[list[Field]] = [[]]
    while True:
        if tokens.take(r"\.\.\.|…"):
            groups.append([])
        else:
            groups[-1].append(_field(tokens, values))
        if not tokens.take(","):
            break
    tokens.need(r"\]", "',' or ']'")
    tokens.end()
    if len(groups) > 2:
        raise InvalidPattern("Invalid filter pattern: it has more than one ellipsis")
    check_regexes(values)
    return Fields(tuple(groups[0]), tuple(groups[1]) if len(groups) > 1 else None)


def _field(tokens: Tokens, values: list[Value]) -> Field:
    if tokens.take(r"(?=[,\]])") is not None:
        return Field("", lambda _text: True)
    if (name := tokens.take(rf"{_NAME}(?=\s*[,\]])")) is not None:
        return Field(name, lambda _text: True)
    names: list[str] = []

    def comparison(tokens: Tokens) -> Callable[[str], bool]:
        names.append(tokens.need(_NAME, "the name of a field"))
        symbol, value = tokens.need(OPERATOR, "an operator"), tokens.value()
        if symbol not in {"=", "!="} and value.number is None:
            raise InvalidPattern(f"Invalid filter pattern: the operator {symbol} needs a number")
        values.append(value)
        return lambda word: value.compare(symbol, word)

    holds = condition(tokens, comparison)
    if len(set(names)) > 1:
        raise InvalidPattern(f"Invalid filter pattern: a condition is about several fields: {', '.join(names)}")
    return Field(names[0], holds)
