"""Define the errors of requests that DynamoDB refuses. Their messages are DynamoDB's."""


class InvalidRequestError(Exception):
    """DynamoDB refuses the request with a ValidationException. The text is DynamoDB's message."""

    code = "ValidationException"


class TokenMismatchError(InvalidRequestError):
    """A ClientRequestToken was used before with other parameters."""

    code = "IdempotentParameterMismatchException"


class DuplicateItemError(InvalidRequestError):
    """An INSERT names an item that exists."""

    code = "DuplicateItemException"


def wrong_parameter(text: str) -> InvalidRequestError:
    """Return the error for a parameter value that does not fit the table."""
    return InvalidRequestError(f"One or more parameter values were invalid: {text}")


def broken_constraint(value: object, place: str, constraint: str) -> InvalidRequestError:
    """Return the error for a parameter value that breaks a constraint of the API."""
    shown = "" if value is None else f" '{value}'"
    return InvalidRequestError(
        f"1 validation error detected: Value{shown} at '{place}' failed to satisfy constraint: {constraint}"
    )
