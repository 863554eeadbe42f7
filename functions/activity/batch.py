"""Count the events in a batch of Kinesis records, shard by shard."""

from collections.abc import Callable, Iterable
from itertools import groupby
from operator import attrgetter
from typing import Any

from activity.counting import Counters, count
from activity.settings import Settings
from activity.views import parse, unpadded
from shared.deadline import Deadline
from shared.observability import MetricUnit, logger, metrics


def count_batch(
    records: Iterable[dict[str, Any]],
    counters: Counters,
    settings: Settings,
    deadline: Deadline,
    pause: Callable[[int], None],
) -> str | None:
    """Count the events of a batch; `pause(attempt)` waits before another attempt at a busy table.

    Returns the first sequence number that was not counted, or None if all are counted. Lambda repeats the records from
    this number.
    """
    for shard, shard_records in groupby(records, key=_shard):
        events = sorted(
            (parse(record, settings.types, settings.max_age) for record in shard_records), key=attrgetter("sequence")
        )
        tally = count(counters, shard, events, deadline, pause)
        numbers = {"first": unpadded(events[0].sequence), "last": unpadded(events[-1].sequence)}
        logger.info("counted", extra={"shard": shard, **numbers, **vars(tally)})
        metrics.add_metric("EventsCounted", MetricUnit.Count, tally.counted)
        metrics.add_metric("EventsRejected", MetricUnit.Count, tally.rejected)
        metrics.add_metric("EventsRepeated", MetricUnit.Count, tally.repeated)
        if tally.failed:
            return unpadded(tally.failed)
    return None


def _shard(record: dict[str, Any]) -> str:
    """Return the stream and the shard of a record as "<stream>#<shard id>"."""
    return f"{record['eventSourceARN'].rsplit('/', 1)[-1]}#{record['eventID'].split(':')[0]}"
