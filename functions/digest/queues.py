"""The depth of dead-letter queues."""

from collections.abc import Sequence
from typing import Any


class Queues:
    """SQS access. Botocore's errors pass through."""

    def __init__(self, sqs: Any, urls: Sequence[str]) -> None:
        """`sqs` is a low-level client."""
        self._sqs = sqs
        self._urls = urls

    def depths(self) -> dict[str, int]:
        """Return the messages in each queue, those being received included, by the queue's name."""
        return {url.rsplit("/", 1)[-1]: self._depth(url) for url in self._urls}

    def _depth(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes.get(name, 0)) for name in names)
