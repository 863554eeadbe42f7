"""Find out from the catalog, the manifests and the queues what happened to messages that a command sent.

The consumer of a sent message may fail again. So the command waits for a short time and reports the results so far.
"""

import importlib.util
import json
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import batched
from typing import Any

from botocore.exceptions import ClientError

from eventloom import catalog
from eventloom.operations.failure_queues import DLQ, FAILURES, count_messages
from eventloom.operations.target import Target
from shared.text import utc_text
from thumbnailer.events import MalformedMessage, parse

# Only this many objects are looked up, because each manifest needs a request, and so does each batch of items.
MOST_OBJECTS = 1000
# The maximum number of items in a BatchGetItem request
_BATCH = 100
_THREADS = 8
# The prefix of the converter's uploads: RAW_PREFIX in terraform/converter.tf
_RAW_PREFIX = "raw/"
_CONVERTER = "converter"
# "waiting": the message is still in the consumer's queue. "no_result": the object may be in progress, or its message
# failed.
WAITING, NO_RESULT, UNCHANGED, FAILED_AGAIN = "waiting", "no_result", "unchanged", "failed_again"


class Effects:
    """Records the messages that a command sends, and reads their results. It changes nothing."""

    def __init__(self, target: Target) -> None:
        """Take the target, and record the time. Later changes of items and manifests count as effects."""
        self._target = target
        self._client = target.client
        self._outputs = target.outputs
        self._since = datetime.fromtimestamp(target.now(), UTC)
        self._sent: Counter[tuple[str, str]] = Counter()
        self._images: dict[str, None] = {}
        self._manifests: dict[str, None] = {}

    def sent(self, function: str, queue_url: str, bodies: Sequence[str]) -> None:
        """Record messages that were sent to a queue, or events that were sent to the function in folder `function`."""
        self._sent[function, queue_url] += len(bodies)
        for body in bodies:
            if queue_url and queue_url == self._outputs.get("uploads_queue_url"):
                _keep(self._images, _images(body))
            elif function == _CONVERTER:
                _keep(self._manifests, _manifests(body))

    def wait(self) -> dict[str, int]:
        """Wait until everything is processed, but at most `patience_s` seconds. Returns the number of each result.

        The results are the statuses of items and manifests in lower case, and these: `unchanged` for images that were
        already correct, `waiting` for messages that are still in their queue, `no_result` for objects without a result
        so far, and `failed_again` for messages that returned to a queue of failures.
        """
        if not self._sent:
            return {}
        sqs = self._client("sqs")
        before = {url: count_messages(sqs, url) for url in self._failure_queues()}
        end = self._target.now() + self._target.patience_s
        while True:
            counts = self._look(before)
            is_over = not counts[WAITING] and counts[NO_RESULT] <= counts[FAILED_AGAIN]
            if is_over or self._target.now() >= end:
                return {name: count for name, count in sorted(counts.items()) if count}
            time.sleep(self._target.poll_s)

    def _look(self, before: dict[str, int]) -> Counter[str]:
        sqs, counts = self._client("sqs"), Counter[str]()
        for (_, url), sent in self._sent.items():
            counts[WAITING] += min(sent, count_messages(sqs, url)) if url else 0
        counts.update(self._image_results(is_waiting=counts[WAITING] > 0))
        with ThreadPoolExecutor(_THREADS) as pool:
            counts.update(pool.map(self._manifest_result, self._manifests))
        counts[FAILED_AGAIN] = sum(max(0, count_messages(sqs, url) - count) for url, count in before.items())
        return counts

    def _image_results(self, *, is_waiting: bool) -> Iterator[str]:
        """Yield the result of each image in the catalog. While messages wait, images without a result are skipped."""
        since, table = utc_text(self._since), self._outputs["catalog_table"]
        for part in batched(self._images, _BATCH, strict=False):
            items = {item["image_id"]: item for item in catalog.items(self._client("dynamodb"), table, part)}
            for image in part:
                item = items.get(image)
                if item and item.get("processed_at", "") >= since:
                    yield str(item["status"]).lower()
                elif not is_waiting:
                    yield UNCHANGED if item else NO_RESULT

    def _manifest_result(self, key: str) -> str:
        try:
            answer = self._client("s3").get_object(Bucket=self._outputs["analytics_bucket"], Key=key)
        except ClientError:
            return NO_RESULT
        # LastModified has whole seconds.
        if answer["LastModified"] < self._since.replace(microsecond=0):
            return NO_RESULT
        return str(json.loads(answer["Body"].read())["status"]).lower()

    def _failure_queues(self) -> Iterator[str]:
        """Yield the URLs of the queues that receive the messages if they fail again."""
        functions, sqs = self._outputs["functions"], self._client("sqs")
        for function, url in self._sent:
            if function in functions:
                name = f"{functions[function]['function_name']}{FAILURES}"
            else:
                name = f"{url.rsplit('/', 1)[-1]}{DLQ}"
            try:
                yield sqs.get_queue_url(QueueName=name)["QueueUrl"]
            except ClientError:
                continue  # The queue or function has no queue of failures.


def text(effect: dict[str, int]) -> str:
    """Return an effect in words, or "" if it is empty."""
    parts = [f"{count:,} {name.replace('_', ' ')}" for name, count in effect.items()]
    return f"; effect so far: {', '.join(parts)}" if parts else ""


def _keep(names: dict[str, None], more: Iterable[str]) -> None:
    for name in more:
        if len(names) < MOST_OBJECTS:
            names[name] = None


def _images(body: str) -> Iterator[str]:
    """Yield the image ids of the events in a message of the uploads queue."""
    try:
        events, _ = parse(body)
    except MalformedMessage:
        return
    yield from (event.image_id for event in events)


def _manifests(body: str) -> Iterator[str]:
    """Yield the manifest keys of the files in an event of the converter.

    Yields nothing if the converter was removed from the repository: docs/how-to/remove-a-function.md.
    """
    if importlib.util.find_spec(_CONVERTER) is None:
        return
    from converter.sources import sources  # noqa: PLC0415

    try:
        event: Any = json.loads(body)
        yield from [source.manifest_key for source in sources(event, _RAW_PREFIX)]
    except (ValueError, KeyError, TypeError, AttributeError):
        return
