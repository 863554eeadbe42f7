"""Send failed events to the dead-letter queue of a function even if the error has no message.

For such an error, LocalStack adds an attribute ErrorMessage with an empty value. SQS then refuses the message.
LocalStack does not read the response, so the event is lost.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from typing import Any


def install() -> None:
    """Leave out the attributes of a dead letter that are empty."""
    from localstack.utils.aws import dead_letter_queue  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(dead_letter_queue._prepare_messages_to_dlq)
    def _prepare_messages_to_dlq(prepare: Any, *arguments: Any, **more: Any) -> list[dict[str, Any]]:
        return [without_empty_attributes(message) for message in prepare(*arguments, **more)]


def without_empty_attributes(message: dict[str, Any]) -> dict[str, Any]:
    """Return the message without attributes that are an empty string."""
    attributes = message.get("MessageAttributes") or {}
    filled = {name: value for name, value in attributes.items() if value.get("StringValue") != ""}
    return {**message, "MessageAttributes": filled} if filled != attributes else message
