"""Manage debugging sessions. A debugged function has one environment, which handles one event at a time."""

import logging
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from embedded_localstack import processes
from embedded_localstack.executor.debugger import ADAPTER, Debugger, RefusedError
from embedded_localstack.probe import port_taken

LOG = logging.getLogger(__name__)
GRACE_SECONDS = 1


class Environment(Protocol):
    """The part of an execution environment that a session uses."""

    version: str

    def start(self) -> None:
        """Load the function. Returns when a debugger has connected and the function is loaded."""

    def stop(self) -> None:
        """End all processes. A `start` that is still waiting then raises an error."""

    def is_usable(self) -> bool:
        """Return whether the function is loaded and its process runs."""

    def processes(self) -> list[int]:
        """Return the ids of the function's processes."""


type Make = Callable[["Session", str], Environment]


class Session:
    """A debugging session of one function."""

    def __init__(self, function: str, debugger: Debugger, make: Make) -> None:
        """`make` creates an environment for a session and a version's ARN, without starting it."""
        self.function = function
        self.debugger = debugger
        self._make = make
        self._turn = threading.Lock()
        self._changes = threading.Lock()
        self._environment: Environment | None = None
        self.is_over = threading.Event()
        self.event = ""
        """The request id of the event that is being handled, or an empty text."""
        self.held: set[Any] = set()
        """The messages that stay hidden while their events wait or are handled (visibility.py)."""

    def begin(self, version: str) -> None:
        """Start the environment of a version in the background. Its process waits for a debugger."""

        def start() -> None:
            if self.take(version):
                self.give()

        threading.Thread(target=start, name="debugged-function", daemon=True).start()

    def take(self, version: str) -> Environment | None:
        """Wait for the environment, and reserve it for an event. Return None if the session has ended."""
        self._turn.acquire()
        environment = None
        try:
            environment = self._loaded(version)
        finally:
            if environment is None:
                self._turn.release()
        return environment

    def give(self) -> None:
        """Release the environment."""
        self.event = ""
        self._turn.release()

    def _loaded(self, version: str) -> Environment | None:
        while not self.is_over.is_set():
            current = self._environment
            if current and current.version == version and current.is_usable():
                return current
            with self._changes:
                if current:
                    current.stop()
                if self.is_over.is_set():
                    return None
                current = self._environment = self._make(self, version)
            try:
                current.start()
            except Exception as error:
                if not self.is_over.is_set():
                    LOG.warning("%s could not be started to be debugged: %s", version, error)
                    self.is_over.wait(GRACE_SECONDS)
            else:
                return None if self.is_over.is_set() else current
        return None

    def end(self, seconds: float) -> None:
        """Disconnect the debugger, wait up to `seconds` for the current event, and stop the environment."""
        self.is_over.set()
        with self._changes:
            environment = self._environment
        if not environment:
            return
        if self.event:
            _disconnect(environment)
            if self._turn.acquire(timeout=seconds + GRACE_SECONDS):
                self._turn.release()
        environment.stop()

    def state(self) -> str:
        """Return "attached", "waiting" (for a debugger), "starting", or "ended" (until the next event)."""
        if self.debugger.is_attached():
            return "attached"
        if self.debugger.is_listening():
            return "waiting"
        environment = self._environment
        return "starting" if environment is None or environment.processes() else "ended"


def _disconnect(environment: Environment) -> None:
    """Kill debugpy's adapter, the process between the client and the function. A paused function then continues.

    SIGTERM has no effect, because the supervisor ignores it and its children inherit that.
    """
    adapters = [
        pid for pid in environment.processes() if any(part.endswith(ADAPTER) for part in processes.arguments(pid))
    ]
    processes.send(adapters, signal.SIGKILL)


class Sessions:
    """All sessions, by the ARN of the function without a version."""

    def __init__(self) -> None:
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def __iter__(self) -> Any:
        return iter(list(self._sessions.values()))

    def get(self, function: str) -> Session | None:
        """Return the session of a function, or None."""
        return self._sessions.get(function)

    def add(self, session: Session) -> None:
        """Add a session.

        Raises:
            RefusedError: the function is being debugged, or another program has the port.
        """
        with self._lock:
            if session.function in self._sessions:
                raise RefusedError(409, "the function is being debugged already")
            if port_taken(session.debugger.port):
                raise RefusedError(409, f"port {session.debugger.port} is taken")
            self._sessions[session.function] = session

    def end(self, function: str, seconds: float) -> bool:
        """End the session of a function, and return whether there was one."""
        session = self._sessions.get(function)
        if not session:
            return False
        try:
            session.end(seconds)
        finally:
            with suppress(KeyError):
                del self._sessions[function]
        return True
