"""Check all expressions of a request together, because they share its names and values."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from embedded_localstack.dynamodb import conditions, key_conditions, projections, updates
from embedded_localstack.dynamodb.errors import InvalidRequestError
from embedded_localstack.dynamodb.placeholders import Placeholders

# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html#limits-expression-parameters
EXPRESSION_BYTES = 4096
_CHECKED = TypeVar("_CHECKED")
_PARSED = TypeVar("_PARSED")
Paths = list[tuple[str | int, ...]]


class Expressions:
    """The expressions of one request."""

    def __init__(self, request: Mapping[str, Any], allowed: tuple[str, ...]) -> None:
        """Check a request's names and values. `allowed` are the expression parameters of its operation.

        Raises:
            InvalidRequestError: a name or value is invalid, or no expression can use it.
        """
        self._request = request
        present = [parameter for parameter in allowed if request.get(parameter) is not None]
        with_values = [parameter for parameter in allowed if parameter != "ProjectionExpression"]
        if request.get("ExpressionAttributeNames") is not None and not present:
            raise InvalidRequestError("ExpressionAttributeNames can only be specified when using expressions")
        if request.get("ExpressionAttributeValues") is not None and not set(with_values).intersection(present):
            verb = "are" if len(with_values) > 1 else "is"
            raise InvalidRequestError(
                "ExpressionAttributeValues can only be specified when using expressions: "
                f"{' and '.join(with_values)} {verb} null"
            )
        self._placeholders = Placeholders(
            request.get("ExpressionAttributeNames"), request.get("ExpressionAttributeValues")
        )

    def condition(self, parameter: str) -> Paths:
        """Check the condition or filter in a parameter, and return its paths; none if the parameter is absent."""
        return self._checked(parameter, conditions.parse, conditions.check) or []

    def projection(self) -> Paths:
        """Check the projection, and return its paths."""
        return self._checked("ProjectionExpression", projections.parse, projections.check) or []

    def update(self) -> list[updates.Change]:
        """Check the update, and return its changes."""
        return self._checked("UpdateExpression", updates.parse, updates.check) or []

    def key_condition(self) -> key_conditions.Conditions:
        """Check the condition on keys, and return the condition of each key."""
        parameter = "KeyConditionExpression"
        self._checked(parameter, conditions.parse, conditions.check)
        return key_conditions.key_conditions(conditions.parse(self._request[parameter]), self._placeholders)

    def check_used(self) -> None:
        """Check that the expressions use all names and values.

        Raises:
            InvalidRequestError: a name or value is unused.
        """
        self._placeholders.check_used()

    def _checked(
        self, parameter: str, parse: Callable[[str], _PARSED], check: Callable[[_PARSED, Placeholders], _CHECKED]
    ) -> _CHECKED | None:
        text = self._request.get(parameter)
        if text is None:
            return None
        try:
            if not text.strip():
                raise InvalidRequestError("The expression can not be empty;")
            if len(text) * 4 > EXPRESSION_BYTES and (length := len(text.encode())) > EXPRESSION_BYTES:
                raise InvalidRequestError(
                    f"Expression size has exceeded the maximum allowed size; expression size: {length}"
                )
            return check(parse(text), self._placeholders)
        except InvalidRequestError as error:
            raise InvalidRequestError(f"Invalid {parameter}: {error}") from error
