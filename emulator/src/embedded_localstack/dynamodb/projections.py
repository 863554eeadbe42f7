"""Parse and check projection expressions.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Expressions.ProjectionExpressions.html
"""

from functools import lru_cache

from embedded_localstack.dynamodb.errors import InvalidRequestError
from embedded_localstack.dynamodb.overlaps import check_overlaps
from embedded_localstack.dynamodb.placeholders import Placeholders
from embedded_localstack.dynamodb.reserved import reserved_problem
from embedded_localstack.dynamodb.syntax import Path, Tokens, paths


@lru_cache(maxsize=512)
def parse(text: str) -> tuple[tuple[Path, ...], str]:
    """Return the paths of a projection expression and the error message of the first rule that it breaks.

    Raises:
        InvalidRequestError: the text has a syntax error.
    """
    tokens = Tokens(text)
    read = tuple(paths(tokens))
    tokens.end()
    return read, reserved_problem(read)


def check(parsed: tuple[tuple[Path, ...], str], placeholders: Placeholders) -> list[tuple[str | int, ...]]:
    """Check a projection with the names of its request, and return the paths.

    Raises:
        InvalidRequestError: the expression breaks a rule.
    """
    read, problem = parsed
    if problem:
        raise InvalidRequestError(problem)
    resolved = [placeholders.resolve(path) for path in read]
    check_overlaps(resolved)
    return resolved


def joined(path: tuple[str | int, ...]) -> list[str]:
    """Return the names of a path, each with its list positions, such as `["a", "b[0]"]`."""
    names: list[str] = []
    for part in path:
        if isinstance(part, int):
            names[-1] += f"[{part}]"
        else:
            names.append(part)
    return names
