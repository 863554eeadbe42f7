"""The errors with which DynamoDB refuses a request, with DynamoDB's messages."""


class InvalidRequestError(Exception):
    """A request that DynamoDB refuses with a ValidationException. The text is DynamoDB's message."""

    code = "ValidationException"


class TokenMismatchError(InvalidRequestError):
    """A ClientRequestToken was used before with other parameters."""

    code = "IdempotentParameterMismatchException"


class DuplicateItemError(InvalidRequestError):
    """An INSERT names an item that exists."""

    code = "DuplicateItemException"


def wrong_parameter(text: str) -> InvalidRequestError:
    """Return the error of a parameter whose value breaks a rule of the table."""
    return InvalidRequestError(f"One or more parameter values were invalid: {text}")


def broken_constraint(value: object, place: str, constraint: str) -> InvalidRequestError:
    """Return the error of a parameter that breaks a constraint of the API."""
    shown = "" if value is None else f" '{value}'"
    return InvalidRequestError(
        f"1 validation error detected: Value{shown} at '{place}' failed to satisfy constraint: {constraint}"
    )
