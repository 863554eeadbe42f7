"""One shard's batch: what is news is applied, what was applied before is passed over. No AWS in it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from activity.aggregation import Chunk, chunks
from activity.views import Reject, View
from shared.deadline import Deadline
from shared.observability import logger

# A transaction with its retries
_SECONDS_PER_CHUNK = 2.0
_MAX_ATTEMPTS = 8


class Busy(Exception):
    """Another look at the checkpoint and another try may do it.

    The table refused for now, its answer got lost, or another invocation applied events of this shard.
    """


class Counters(Protocol):
    """Where counters and checkpoints are kept."""

    def checkpoint(self, shard: str) -> str:
        """The sequence number of the last event applied; "" before the first."""

    def apply(self, shard: str, checkpoint: str, chunk: Chunk) -> None:
        """Apply all of `chunk` and move the checkpoint to its end, or nothing. Raises Busy."""


@dataclass
class Tally:
    """What became of a batch. `failed` is the sequence number from which on nothing was applied."""

    counted: int = 0
    rejected: int = 0
    repeated: int = 0
    failed: str | None = None


def count(counters: Counters, shard: str, events: Sequence[View | Reject], deadline: Deadline, pause: Callable[[int], None]) -> Tally:
    """Apply a batch of one shard, in the shard's order; `pause(attempt)` waits before another attempt.

    What was not foreseen is raised only while nothing of the batch is applied. Lambda repeats the whole of a batch that raised, and
    sets it aside in the end: who sends it in again from there must find nothing in it that counts already.
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
                # Read anew even when busy: an answer that got lost may have been "done".
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
    """Whether the chunk is applied; if not, another try may do it."""
    try:
        counters.apply(shard, checkpoint, chunk)
    except Busy:
        return False
    return True
