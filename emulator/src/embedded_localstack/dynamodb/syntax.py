"""Split DynamoDB's expressions into tokens, and parse their common parts.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.html
"""

import re
from dataclasses import dataclass

from embedded_localstack.dynamodb.errors import InvalidRequestError

_TOKEN = re.compile(r"\s*(?:([#:]?[A-Za-z0-9_]+)|(<>|<=|>=|[^\sA-Za-z0-9_]))")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|#[A-Za-z0-9_]+")
KEYWORDS = frozenset(("AND", "OR", "NOT", "IN", "BETWEEN"))


@dataclass(frozen=True, slots=True)
class Path:
    """A document path. Its parts are names, placeholders of names ("#n"), and positions in lists."""

    parts: tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Variable:
    """A placeholder of a value, such as ":v"."""

    name: str


@dataclass(frozen=True, slots=True)
class Call:
    """A function with its operands."""

    name: str
    operands: tuple["Operand", ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition: an operator ("=", "BETWEEN", "IN" ...) with its operands."""

    operator: str
    operands: tuple["Operand", ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Conditions that are combined by "AND", "OR" or "NOT"."""

    operator: str
    members: tuple["Tree", ...]


Operand = Path | Variable | Call
Tree = Condition | Call | Group


class Tokens:
    """The tokens of an expression, and the position in them."""

    def __init__(self, text: str) -> None:
        """Split the text."""
        self._text = text
        self._spans = [match.span(match.lastindex or 0) for match in _TOKEN.finditer(text)]
        self._tokens = [text[start:end] for start, end in self._spans]
        self.position = 0

    @property
    def next(self) -> str:
        """The next token; empty at the end."""
        return self._tokens[self.position] if self.position < len(self._tokens) else ""

    @property
    def second(self) -> str:
        """The token after the next one; empty at the end."""
        return self._tokens[self.position + 1] if self.position + 1 < len(self._tokens) else ""

    @property
    def keyword(self) -> str:
        """The next token in upper case."""
        return self.next.upper()

    def take(self) -> str:
        """Return the next token and move past it."""
        token = self.next
        self.position += 1
        return token

    def accept(self, token: str) -> bool:
        """Move past the next token if it equals `token`, ignoring case. Return whether it does."""
        matches = self.keyword == token
        self.position += matches
        return matches

    def expect(self, token: str) -> None:
        """Move past the token `token`.

        Raises:
            InvalidRequestError: the next token is another one.
        """
        if not self.accept(token):
            raise self.error()

    def end(self) -> None:
        """Check that no tokens are left.

        Raises:
            InvalidRequestError: there are more tokens.
        """
        if self.next:
            raise self.error()

    def error(self) -> InvalidRequestError:
        """Return the syntax error for the next token, with the text around it."""
        start = self._spans[max(0, min(self.position, len(self._spans)) - 1)][0] if self._spans else 0
        end = self._spans[self.position + 1][1] if self.position + 1 < len(self._spans) else len(self._text)
        token = self.next or "<EOF>"
        return InvalidRequestError(f'Syntax error; token: "{token}", near: "{self._text[start:end]}"')


def path(tokens: Tokens) -> Path:
    """Read a document path.

    Raises:
        InvalidRequestError: the next tokens are not a path.
    """
    parts: list[str | int] = [_name(tokens)]
    while tokens.next in (".", "["):
        if tokens.take() == ".":
            parts.append(_name(tokens))
            continue
        if not tokens.next.isdigit():
            raise tokens.error()
        parts.append(int(tokens.take()))
        tokens.expect("]")
    return Path(tuple(parts))


def paths(tokens: Tokens) -> list[Path]:
    """Read the paths of a projection.

    Raises:
        InvalidRequestError: the tokens are not a list of paths.
    """
    read = [path(tokens)]
    while tokens.accept(","):
        read.append(path(tokens))
    return read


def _name(tokens: Tokens) -> str:
    if not _NAME.fullmatch(tokens.next) or tokens.keyword in KEYWORDS:
        raise tokens.error()
    return tokens.take()


def operand(tokens: Tokens) -> Operand:
    """Read an operand: a path, a placeholder of a value, or a function.

    Raises:
        InvalidRequestError: the next tokens are not an operand.
    """
    if tokens.next.startswith(":") and len(tokens.next) > 1:
        return Variable(tokens.take())
    if tokens.second == "(" and not tokens.next.startswith("#") and _NAME.fullmatch(tokens.next):
        return call(tokens)
    return path(tokens)


def call(tokens: Tokens) -> Call:
    """Read a function and its operands.

    Raises:
        InvalidRequestError: the next tokens are not a function.
    """
    name = _name(tokens)
    tokens.expect("(")
    operands = operand_list(tokens)
    tokens.expect(")")
    return Call(name, operands)


def operand_list(tokens: Tokens) -> tuple[Operand, ...]:
    """Read operands with commas between them.

    Raises:
        InvalidRequestError: the next tokens are not operands.
    """
    operands = [in_parentheses(tokens)]
    while tokens.accept(","):
        operands.append(in_parentheses(tokens))
    return tuple(operands)


def in_parentheses(tokens: Tokens) -> Operand:
    """Read an operand that may be in parentheses.

    Raises:
        InvalidRequestError: the next tokens are not an operand.
    """
    if not tokens.accept("("):
        return operand(tokens)
    inner = in_parentheses(tokens)
    tokens.expect(")")
    return inner
