"""The Lambda handler, which makes thumbnails and catalog items from SQS messages with S3 notifications."""

import itertools
import os
from functools import partial
from typing import Any

from shared.clients import QUICK, client
from shared.deadline import Deadline, LambdaContext
from shared.observability import logger, with_metrics
from shared.settings import load
from thumbnailer import batch
from thumbnailer.batch import Job
from thumbnailer.catalog import Catalog
from thumbnailer.imaging.decoder import Decoder
from thumbnailer.imaging.images import Photo
from thumbnailer.pipeline import Outcome, Pipeline
from thumbnailer.settings import Settings
from thumbnailer.storage import Storage
from thumbnailer.visibility import Lease

SETTINGS = load(Settings)
DECODER = Decoder(SETTINGS.limits, SETTINGS.output, int(os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "1769")))
PIPELINE = Pipeline(
    Storage(client("s3"), SETTINGS.thumbnails_bucket),
    Catalog(client("dynamodb"), SETTINGS.catalog_table),
    SETTINGS.limits,
    SETTINGS.tombstone_days,
)
SQS = client("sqs", QUICK)
# Yields True for the first invocation of this process, and then False
_COLD = itertools.chain([True], itertools.repeat(False))


@with_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle an SQS event. The response names the messages to deliver again (ReportBatchItemFailures)."""
    logger.append_keys(function_request_id=context.aws_request_id)
    with Lease(SQS, event["Records"], SETTINGS.lease_s) as lease:
        if next(_COLD):
            # The lease's first request takes longest, and would compete with requests of the workers. If the process
            # dies before this request ends, the messages come back only after the queue's visibility timeout.
            lease.wait()
        summary = batch.run(event["Records"], partial(_handle, lease), Deadline(context), SETTINGS.workers)
    lease.return_failed(summary.failed, SETTINGS.retry_delays_s)
    batch.report(summary)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in summary.failed]}


def _handle(lease: Lease, job: Job, deadline: Deadline) -> Outcome:
    def make(data: bytes) -> Photo:
        # Decoding a file may kill the process. With a lease, its messages come back when the lease ends.
        lease.wait()
        return DECODER.run(data, job.deliveries, deadline)

    return PIPELINE.handle(job.event, make)
