"""Read the health of a deployed environment: waiting messages, failed messages and alarms."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from eventloom.operations.failure_queues import DLQ, FAILURES

_WORKERS = 8
_WAITING = ("ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed")
_IN_FLIGHT = "ApproximateNumberOfMessagesNotVisible"


@dataclass(frozen=True)
class QueueDepth:
    """The approximate numbers of a queue's waiting messages, and of those that a consumer has received."""

    name: str
    waiting: int
    in_flight: int

    @property
    def holds_failures(self) -> bool:
        """Return whether the queue is for permanently failed messages."""
        return self.name.endswith((DLQ, FAILURES))


@dataclass(frozen=True)
class Health:
    """The queues of an environment, and the names of its alarms in the state ALARM."""

    queues: list[QueueDepth]
    alarms: list[str]

    @property
    def backlog(self) -> list[QueueDepth]:
        """Return the queues that consumers read."""
        return [queue for queue in self.queues if not queue.holds_failures]

    @property
    def failures(self) -> list[QueueDepth]:
        """Return the queues of failures that contain messages."""
        return [queue for queue in self.queues if queue.holds_failures and queue.waiting + queue.in_flight]


def read(client: Callable[[str], Any], prefix: str) -> Health:
    """Return the health of an environment. Its resource names begin with `prefix` and '-'."""
    sqs = client("sqs")
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=f"{prefix}-")
    urls = [url for page in pages for url in page.get("QueueUrls", [])]
    with ThreadPoolExecutor(_WORKERS, "status") as pool:
        queues = list(pool.map(partial(_depth, sqs), urls))
    return Health(sorted(queues, key=lambda queue: queue.name), alarms(client("cloudwatch"), prefix))


def _depth(sqs: Any, url: str) -> QueueDepth:
    counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[*_WAITING, _IN_FLIGHT])["Attributes"]
    return QueueDepth(url.rsplit("/", 1)[1], sum(int(counts[name]) for name in _WAITING), int(counts[_IN_FLIGHT]))


def alarms(cloudwatch: Any, prefix: str) -> list[str]:
    """Return the names of an environment's alarms in the state ALARM."""
    kinds = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=f"{prefix}-", StateValue="ALARM", AlarmTypes=[*kinds]
    )
    answers = [alarm for page in pages for kind in kinds.values() for alarm in page.get(kind, [])]
    # LocalStack ignores StateValue and returns alarms in every state.
    return sorted(alarm["AlarmName"] for alarm in answers if alarm["StateValue"] == "ALARM")
