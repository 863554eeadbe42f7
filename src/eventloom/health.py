"""Read the health of a deployed environment: its messages that wait or have failed, and its alarms."""

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
    """The approximate numbers of messages of a queue that wait, and that a consumer has."""

    name: str
    waiting: int
    in_flight: int

    @property
    def holds_failures(self) -> bool:
        """Return whether the queue is for messages that failed for good."""
        return self.name.endswith((DLQ, FAILURES))


@dataclass(frozen=True)
class Health:
    """The queues of an environment, and the names of its alarms that are in ALARM."""

    queues: list[QueueDepth]
    alarms: list[str]

    @property
    def backlog(self) -> list[QueueDepth]:
        """Return the queues that consumers read."""
        return [queue for queue in self.queues if not queue.holds_failures]

    @property
    def failures(self) -> list[QueueDepth]:
        """Return the queues of failures that hold messages."""
        return [queue for queue in self.queues if queue.holds_failures and queue.waiting + queue.in_flight]


def read(client: Callable[[str], Any], prefix: str) -> Health:
    """Return the health of the environment whose names begin with `prefix` and '-'."""
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
    """Return the names of an environment's alarms that are in ALARM."""
    kinds = {"MetricAlarm": "MetricAlarms", "CompositeAlarm": "CompositeAlarms"}
    pages = cloudwatch.get_paginator("describe_alarms").paginate(
        AlarmNamePrefix=f"{prefix}-", StateValue="ALARM", AlarmTypes=[*kinds]
    )
    answers = [alarm for page in pages for kind in kinds.values() for alarm in page.get(kind, [])]
    # LocalStack returns alarms in every state.
    return sorted(alarm["AlarmName"] for alarm in answers if alarm["StateValue"] == "ALARM")
