"""Combine the events of a shard into few writes, without side effects.

A chunk is a part of the shard without gaps. One transaction applies it together with the checkpoint. So every event
counts exactly once, even if Lambda repeats, splits or combines batches.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from activity.views import Reject, View

# The limit is "up to 100 actions", and one of them writes the checkpoint:
# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
MAX_WRITES = 99
TOTAL = "total"

# The image id, and TOTAL or "day#<day>"
type CounterKey = tuple[str, str]


@dataclass
class Chunk:
    """The increments of the events with the sequence numbers `first` to `last`.

    `counters` contains for each counter the increments by event type.
    """

    first: str
    last: str
    counters: dict[CounterKey, Counter[str]] = field(default_factory=dict)
    rejects: list[Reject] = field(default_factory=list)

    @property
    def events(self) -> int:
        """Return the number of counted events."""
        return sum(counts.total() for (_, period), counts in self.counters.items() if period == TOTAL)


def keys_of(event: View | Reject) -> list[CounterKey]:
    """Return the keys of the counters that an event increments."""
    return [] if isinstance(event, Reject) else [(event.image_id, TOTAL), (event.image_id, f"day#{event.day}")]


def chunks(events: Iterable[View | Reject], max_writes: int = MAX_WRITES) -> Iterator[Chunk]:
    """Split events in the shard's order into chunks of at most `max_writes` items, which must be 2 or more."""
    chunk: Chunk | None = None
    for event in events:
        keys = keys_of(event)
        if chunk is not None:
            new = sum(key not in chunk.counters for key in keys) + isinstance(event, Reject)
            if len(chunk.counters) + len(chunk.rejects) + new > max_writes:
                yield chunk
                chunk = None
        if chunk is None:
            chunk = Chunk(event.sequence, event.sequence)
        chunk.last = event.sequence
        for key in keys:
            chunk.counters.setdefault(key, Counter())[event.type if isinstance(event, View) else ""] += 1
        if isinstance(event, Reject):
            chunk.rejects.append(event)
    if chunk is not None:
        yield chunk
