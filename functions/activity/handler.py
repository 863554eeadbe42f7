"""Kinesis records -> counters in the activity table."""

import random
import time
from itertools import groupby
from operator import attrgetter
from typing import Any

from activity.counting import count
from activity.settings import Settings
from activity.table import ActivityTable
from activity.views import parse, unpadded
from shared.deadline import Deadline, LambdaContext
from shared.observability import MetricUnit, logger, metrics, with_metrics
from shared.settings import load

settings = load(Settings)
table = ActivityTable(settings)


@with_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count a batch. Answers with the first sequence number that was not applied: Kinesis then repeats from there on."""
    deadline = Deadline(context)
    failures = []
    for shard, records in groupby(event["Records"], key=_shard):
        events = sorted((parse(record, settings.types, settings.max_age) for record in records), key=attrgetter("sequence"))
        tally = count(table, shard, events, deadline, _pause)
        logger.info("counted", extra={"shard": shard, **vars(tally)})
        for name, value in (("EventsCounted", tally.counted), ("EventsRejected", tally.rejected), ("EventsRepeated", tally.repeated)):
            metrics.add_metric(name, MetricUnit.Count, value)
        if tally.failed:
            failures = [{"itemIdentifier": unpadded(tally.failed)}]
            break
    return {"batchItemFailures": failures}


def _shard(record: dict[str, Any]) -> str:
    """Stream and shard of a record: "<stream>#<shard id>"."""
    return f"{record['eventSourceARN'].rsplit('/', 1)[-1]}#{record['eventID'].split(':')[0]}"


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311 - spreads retries
