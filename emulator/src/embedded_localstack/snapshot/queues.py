"""Stop SQS queues, so that every message is in its queue when the state is saved, and restart them."""
# mypy: disable-error-code="import-not-found"

from collections.abc import Iterator
from typing import Any


def install() -> None:
    """Make a stopped queue accept new messages.

    Python 3.13's queues refuse them after a shutdown, which LocalStack does not expect.
    """
    from localstack.services.sqs.queue import InterruptibleQueue  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import Patch  # noqa: PLC0415

    # Python's Queue defines `put`. Only LocalStack's subclass is patched.
    def put(self: Any, item: Any, *_: Any, **__: Any) -> None:
        with self.mutex:
            self._put(item)
            self.not_empty.notify()

    Patch(InterruptibleQueue, "put", put).apply()


def stop() -> None:
    """Stop delivering messages. A waiting ReceiveMessage returns none."""
    for store in _stores():
        for task in store.move_tasks.values():
            task.under_way = task.status == "RUNNING"
            task.cancel_event.set()
        for queue in list(store.queues.values()):
            queue.shutdown()


def load() -> None:
    """Deliver messages again after the store is restored, and continue the message move tasks."""
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
