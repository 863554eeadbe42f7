"""Messages must be in their queue when it is written down, not on their way to somebody."""
# mypy: disable-error-code="import-not-found"

from collections.abc import Iterator
from typing import Any


def install() -> None:
    """Let a queue take messages while it hands none out: Python 3.13 refuses them, which LocalStack does not expect."""
    from localstack.services.sqs.queue import InterruptibleQueue  # noqa: PLC0415 - only a running server has it

    def put(self: Any, item: Any, *_: Any, **__: Any) -> None:
        with self.mutex:
            self._put(item)
            self.not_empty.notify()

    InterruptibleQueue.put = put


def stop() -> None:
    """Nobody receives anything any more; who waits for a message is told that there is none."""
    for queue in _queues():
        queue.shutdown()


def load() -> None:
    """Receive again, once the store is back."""
    for queue in _queues():
        for part in vars(queue).values():
            if hasattr(part, "is_shutdown"):
                part.is_shutdown = False


def _queues() -> Iterator[Any]:
    from localstack.services.sqs.models import sqs_stores  # noqa: PLC0415 - only a running server has it

    for _account, _region, store in sqs_stores.iter_stores():
        yield from list(store.queues.values())
