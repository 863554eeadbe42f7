"""The Lambda handler, which counts the events in Kinesis records in the activity table."""

import random
import time
from typing import Any

from activity.batch import count_batch
from activity.settings import Settings
from activity.table import ActivityTable
from shared.clients import client
from shared.deadline import Deadline, LambdaContext
from shared.observability import with_metrics
from shared.settings import load

SETTINGS = load(Settings)


@with_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Count a batch. The response contains the first sequence number that was not counted, for Lambda's retry."""
    table = ActivityTable(client("dynamodb"), SETTINGS)
    failed = count_batch(event["Records"], table, SETTINGS, Deadline(context), _pause)
    return {"batchItemFailures": [{"itemIdentifier": failed}] if failed else []}


def _pause(attempt: int) -> None:
    time.sleep(random.uniform(0, min(1.0, 0.02 * 2**attempt)))  # noqa: S311 - spreads retries
