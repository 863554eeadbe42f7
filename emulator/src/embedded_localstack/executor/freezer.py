"""Between invocations Lambda freezes an environment: what a function left running in the background does not go on.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

import signal
import threading

from embedded_localstack import processes


class Freezer:
    """Stops all processes below `supervisor` whenever there is nothing to do for them."""

    def __init__(self, supervisor: int) -> None:
        self._supervisor = supervisor
        self._lock = threading.Lock()
        self._busy = False
        self._frozen: list[int] = []

    def begin(self) -> None:
        """An invocation comes: go on."""
        with self._lock:
            self._busy = True
            processes.send(self._frozen, signal.SIGCONT)
            self._frozen = []

    def end(self) -> None:
        """It is answered."""
        with self._lock:
            self._busy = False

    def wait(self) -> None:
        """The runtime waits for the next one. If that is not there yet, everything stops."""
        with self._lock:
            # Until no more appear: one may start another while it is stopped.
            while not self._busy and (running := set(processes.descendants(self._supervisor)).difference(self._frozen)):
                processes.send(running, signal.SIGSTOP)
                self._frozen += running
