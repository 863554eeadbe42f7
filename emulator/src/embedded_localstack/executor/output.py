"""The output of a function, which is read continuously and handed over at the end of each invocation."""

import os
import select
import threading

LIMIT = 4 * 1024 * 1024


class Output:
    """The output that arrives in a pipe.

    A function prints before it answers, so a call of `take` after the answer returns everything that it printed.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._lock = threading.Lock()
        self._chunks: list[bytes] = []
        self._size = 0
        self._open = True
        threading.Thread(target=self._run, name="lambda-output", daemon=True).start()

    def _run(self) -> None:
        while self._open:
            self._readable(None)
            with self._lock:
                self._drain()
        os.close(self._fd)

    def _readable(self, timeout: float | None) -> bool:
        """Return whether the pipe has data. select() would reject descriptors above 1023, which a busy server uses."""
        poll = select.poll()
        poll.register(self._fd, select.POLLIN)
        return bool(poll.poll(timeout))

    def _drain(self) -> None:
        while self._open and self._readable(0):
            chunk = os.read(self._fd, 65536)
            if not chunk:
                self._open = False
            elif self._size < LIMIT:
                self._chunks.append(chunk)
                self._size += len(chunk)

    def take(self) -> str:
        """Return everything printed since the last call. Text that is not empty ends with a newline."""
        with self._lock:
            self._drain()
            text = b"".join(self._chunks).decode(errors="replace")
            if self._size >= LIMIT:
                text += f"\n(output cut after {LIMIT // 1024 // 1024} MiB)"
            self._chunks, self._size = [], 0
        return text if not text or text.endswith("\n") else text + "\n"
