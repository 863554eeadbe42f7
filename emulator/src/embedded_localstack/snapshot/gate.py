"""Refuse requests from outside while the state is written down, or not yet restored."""
# mypy: disable-error-code="import-not-found"

import threading
import time
from typing import Any


class Gate:
    """The first handler of LocalStack's request chain, and the last."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._inside: set[int] = set()
        self._lock = threading.Lock()

    def install(self) -> None:
        """Put both handlers into the chain."""
        from localstack.aws import handlers  # noqa: PLC0415 - only a running server has it

        handlers.preprocess_request.handlers.insert(0, self.enter)
        handlers.run_custom_finalizers.append(self.leave)

    def enter(self, chain: Any, context: Any, _response: Any) -> None:
        """Let a request through.

        A closed gate admits only LocalStack's own, and answers others as AWS does when a service is away.
        """
        if context.is_internal_call:
            return
        with self._lock:
            if self._open.is_set():
                self._inside.add(id(context))
                return
        chain.respond(503)

    def leave(self, _chain: Any, context: Any, _response: Any) -> None:
        """Count a request as answered."""
        with self._lock:
            self._inside.discard(id(context))

    def open(self) -> None:
        """Admit all requests."""
        self._open.set()

    def close(self) -> None:
        """Admit no more requests."""
        with self._lock:
            self._open.clear()

    def empty(self, seconds: float) -> None:
        """Wait until all requests are answered, at most that long: one that waits for a message may take longer."""
        deadline = time.monotonic() + seconds
        while self._inside and time.monotonic() < deadline:
            time.sleep(0.01)
