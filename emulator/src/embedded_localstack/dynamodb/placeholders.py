"""Resolve the placeholders of names and values, and check that each of them is used."""

import re
from collections.abc import Mapping
from typing import Any

from embedded_localstack.dynamodb.errors import InvalidRequestError
from embedded_localstack.dynamodb.syntax import Path
from embedded_localstack.dynamodb.values import Value, normalize

_NAME = re.compile(r"#[0-9A-Za-z_]+")
_VALUE = re.compile(r":[0-9A-Za-z_]+")


class Placeholders:
    """The names and values that a request defines for its expressions."""

    def __init__(self, names: Mapping[str, str] | None, values: Mapping[str, Value] | None) -> None:
        """Check the names and values, and change the numbers to their normal form.

        Raises:
            InvalidRequestError: a placeholder or a value is invalid, or a map of names or values is empty.
        """
        self._names = _named(names, "ExpressionAttributeNames", _NAME)
        self._values = _named(values, "ExpressionAttributeValues", _VALUE)
        self._unused_names = dict.fromkeys(self._names)
        self._unused_values = dict.fromkeys(self._values)
        for key, value in self._values.items():
            try:
                normalize(value)
            except InvalidRequestError as error:
                text = f"ExpressionAttributeValues contains invalid value: {error} for key {key}"
                raise InvalidRequestError(text) from error

    def value(self, placeholder: str) -> Value:
        """Return the value of a placeholder.

        Raises:
            InvalidRequestError: the request does not define the placeholder.
        """
        if placeholder not in self._values:
            raise InvalidRequestError(
                f"An expression attribute value used in expression is not defined; attribute value: {placeholder}"
            )
        self._unused_values.pop(placeholder, None)
        value: Value = self._values[placeholder]
        return value

    def resolve(self, path: Path) -> tuple[str | int, ...]:
        """Return the parts of a path with names instead of placeholders.

        Raises:
            InvalidRequestError: the request does not define a placeholder.
        """
        return tuple(
            self._name(part) if isinstance(part, str) and part.startswith("#") else part for part in path.parts
        )

    def _name(self, placeholder: str) -> str:
        if placeholder not in self._names:
            raise InvalidRequestError(
                f"An expression attribute name used in the document path is not defined; attribute name: {placeholder}"
            )
        self._unused_names.pop(placeholder, None)
        return str(self._names[placeholder])

    def check_used(self) -> None:
        """Check that the expressions use every name and value.

        Raises:
            InvalidRequestError: a name or value is unused.
        """
        for kind, unused in (("Names", self._unused_names), ("Values", self._unused_values)):
            if unused:
                raise InvalidRequestError(
                    f"Value provided in ExpressionAttribute{kind} unused in expressions: keys: {{{', '.join(unused)}}}"
                )


def _named(defined: Mapping[str, Any] | None, parameter: str, pattern: re.Pattern[str]) -> Mapping[str, Any]:
    if defined is None:
        return {}
    if not defined:
        raise InvalidRequestError(f"{parameter} must not be empty")
    for key in defined:
        if not pattern.fullmatch(key):
            raise InvalidRequestError(f'{parameter} contains invalid key: Syntax error; key: "{key}"')
    return defined
