"""Count the batch of a shard: apply new events, and skip events that were applied before.

The only side effects are those of the `Counters`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from activity.aggregation import Chunk, chunks
from activity.views import Reject, View
from shared.deadline import Deadline
from shared.observability import logger

# The time for a transaction with its retries
_SECONDS_PER_CHUNK = 2.0
_MAX_ATTEMPTS = 8


class Busy(Exception):
    """The caller must read the checkpoint and try again.

    The table throttled, its response got lost, or another invocation applied events of this shard.
    """


class Counters(Protocol):
    """A store of counters and checkpoints."""

    def checkpoint(self, shard: str) -> str:
        """Return the sequence number of the last applied event, or "" if none was applied."""

    def apply(self, shard: str, checkpoint: str, chunk: Chunk) -> None:
        """Apply the whole `chunk` and move the checkpoint to its end, or change nothing and raise Busy."""


@dataclass
class Tally:
    """The result of a batch. The events from the sequence number `failed` on were not applied."""

    counted: int = 0
    rejected: int = 0
    repeated: int = 0
    failed: str | None = None


def count(
    counters: Counters, shard: str, events: Sequence[View | Reject], deadline: Deadline, pause: Callable[[int], None]
) -> Tally:
    """Apply a batch of one shard, in the shard's order; `pause(attempt)` waits before another attempt.

    Unexpected errors are raised only before any part of the batch is applied. Lambda repeats a failed batch as a whole
    and finally sets it aside, and a redrive of that batch must not count any event twice.
    """
    tally = Tally()
    attempt = 0
    checkpoint = counters.checkpoint(shard)
    remaining = [event for event in events if event.sequence > checkpoint]
    tally.repeated = len(events) - len(remaining)
    while remaining:
        chunk = next(chunks(remaining))
        if attempt >= _MAX_ATTEMPTS or not deadline.allows(_SECONDS_PER_CHUNK):
            tally.failed = remaining[0].sequence
            return tally
        try:
            if _apply(counters, shard, checkpoint, chunk):
                attempt = 0
                checkpoint = chunk.last
                tally.counted += chunk.events
                tally.rejected += len(chunk.rejects)
            else:
                attempt += 1
                pause(attempt)
                # Read the checkpoint again, because a write may have succeeded although its response was lost.
                checkpoint = counters.checkpoint(shard)
        except Exception:
            if remaining[0] is events[0]:
                raise
            logger.exception("not counted", extra={"shard": shard})
            tally.failed = remaining[0].sequence
            return tally
        remaining = [event for event in remaining if event.sequence > checkpoint]
    return tally


def _apply(counters: Counters, shard: str, checkpoint: str, chunk: Chunk) -> bool:
    """Apply a chunk. Returns False if the table was busy."""
    try:
        counters.apply(shard, checkpoint, chunk)
    except Busy:
        return False
    return True
