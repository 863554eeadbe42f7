"""Define the errors of SES v2 (https://docs.aws.amazon.com/ses/latest/APIReference-V2/CommonErrors.html)."""
# mypy: disable-error-code="import-not-found, misc"

from localstack.aws.api import CommonServiceException


class _MailError(CommonServiceException):
    def __init__(self, message: str) -> None:
        name = type(self).__name__.removesuffix("Error")
        code = name if name == "MessageRejected" else f"{name}Exception"
        super().__init__(code, message, status_code=404 if name == "NotFound" else 400, sender_fault=True)


class BadRequestError(_MailError):
    """The input is not valid."""


class NotFoundError(_MailError):
    """The resource does not exist."""


class AlreadyExistsError(_MailError):
    """A resource with this name exists."""


class MessageRejectedError(_MailError):
    """The mail cannot be sent, because the sender is not verified."""
