"""Keep the messages of events hidden while a debugger holds their function.

Otherwise, if a function stops at a breakpoint for longer than the visibility timeout, the message is delivered again
and finally moved to the dead-letter queue.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from embedded_localstack.debugging.sessions import Session, Sessions

TICK_SECONDS, MARGIN_SECONDS, EXTENSION_SECONDS = 0.5, 2, 30


@contextmanager
def kept_hidden(session: Session | None, queue: Any, handles: list[str]) -> Iterator[None]:
    """Keep messages of a queue hidden within the context. Without a session, do nothing."""
    held = {(queue, handle) for handle in handles} if session and queue else set()
    if session:
        session.held |= held
    try:
        yield
    finally:
        if session:
            session.held -= held


def extend(queue: Any, handle: str, now: float) -> None:
    """Hide a message for longer if it would soon become visible."""
    message = queue.receipts.get(handle)
    if message in queue.inflight and (message.visibility_deadline or now) - now < MARGIN_SECONDS:
        message.visibility_deadline = now + EXTENSION_SECONDS


def keep(session: Session, waiting: Callable[[], list[tuple[Any, str]]]) -> None:
    """Keep held messages and waiting events hidden until the session is over."""
    while not session.is_over.wait(TICK_SECONDS):
        for queue, handle in [*list(session.held), *waiting()]:
            with queue.mutex:
                extend(queue, handle, time.time())


def start(session: Session) -> None:
    """Keep the messages of a session hidden, in the background."""
    threading.Thread(
        target=keep, args=(session, lambda: asynchronous(session.function)), name="debugged-messages", daemon=True
    ).start()


def asynchronous(function: str) -> list[tuple[Any, str]]:
    """Return the events of asynchronous invocations of a function that LocalStack has received from its own queue."""
    from embedded_localstack.snapshot import functions  # noqa: PLC0415 - only a running server has it

    received = []
    for arn, queue in functions.queues():
        if arn.startswith(f"{function}:"):
            with queue.mutex:
                received += [(queue, handle) for message in queue.inflight for handle in message.receipt_handles]
    return received


def install(sessions: Sessions) -> None:
    """Keep the messages of a batch hidden while the poller handles them."""
    from localstack.services.lambda_.event_source_mapping.pollers.sqs_poller import SqsPoller  # noqa: PLC0415
    from localstack.services.sqs.models import sqs_stores  # noqa: PLC0415
    from localstack.utils.patch import patch  # noqa: PLC0415

    def queue_of(arn: str) -> Any:
        _, _, _, region, account, name = arn.split(":", 5)
        return sqs_stores[account][region].queues.get(name)

    @patch(SqsPoller.handle_messages)
    def handle_messages(original: Callable[..., None], self: Any, messages: list[Any]) -> None:
        target = ":".join(self.processor.sender.target_arn.split(":")[:7])
        session = sessions.get(target)
        handles = [message["ReceiptHandle"] for message in messages]
        with kept_hidden(session, queue_of(self.source_arn) if session else None, handles):
            original(self, messages)
