"""Read the depth of dead-letter queues."""

from collections.abc import Sequence
from typing import Any


class Queues:
    """The dead-letter queues in SQS. Botocore's errors pass through."""

    def __init__(self, sqs: Any, urls: Sequence[str]) -> None:
        """`sqs` is a low-level client."""
        self._sqs = sqs
        self._urls = urls

    def depths(self) -> dict[str, int]:
        """Return the number of messages by queue name, including messages in flight."""
        return {url.rsplit("/", 1)[-1]: self._depth(url) for url in self._urls}

    def _depth(self, url: str) -> int:
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
        return sum(int(attributes.get(name, 0)) for name in names)
