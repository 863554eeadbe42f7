"""Parse patterns of terms, such as `ERROR "a phrase"`, `?ERROR ?WARN`, `ERROR -Exiting` and `%regex%`."""

import re
from dataclasses import dataclass

from embedded_localstack.log_patterns.values import InvalidPattern, Match, regex, unquoted

_TERM = re.compile(r'([-?]?)("(?:[^"\\]|\\.)*"|\w+)(?=\s|\Z)')


@dataclass(frozen=True)
class Terms:
    """A pattern of required, excluded and optional terms."""

    required: tuple[str, ...]
    excluded: tuple[str, ...]
    optional: tuple[str, ...]

    def match(self, message: str) -> Match | None:
        """Return a match if the message has all required terms and no excluded term.

        As on AWS, other terms make optional terms ineffective, so `?ERROR ?ARGUMENTS REQUEST` means `REQUEST`.
        """
        if not self.required and not self.excluded and self.optional:
            return Match() if any(term in message for term in self.optional) else None
        wrong = any(term not in message for term in self.required) or any(term in message for term in self.excluded)
        return None if wrong else Match()


@dataclass(frozen=True)
class Regex:
    """A pattern that is a single regular expression."""

    expression: re.Pattern[str]

    def match(self, message: str) -> Match | None:
        """Return a match if the expression is found anywhere in the message."""
        return Match() if self.expression.search(message) else None


def parse(text: str) -> Terms | Regex:
    """Parse the terms of a pattern. An empty pattern or a blank quoted term matches everything.

    Raises:
        InvalidPattern: a term without quotation marks has other characters than letters, digits and underscores.
    """
    if text.startswith("%") and text.endswith("%") and len(text) > 2:
        return Regex(regex(text[1:-1]))
    groups: dict[str, list[str]] = {"": [], "-": [], "?": []}
    position = 0
    while position < len(text):
        term = _TERM.match(text, position)
        if not term:
            invalid = re.search(r'[^\w\s"?-]+', text[position:]) or re.search(r"[^\w\s]+", text[position:])
            raise InvalidPattern(f"Invalid character(s) in term '{invalid.group() if invalid else text[position:]}'")
        word = term.group(2)
        content = unquoted(word) if word.startswith('"') else word
        if content.strip():
            groups[term.group(1)].append(content)
        position = term.end() + len(text[term.end() :]) - len(text[term.end() :].lstrip())
    return Terms(tuple(groups[""]), tuple(groups["-"]), tuple(groups["?"]))
