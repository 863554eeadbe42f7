"""Refuse requests from outside while the state is being saved or is not restored yet."""
# mypy: disable-error-code="import-not-found"

import threading
import time
from typing import Any


class Gate:
    """A gate in LocalStack's request chain. It adds the first and the last handler of the chain."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._inside: set[int] = set()
        self._lock = threading.Lock()

    def install(self) -> None:
        """Add both handlers to the chain."""
        from localstack.aws import handlers  # noqa: PLC0415 - only a running server has it

        handlers.preprocess_request.handlers.insert(0, self.enter)
        handlers.run_custom_finalizers.append(self.leave)

    def enter(self, chain: Any, context: Any, _response: Any) -> None:
        """Admit a request, or refuse it.

        A closed gate admits only LocalStack's internal requests. It answers other requests with 503, as AWS does when a
        service is unavailable.
        """
        if context.is_internal_call:
            return
        with self._lock:
            if self._open.is_set():
                self._inside.add(id(context))
                return
        chain.respond(503)

    def leave(self, _chain: Any, context: Any, _response: Any) -> None:
        """Record that a request has been answered."""
        with self._lock:
            self._inside.discard(id(context))

    def open(self) -> None:
        """Admit all requests."""
        self._open.set()

    def close(self) -> None:
        """Stop admitting requests."""
        with self._lock:
            self._open.clear()

    def empty(self, seconds: float) -> None:
        """Wait until all requests are answered, or until `seconds` are over.

        A request that polls for messages may take longer.
        """
        deadline = time.monotonic() + seconds
        while self._inside and time.monotonic() < deadline:
            time.sleep(0.01)
