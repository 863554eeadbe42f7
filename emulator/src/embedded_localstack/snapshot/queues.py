"""Queues: every message must be in its queue when that is written down, not on its way to a receiver."""
# mypy: disable-error-code="import-not-found"

from collections.abc import Iterator
from typing import Any


def install() -> None:
    """Let a queue that hands out no messages still take some.

    Python 3.13 refuses them, which LocalStack does not expect.
    """
    from localstack.services.sqs.queue import InterruptibleQueue  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import Patch  # noqa: PLC0415

    # The method is Queue's own: only the class of LocalStack gets another.
    def put(self: Any, item: Any, *_: Any, **__: Any) -> None:
        with self.mutex:
            self._put(item)
            self.not_empty.notify()

    Patch(InterruptibleQueue, "put", put).apply()


def stop() -> None:
    """Hand out no more messages. A receiver that waits gets none."""
    for store in _stores():
        for task in store.move_tasks.values():
            task.under_way = task.status == "RUNNING"
            task.cancel_event.set()
        for queue in list(store.queues.values()):
            queue.shutdown()


def load() -> None:
    """Hand out messages again, once the store is back, and continue to move messages between queues."""
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415 - only a running server has it

    movers = SERVICE_PLUGINS.get_service("sqs")._provider._message_move_task_manager
    for store in _stores():
        for queue in store.queues.values():
            for part in vars(queue).values():
                if hasattr(part, "is_shutdown"):
                    part.is_shutdown = False
        for task in store.move_tasks.values():
            if task.under_way:
                movers.submit(task)


def _stores() -> Iterator[Any]:
    from localstack.services.sqs.models import sqs_stores  # noqa: PLC0415 - only a running server has it

    for _account, _region, store in sqs_stores.iter_stores():
        yield store
