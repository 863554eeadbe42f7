"""Archives of EventBridge: LocalStack 4.14 keeps an event's time as text, and fails with it when it replays the archive.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
"""
# mypy: disable-error-code="import-not-found"

from collections.abc import Iterable
from datetime import datetime
from typing import Any


def install() -> None:
    """Keep it as a time."""
    from localstack.services.events.archive import ArchiveService  # noqa: PLC0415 - only a running server has it

    original = ArchiveService.put_events

    def put_events(self: Any, events: Iterable[dict[str, Any]]) -> None:
        original(self, [{**event, "time": datetime.fromisoformat(event["time"])} for event in events])

    ArchiveService.put_events = put_events
