"""Store the time of archived EventBridge events as a datetime.

LocalStack 4.14 stores it as text, and then fails to replay the archive.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-replay-archived-event.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any


def install() -> None:
    """Convert the time of each event before LocalStack stores the event."""
    from localstack.services.events.archive import ArchiveService  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(ArchiveService.put_events)
    def put_events(original: Callable[..., None], self: Any, events: Iterable[dict[str, Any]]) -> None:
        original(self, [{**event, "time": datetime.fromisoformat(event["time"])} for event in events])
