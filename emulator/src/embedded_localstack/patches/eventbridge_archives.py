"""EventBridge archives: LocalStack 4.14 keeps the time of an event as text, and fails with that when it replays the
archive.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any


def install() -> None:
    """Keep the time of an event as a time."""
    from localstack.services.events.archive import ArchiveService  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(ArchiveService.put_events)
    def put_events(original: Callable[..., None], self: Any, events: Iterable[dict[str, Any]]) -> None:
        original(self, [{**event, "time": datetime.fromisoformat(event["time"])} for event in events])
