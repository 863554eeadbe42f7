"""Count the requests that may change a stream, so that pollers skip streams that have not changed.

LocalStack implements table streams as Kinesis streams, so their records also arrive as requests to Kinesis.
"""
# mypy: disable-error-code="import-not-found"

import threading
import time
from typing import Any

# The prefixes of the operations that change no stream.
READING = ("Describe", "Get", "List", "SubscribeToShard")
# A shard is read at least this often, in case something other than a request changed it.
SECONDS = 15


class Changes:
    """A counter of the requests that may have changed a stream. A request is counted after its response."""

    def __init__(self) -> None:
        self.number = 0
        self._lock = threading.Lock()

    def __call__(self, _chain: Any, context: Any, _response: Any) -> None:
        """Count a request. LocalStack calls this object as a response handler."""
        if not context.service or not context.operation or context.service.service_name != "kinesis":
            return
        if not context.operation.name.startswith(READING):
            with self._lock:
                self.number += 1


changes = Changes()


class Quiet:
    """The shards of a mapping that were read to their end and have not changed since."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[int, float]] = {}

    def note(self, shard: str, number: int, *, empty: bool) -> None:
        """Remember the result of reading a shard.

        Args:
            shard: the shard.
            number: the number of changes before the shard was read.
            empty: whether the shard had no records and no record waits for a full batch.
        """
        if empty:
            self._read[shard] = number, time.monotonic()
        else:
            self._read.pop(shard, None)

    def holds(self, shard: str) -> bool:
        """Return whether the shard has had no changes since it was read to its end."""
        number, moment = self._read.get(shard, (-1, 0.0))
        return number == changes.number and time.monotonic() - moment < SECONDS


def install() -> None:
    """Count the requests of the running server."""
    from localstack.aws.handlers import run_custom_response_handlers  # noqa: PLC0415 - only a running server has it

    run_custom_response_handlers.append(changes)
