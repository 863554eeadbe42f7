"""Find reserved words, which DynamoDB refuses as attribute names in expressions. The list is moto's.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ReservedWords.html
"""
# mypy: disable-error-code="import-untyped"

from collections.abc import Iterable
from functools import cache

from embedded_localstack.dynamodb.syntax import Path


@cache
def _words() -> frozenset[str]:
    from moto.dynamodb.parsing.reserved_keywords import ReservedKeywords  # noqa: PLC0415 - reads the environment when imported

    return frozenset(word.upper() for word in ReservedKeywords.get_reserved_keywords())


def reserved_problem(paths: Iterable[Path]) -> str:
    """Return the error message for the first path with a reserved word; empty if no path has one."""
    for path in paths:
        for part in path.parts:
            if isinstance(part, str) and part.upper() in _words():
                return f"Attribute name is a reserved keyword; reserved keyword: {part}"
    return ""
