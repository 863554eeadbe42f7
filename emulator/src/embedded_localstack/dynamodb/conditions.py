"""Parse and check condition expressions, filter expressions and key condition expressions.

The result of `parse` does not depend on the request's names and values, so it is cached. `check` applies the rules that
depend on them.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.OperatorsAndFunctions.html
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from embedded_localstack.dynamodb.errors import InvalidRequestError
from embedded_localstack.dynamodb.operands import between, distinct, function
from embedded_localstack.dynamodb.placeholders import Placeholders
from embedded_localstack.dynamodb.reserved import reserved_problem
from embedded_localstack.dynamodb.syntax import (
    Call,
    Condition,
    Group,
    Operand,
    Path,
    Tokens,
    Tree,
    Variable,
    in_parentheses,
    operand_list,
)

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
OPERATORS = 300
OPTIONS = 100
COMPARATORS = frozenset(("=", "<>", "<", "<=", ">", ">="))
FUNCTIONS = frozenset(("attribute_exists", "attribute_not_exists", "attribute_type", "begins_with", "contains", "size"))


@dataclass(frozen=True)
class Parsed:
    """A parsed expression: its tree, its conditions in order, and the message for the first rule that it breaks."""

    tree: Tree
    conditions: tuple[Condition | Call, ...]
    problem: str


@lru_cache(maxsize=512)
def parse(text: str) -> Parsed:
    """Read an expression.

    Raises:
        InvalidRequestError: the text has a syntax error.
    """
    reader = _Reader(Tokens(text))
    tree = reader.disjunction()
    reader.tokens.end()
    conditions = tuple(_conditions(tree))
    problem = (
        ("The expression has redundant parentheses;" if reader.redundant else "")
        or _function_problem(conditions)
        or reserved_problem(path for condition in conditions for path in paths(condition))
        or _size_problem(conditions, reader.operators)
    )
    return Parsed(tree, conditions, problem)


class _Reader:
    """A parser for the tokens of one condition expression."""

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.redundant = False
        self.operators = 0
        self._group = (0, 0)  # positions of the last pair of parentheses

    def disjunction(self) -> Tree:
        return self._combined("OR", self._conjunction)

    def _conjunction(self) -> Tree:
        return self._combined("AND", self._negation)

    def _combined(self, operator: str, read: Callable[[], Tree]) -> Tree:
        members = [read()]
        while self.tokens.accept(operator):
            self.operators += 1
            members.append(read())
        return Group(operator, tuple(members)) if len(members) > 1 else members[0]

    def _negation(self) -> Tree:
        if self.tokens.accept("NOT"):
            self.operators += 1
            return Group("NOT", (self._negation(),))
        if self.tokens.next != "(":
            return self._condition()
        start = self.tokens.position
        try:
            return self._condition()  # the parentheses belong to the first operand
        except InvalidRequestError:
            self.tokens.position = start
        self.tokens.expect("(")
        tree = self.disjunction()
        self.redundant = self.redundant or self._group == (start + 1, self.tokens.position - 1)
        self.tokens.expect(")")
        self._group = (start, self.tokens.position - 1)
        return tree

    def _condition(self) -> Condition | Call:
        first = in_parentheses(self.tokens)
        operator = self.tokens.keyword
        if operator in COMPARATORS:
            rest = self._after(operator, lambda: (in_parentheses(self.tokens),))
        elif operator == "BETWEEN":
            rest = self._after(operator, self._bounds)
        elif operator == "IN":
            rest = self._after(operator, self._options)
        elif isinstance(first, Call):
            return first
        else:
            raise self.tokens.error()
        return Condition(operator, (first, *rest))

    def _after(self, operator: str, read: Callable[[], tuple[Operand, ...]]) -> tuple[Operand, ...]:
        self.tokens.expect(operator)
        operands = read()
        self.operators += 1
        return operands

    def _bounds(self) -> tuple[Operand, ...]:
        low = in_parentheses(self.tokens)
        self.tokens.expect("AND")
        return (low, in_parentheses(self.tokens))

    def _options(self) -> tuple[Operand, ...]:
        self.tokens.expect("(")
        options = operand_list(self.tokens)
        self.tokens.expect(")")
        return options


def _conditions(tree: Tree) -> Iterator[Condition | Call]:
    if isinstance(tree, Group):
        for member in tree.members:
            yield from _conditions(member)
    else:
        yield tree


def paths(node: Operand | Condition) -> Iterator[Path]:
    """Yield the document paths of a condition or operand."""
    if isinstance(node, Path):
        yield node
    elif not isinstance(node, Variable):
        for operand in node.operands:
            yield from paths(operand)


def calls(node: Operand | Condition) -> Iterator[Call]:
    """Yield the functions of a condition or operand."""
    if isinstance(node, Call):
        yield node
    if isinstance(node, Call | Condition):
        for operand in node.operands:
            yield from calls(operand)


def _function_problem(conditions: Iterable[Condition | Call]) -> str:
    for condition in conditions:
        for called in calls(condition):
            if called.name not in FUNCTIONS:
                return f"Invalid function name; function: {called.name}"
    for condition in conditions:
        inner = [called for called in calls(condition) if called is not condition and called.name != "size"]
        misused = [condition] if isinstance(condition, Call) and condition.name == "size" else inner
        if misused:
            return f"The function is not allowed to be used this way in an expression; function: {misused[0].name}"
    return ""


def _size_problem(conditions: Iterable[Condition | Call], operators: int) -> str:
    if operators > OPERATORS:
        return f"The expression contains too many operators; operator count: {OPERATORS + 1}"
    for condition in conditions:
        if isinstance(condition, Condition) and condition.operator == "IN" and len(condition.operands) > OPTIONS + 1:
            count = len(condition.operands) - 1
            return f"The IN operator is provided with too many operands; number of operands: {count}"
    return ""


def check(parsed: Parsed, placeholders: Placeholders) -> list[tuple[str | int, ...]]:
    """Check an expression with the names and values of its request, and return the document paths in it.

    Raises:
        InvalidRequestError: the expression breaks a rule.
    """
    if parsed.problem:
        raise InvalidRequestError(parsed.problem)
    used: list[tuple[str | int, ...]] = []
    for condition in parsed.conditions:
        operands = [_resolved(operand, placeholders, used) for operand in condition.operands]
        if isinstance(condition, Call):
            function(condition.name, operands)
        elif condition.operator == "BETWEEN":
            between(*operands[1:])
        elif condition.operator in COMPARATORS:
            distinct(condition.operator, operands)
    return used


def _resolved(operand: Operand, placeholders: Placeholders, used: list[tuple[str | int, ...]]) -> object:
    """Return a value for a placeholder, the parts of a path, or the type of a function's result."""
    if isinstance(operand, Path):
        used.append(placeholders.resolve(operand))
        return used[-1]
    if isinstance(operand, Variable):
        return placeholders.value(operand.name)
    return function(operand.name, [_resolved(inner, placeholders, used) for inner in operand.operands])
