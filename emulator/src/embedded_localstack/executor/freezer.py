"""Freeze an environment between invocations, as Lambda does, so that no process continues in the background.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

import signal
import threading

from embedded_localstack import processes


class Freezer:
    """A switch that stops all processes below `supervisor` while there is no invocation for them."""

    def __init__(self, supervisor: int) -> None:
        self._supervisor = supervisor
        self._lock = threading.Lock()
        self._busy = False
        self._frozen: list[int] = []

    def begin(self) -> None:
        """Continue the processes, because an invocation arrives."""
        with self._lock:
            self._busy = True
            processes.send(self._frozen, signal.SIGCONT)
            self._frozen = []

    def end(self) -> None:
        """Record that the function has answered the invocation."""
        with self._lock:
            self._busy = False

    def wait(self) -> None:
        """Stop the processes, unless the next invocation is already there. The runtime calls this when it waits."""
        with self._lock:
            # Repeat until no new process appears, because a process may start another one before it stops.
            while not self._busy and (running := set(processes.descendants(self._supervisor)).difference(self._frozen)):
                processes.send(running, signal.SIGSTOP)
                self._frozen += running
