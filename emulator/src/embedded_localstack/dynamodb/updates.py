"""Parse and check update expressions.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.UpdateExpressions.html
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from embedded_localstack.dynamodb.conditions import calls, paths
from embedded_localstack.dynamodb.errors import InvalidRequestError
from embedded_localstack.dynamodb.operands import no_path, type_name, wrong_count, wrong_type
from embedded_localstack.dynamodb.overlaps import check_overlaps
from embedded_localstack.dynamodb.placeholders import Placeholders
from embedded_localstack.dynamodb.reserved import reserved_problem
from embedded_localstack.dynamodb.syntax import Call, Operand, Path, Tokens, Variable, in_parentheses, path

_HUMAN = {"S": "STRING", "N": "NUMBER", "B": "BINARY", "NULL": "NULL", "BOOL": "BOOLEAN", "L": "LIST", "M": "MAP"}
SECTIONS = ("SET", "REMOVE", "ADD", "DELETE")


@dataclass(frozen=True, slots=True)
class Action:
    """A change of one attribute. An arithmetic operation is represented as a call of "+" or "-"."""

    section: str
    path: Path
    operand: Operand | None


@dataclass(frozen=True)
class ParsedUpdate:
    """A parsed update expression: its actions, and the error message of the first rule that it breaks."""

    actions: tuple[Action, ...]
    problem: str


@dataclass(frozen=True, slots=True)
class Change:
    """A checked action: the path that it changes, and the type of the new value if the expression determines it."""

    path: tuple[str | int, ...]
    type: str


@lru_cache(maxsize=512)
def parse(text: str) -> ParsedUpdate:
    """Read an update expression.

    Raises:
        InvalidRequestError: the text has a syntax error.
    """
    tokens = Tokens(text)
    actions: list[Action] = []
    sections: list[str] = []
    while not sections or tokens.next:
        section = tokens.keyword
        if section not in SECTIONS:
            raise tokens.error()
        tokens.take()
        sections.append(section)
        actions.append(_READERS[section](tokens))
        while tokens.accept(","):
            actions.append(_READERS[section](tokens))
    return ParsedUpdate(tuple(actions), _problem(actions, sections))


def _set(tokens: Tokens) -> Action:
    target = path(tokens)
    tokens.expect("=")
    return Action("SET", target, _sum(tokens))


def _sum(tokens: Tokens) -> Operand:
    if tokens.next == "(":
        start = tokens.position
        tokens.take()
        inner = _sum(tokens)
        tokens.expect(")")
        if tokens.next not in ("+", "-"):
            return inner
        tokens.position = start
    first = in_parentheses(tokens)
    if tokens.next in ("+", "-"):
        return Call(tokens.take(), (first, in_parentheses(tokens)))
    return first


def _remove(tokens: Tokens) -> Action:
    return Action("REMOVE", path(tokens), None)


def _change_set(section: str) -> Callable[[Tokens], Action]:
    def read(tokens: Tokens) -> Action:
        target = path(tokens)
        if not tokens.next.startswith(":") or tokens.next == ":":
            raise tokens.error()
        return Action(section, target, Variable(tokens.take()))

    return read


_READERS = {"SET": _set, "REMOVE": _remove, "ADD": _change_set("ADD"), "DELETE": _change_set("DELETE")}


def _problem(actions: list[Action], sections: list[str]) -> str:
    targets = [action.path for action in actions]
    operands = [action.operand for action in actions if action.operand is not None]
    if problem := reserved_problem([*targets, *(used for operand in operands for used in paths(operand))]):
        return problem
    for operand in operands:
        for called in calls(operand):
            if called.name not in ("if_not_exists", "list_append", "+", "-"):
                return f"Invalid function name; function: {called.name}"
    for section in sections:
        if sections.count(section) > 1:
            return f'The "{section}" section can only be used once in an update expression;'
    return ""


def check(parsed: ParsedUpdate, placeholders: Placeholders) -> list[Change]:
    """Check an update expression with the names and values of its request, and return the changes.

    Raises:
        InvalidRequestError: the expression breaks a rule.
    """
    if parsed.problem:
        raise InvalidRequestError(parsed.problem)
    targets = [placeholders.resolve(action.path) for action in parsed.actions]
    resolved = [_resolved(action.operand, placeholders) if action.operand else None for action in parsed.actions]
    check_overlaps(targets)
    changes = []
    for action, target, operand in zip(parsed.actions, targets, resolved, strict=True):
        kind = type_name(_result(operand)) if operand else ""
        if action.section in ("ADD", "DELETE") and kind in _HUMAN and (action.section, kind) != ("ADD", "N"):
            raise InvalidRequestError(
                "Incorrect operand type for operator or function; "
                f"operator: {action.section}, operand type: {_HUMAN[kind]}"
            )
        changes.append(Change(target, kind if action.section != "REMOVE" else ""))
    return changes


@dataclass(frozen=True, slots=True)
class _ResolvedCall:
    name: str
    operands: list[object]


def _resolved(operand: Operand, placeholders: Placeholders) -> object:
    if isinstance(operand, Path):
        return placeholders.resolve(operand)
    if isinstance(operand, Variable):
        return placeholders.value(operand.name)
    return _ResolvedCall(operand.name, [_resolved(inner, placeholders) for inner in operand.operands])


def _result(operand: object) -> object:
    """Check a function's operands and return its result type. Return any other operand unchanged.

    Raises:
        InvalidRequestError: the number of operands or a type is wrong.
    """
    if not isinstance(operand, _ResolvedCall):
        return operand
    operands = [_result(inner) for inner in operand.operands]
    if len(operands) != 2:
        raise wrong_count(operand.name, len(operands))
    if operand.name == "if_not_exists":
        if not isinstance(operands[0], tuple):
            raise no_path(operand.name)
        return type_name(operands[1])
    expected = "L" if operand.name == "list_append" else "N"
    for inner in operands:
        if isinstance(inner, dict) and type_name(inner) != expected:
            raise wrong_type(operand.name, type_name(inner))
    return expected
