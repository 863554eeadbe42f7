"""Handle the events of a batch of SQS messages, and report which messages must be delivered again.

Messages are independent: a failed message does not keep others from being acknowledged. Events of the same object are
handled one after the other, newest first, so the older events are already stale. Different objects are handled at the
same time.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from shared.deadline import Deadline
from shared.identity import correlation_id
from shared.observability import MetricUnit, logger, metrics, single_metric
from shared.sequencers import padded
from shared.text import utc_text
from thumbnailer import events
from thumbnailer.events import MalformedMessage, ObjectEvent
from thumbnailer.imaging.decoder import SLOWEST_S
from thumbnailer.pipeline import Contended, Outcome
from thumbnailer.storage import NotRemoved

# These errors are temporary, or an operator fixes them (permissions, a missing table). They need no stack trace.
_TRANSIENT = (BotoCoreError, ClientError, Contended, NotRemoved, MemoryError, TimeoutError)
# The throughput that is assumed for a slow network
_BYTES_PER_SECOND = 10 * 1024 * 1024


@dataclass(frozen=True)
class Job:
    """An event and facts about its message.

    `deliveries` counts this delivery too. `sent_at` is in ISO 8601, or None if SQS did not provide it.
    """

    message_id: str
    deliveries: int
    event: ObjectEvent
    sent_at: str | None = None

    @property
    def log_fields(self) -> dict[str, Any]:
        """Return the fields of every log line about the event."""
        return {
            "message_id": self.message_id,
            "deliveries": self.deliveries,
            "correlation_id": correlation_id(self.event.image_id, self.event.sequencer),
            "image_id": self.event.image_id,
            "object_key": self.event.key,
            "version_id": self.event.version_id,
            "event_name": self.event.name,
            "sequencer": self.event.sequencer,
        }


@dataclass
class Summary:
    """The result of a batch: the ids of the messages to deliver again, and the outcome of each handled event."""

    failed: list[str]
    outcomes: list[Outcome]


type Handle = Callable[[Job, Deadline], Outcome]


def run(records: Iterable[Any], handle: Handle, deadline: Deadline, workers: int) -> Summary:
    """Handle the records of an SQS event, `workers` objects at a time. No message raises an exception."""
    jobs, failed = _jobs(records)
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        groups.setdefault(job.event.image_id, []).append(job)
    longest_wait = deadline.remaining_s() / 2

    def handle_group(group: list[Job]) -> list[tuple[str, Outcome | None]]:
        newest_first = sorted(group, key=lambda job: padded(job.event.sequencer), reverse=True)
        return [(job.message_id, _attempt(job, handle, deadline, longest_wait)) for job in newest_first]

    with ThreadPoolExecutor(max(1, min(workers, len(groups))), "object") as pool:
        results = [result for group in pool.map(handle_group, groups.values()) for result in group]
    failed |= {message_id for message_id, outcome in results if outcome is None}
    return Summary(sorted(failed), [outcome for _, outcome in results if outcome])


def report(summary: Summary) -> None:
    """Add metrics for the outcomes, the bytes read, the messages to retry, and the rejections by reason."""
    for name, count in Counter(outcome.result.value for outcome in summary.outcomes).items():
        metrics.add_metric(name, MetricUnit.Count, count)
    bytes_in = sum(outcome.bytes for outcome in summary.outcomes)
    if bytes_in:
        metrics.add_metric("BytesIn", MetricUnit.Bytes, bytes_in)
    metrics.add_metric("MessagesRetried", MetricUnit.Count, len(summary.failed))
    for reason, count in Counter(outcome.reason for outcome in summary.outcomes if outcome.reason).items():
        with single_metric("ImagesRejected", MetricUnit.Count, count) as metric:
            metric.add_dimension("service", metrics.service or "thumbnailer")
            metric.add_dimension("reason", reason)


def _jobs(records: Iterable[Any]) -> tuple[list[Job], set[str]]:
    """Return the events of all messages, and the ids of malformed messages, which go to the dead-letter queue."""
    jobs, failed = [], set()
    for record in records:
        message_id, body = record["messageId"], record["body"]
        attributes = record.get("attributes", {})
        deliveries = int(attributes.get("ApproximateReceiveCount", "1"))
        try:
            parsed, problems = events.parse(body)
        except MalformedMessage as error:
            parsed, problems = [], [str(error)]
        jobs += [Job(message_id, deliveries, event, _sent_at(attributes)) for event in parsed]
        if problems:
            failed.add(message_id)
            logger.error(
                "message is not an S3 notification",
                extra={"message_id": message_id, "problems": problems, "body": body},
            )
    return jobs, failed


def _sent_at(attributes: dict[str, str]) -> str | None:
    sent_ms = attributes.get("SentTimestamp")
    return utc_text(datetime.fromtimestamp(int(sent_ms) / 1000, UTC)) if sent_ms else None


def _attempt(job: Job, handle: Handle, deadline: Deadline, longest_wait: float) -> Outcome | None:
    """Return the outcome of the event, or None if its message must be delivered again."""
    needed = SLOWEST_S + (job.event.size or 0) / _BYTES_PER_SECOND
    if not deadline.allows(min(needed, longest_wait)):
        logger.warning("handed back unstarted, too little time is left", extra=job.log_fields)
        return None
    # If the file kills the process, only this line tells which object it was.
    logger.info("begun", extra=job.log_fields | {"event_time": job.event.time, "sent_at": job.sent_at})
    started = time.monotonic()
    try:
        outcome = handle(job, deadline)
    except _TRANSIENT as error:
        logger.warning("will be retried", extra=job.log_fields | {"error": f"{type(error).__name__}: {error}"})
        return None
    except Exception:
        logger.exception("unexpected error, will be retried", extra=job.log_fields)
        return None
    fields = {
        "result": outcome.result.name,
        "reason": outcome.reason,
        "duration_ms": round(1000 * (time.monotonic() - started)),
    }
    logger.info("done", extra=job.log_fields | fields)
    return outcome
