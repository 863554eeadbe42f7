"""Count the requests that may change a stream, so that nobody has to read a stream that has not changed.

Table streams are streams of Kinesis in LocalStack, and their records also arrive as requests to Kinesis.
"""
# mypy: disable-error-code="import-not-found"

import threading
import time
from typing import Any

# The operations that change no stream.
READING = ("Describe", "Get", "List", "SubscribeToShard")
# A shard is read at least this often, for a change that no request made.
SECONDS = 15


class Changes:
    """The number of requests that may have changed a stream. A request counts when it is answered."""

    def __init__(self) -> None:
        self.number = 0
        self._lock = threading.Lock()

    def __call__(self, _chain: Any, context: Any, _response: Any) -> None:
        """Count a request: a response handler in LocalStack's chain."""
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
            empty: whether there was nothing to read, and nothing waits for a full batch.
        """
        if empty:
            self._read[shard] = number, time.monotonic()
        else:
            self._read.pop(shard, None)

    def holds(self, shard: str) -> bool:
        """Return whether reading the shard would give nothing."""
        number, moment = self._read.get(shard, (-1, 0.0))
        return number == changes.number and time.monotonic() - moment < SECONDS


def install() -> None:
    """Count the requests of the running server."""
    from localstack.aws.handlers import run_custom_response_handlers  # noqa: PLC0415 - only a running server has it

    run_custom_response_handlers.append(changes)
