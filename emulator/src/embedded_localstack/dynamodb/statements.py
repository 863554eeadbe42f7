"""Translate PartiQL statements to the expressions of DynamoDB's other operations.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ql-reference.html
"""

import re
from collections.abc import Callable
from typing import Any

from embedded_localstack.dynamodb.errors import InvalidRequestError
from embedded_localstack.dynamodb.statement import Statement
from embedded_localstack.dynamodb.values import Value, normalize

_TOKEN = re.compile(
    r"""\s*(?:
    (?P<text>'(?:[^']|'')*') | (?P<quoted>"(?:[^"]|"")*") | (?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<word>[A-Za-z_][A-Za-z0-9_\-]*) | (?P<sign><<|>>|<>|!=|<=|>=|[^\s])
    )""",
    re.VERBOSE,
)
_PATH_END = ("WHERE", "RETURNING", "ORDER")
_CONSTANTS: dict[str, Value] = {"TRUE": {"BOOL": True}, "FALSE": {"BOOL": False}, "NULL": {"NULL": True}}
_OPERATORS = ("AND", "OR", "NOT", "BETWEEN")
_SET_FUNCTIONS = {"set_add": "ADD", "set_delete": "DELETE"}


class _Reader:
    def __init__(self, text: str, parameters: list[Value]) -> None:
        self._tokens = [(match.lastgroup or "", match.group(match.lastgroup or 0)) for match in _TOKEN.finditer(text)]
        self._parameters = list(parameters)
        self._position = 0
        self.statement = Statement("", "")

    @property
    def kind(self) -> str:
        return self._tokens[self._position][0] if self._position < len(self._tokens) else ""

    @property
    def next(self) -> str:
        return self._tokens[self._position][1] if self._position < len(self._tokens) else ""

    @property
    def second(self) -> str:
        return self._tokens[self._position + 1][1] if self._position + 1 < len(self._tokens) else ""

    def word(self) -> str:
        return self.next.upper() if self.kind in ("word", "sign") else ""

    def take(self) -> str:
        token = self.next
        self._position += 1
        return token

    def accept(self, *words: str) -> bool:
        if self.word() not in words:
            return False
        self._position += 1
        return True

    def expect(self, *words: str) -> None:
        for word in words:
            if not self.accept(word):
                raise self.error()

    def error(self) -> InvalidRequestError:
        token = self.next or "<EOF>"
        return InvalidRequestError(f"Statement wasn't well formed, can't be processed: Unexpected token: {token}")

    def end(self) -> None:
        if self.next:
            raise self.error()
        if self._parameters:
            raise InvalidRequestError("Number of parameters in request and statement don't match.")

    def identifier(self) -> str:
        if self.kind == "quoted":
            return self.take()[1:-1].replace('""', '"')
        if self.kind == "word":
            return self.take()
        raise self.error()

    def table(self) -> None:
        self.statement.table = self.identifier()
        if self.accept("."):
            self.statement.index = self.identifier()

    def path(self) -> str:
        path = self.statement.name(self.identifier())
        while self.next in (".", "["):
            if self.take() == ".":
                path += "." + self.statement.name(self.identifier())
            else:
                path += f"[{self.take()}]"
                self.expect("]")
        return path

    def literal(self) -> Value:
        value = self._literal()
        normalize(value)
        return value

    def _literal(self) -> Value:
        if self.kind == "text":
            return {"S": self.take()[1:-1].replace("''", "'")}
        if self.kind == "number":
            return {"N": self.take()}
        if self.word() in _CONSTANTS:
            return dict(_CONSTANTS[self.take().upper()])
        return self._parameter() if self.accept("?") else self._document()

    def _parameter(self) -> Value:
        if not self._parameters:
            raise InvalidRequestError("Number of parameters in request and statement don't match.")
        return self._parameters.pop(0)

    def _document(self) -> Value:
        if self.accept("["):
            return {"L": self._several("]", self._literal)}
        if self.accept("{"):
            return {"M": dict(self._several("}", self._pair))}
        self.expect("<<")
        return self._set()

    def _several(self, end: str, read: Callable[[], Any]) -> list[Any]:
        members: list[Any] = []
        while not self.accept(end):
            if members:
                self.expect(",")
            members.append(read())
        return members

    def _pair(self) -> tuple[str, Value]:
        name = self._literal().get("S", "") if self.kind == "text" else self.identifier()
        self.expect(":")
        return name, self._literal()

    def _set(self) -> Value:
        members = self._several(">>", self._literal)
        kinds = {kind for member in members for kind in member}
        if len(kinds) != 1 or not kinds <= {"S", "N", "B"}:
            raise InvalidRequestError("Set must be non-empty and must contain only one of the types S, N and B")
        (kind,) = kinds
        return {kind + "S": [member[kind] for member in members]}

    def condition(self) -> str:
        """Read up to RETURNING, ORDER or the end, and return a condition expression."""
        pieces: list[str] = []
        while self.next and self.word() not in ("RETURNING", "ORDER"):
            pieces.append(self._piece())
        if not pieces:
            raise self.error()
        return " ".join(pieces)

    def _piece(self) -> str:
        if self.kind == "sign" and self.next in ("(", ")", ",", "=", "<>", "!=", "<", "<=", ">", ">="):
            return "<>" if self.next == "!=" and self.take() else self.take()
        if self.word() in _OPERATORS:
            return self.take().upper()
        if self.accept("IN"):
            end = "]" if self.accept("[") else ")" if self.accept("(") else ""
            if not end:
                raise self.error()
            options = self._several(end, lambda: self.statement.value(self.literal()))
            return f"IN ({', '.join(options)})"
        if self.kind == "word" and self.second == "(":
            return self.take().lower()
        if self.kind in ("word", "quoted") and self.word() not in _CONSTANTS:
            return self._attribute()
        return self.statement.value(self.literal())

    def _attribute(self) -> str:
        path = self.path()
        if not self.accept("IS"):
            return path
        negated = self.accept("NOT")
        if self.accept("MISSING"):
            return f"attribute_{'' if negated else 'not_'}exists({path})"
        self.expect("NULL")
        is_null = f"attribute_type({path}, {self.statement.value({'S': 'NULL'})})"
        return f"NOT {is_null}" if negated else is_null

    def assignment(self) -> None:
        path = self.path()
        self.expect("=")
        function = self.next.lower()
        if function in _SET_FUNCTIONS and self.second == "(":
            self._position += 2
            self.path()
            self.expect(",")
            value = self.statement.value(self.literal())
            self.expect(")")
            self.statement.sections.setdefault(_SET_FUNCTIONS[function], []).append(f"{path} {value}")
            return
        self.statement.sections.setdefault("SET", []).append(f"{path} = {self._expression()}")

    def _expression(self) -> str:
        pieces: list[str] = []
        depth = 0
        while self.next and (depth or (self.next != "," and self.word() not in ("SET", "REMOVE", *_PATH_END))):
            depth += {"(": 1, ")": -1}.get(self.next, 0)
            signed = self.kind == "number" and self.next.startswith("-") and pieces and pieces[-1] not in ("(", ",")
            if signed:  # `n -1` is a subtraction
                pieces.append("-")
                pieces.append(self.statement.value({"N": self.take()[1:]}))
            else:
                pieces.append(self.take() if self.next in ("+", "-") else self._piece())
        return " ".join(pieces)


def parse(text: str, parameters: list[Value]) -> Statement:
    """Return the translation of a statement.

    Raises:
        InvalidRequestError: the statement has a syntax error, or the number of parameters is wrong.
    """
    reader = _Reader(text, parameters)
    kind = reader.take().upper()
    if kind not in _KINDS:
        raise InvalidRequestError(f"Statement wasn't well formed, can't be processed: Unexpected token: {kind}")
    reader.statement.kind = kind
    _KINDS[kind](reader)
    reader.end()
    return reader.statement


def _select(reader: _Reader) -> None:
    paths: list[str] = []
    if not reader.accept("*"):
        paths.append(reader.path())
        while reader.accept(","):
            paths.append(reader.path())
    reader.statement.projection = ", ".join(paths)
    reader.expect("FROM")
    reader.table()
    _where(reader)
    if reader.accept("ORDER"):
        reader.expect("BY")
        reader.identifier()
        reader.statement.descending = reader.accept("DESC")
        reader.accept("ASC")


def _where(reader: _Reader) -> None:
    if reader.accept("WHERE"):
        reader.statement.condition = reader.condition()


def _insert(reader: _Reader) -> None:
    reader.expect("INTO")
    reader.table()
    reader.expect("VALUE")
    item = reader.literal()
    if "M" not in item:
        raise reader.error()
    reader.statement.item = item["M"]


def _update(reader: _Reader) -> None:
    reader.table()
    while reader.word() in ("SET", "REMOVE"):
        read = reader.assignment if reader.take().upper() == "SET" else lambda: _remove(reader)
        read()
        while reader.accept(","):
            read()
    if not reader.statement.sections:
        raise reader.error()
    _where(reader)
    _returning(reader)


def _remove(reader: _Reader) -> None:
    reader.statement.sections.setdefault("REMOVE", []).append(reader.path())


def _delete(reader: _Reader) -> None:
    reader.expect("FROM")
    reader.table()
    _where(reader)
    _returning(reader)


def _returning(reader: _Reader) -> None:
    if not reader.accept("RETURNING"):
        return
    extent = "ALL" if reader.accept("ALL") else "UPDATED"
    if extent == "UPDATED":
        reader.expect("MODIFIED")
    age = "OLD" if reader.accept("OLD") else "NEW"
    if age == "NEW":
        reader.expect("NEW")
    reader.expect("*")
    reader.statement.returning = f"{extent}_{age}"


_KINDS = {"SELECT": _select, "INSERT": _insert, "UPDATE": _update, "DELETE": _delete}
