"""Find document paths that conflict in one expression."""

from collections.abc import Sequence

from embedded_localstack.dynamodb.errors import InvalidRequestError
from embedded_localstack.dynamodb.operands import path_text


def check_overlaps(paths: Sequence[tuple[str | int, ...]]) -> None:
    """Check that no path contains another one, and that no two paths need different types at one place.

    Raises:
        InvalidRequestError: two paths conflict.
    """
    if len({path[0] for path in paths}) == len(paths):
        return
    for index, second in enumerate(paths):
        for first in paths[:index]:
            _check_pair(first, second)


def _check_pair(first: tuple[str | int, ...], second: tuple[str | int, ...]) -> None:
    relation = "overlap"
    for one, other in zip(first, second, strict=False):
        if type(one) is not type(other):
            relation = "conflict"
            break
        if one != other:
            return
    raise InvalidRequestError(
        f"Two document paths {relation} with each other; must remove or rewrite one of these paths; "
        f"path one: {path_text(first)}, path two: {path_text(second)}"
    )
