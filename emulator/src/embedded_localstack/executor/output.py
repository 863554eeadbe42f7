"""Read the output of a function continuously, and return it at the end of each invocation.

A function writes lines to its standard output. Its runtime writes one frame for each logger record to another
descriptor, so a record with several lines is one event. AWS's runtime client for Python defines the frames:
https://github.com/aws/aws-lambda-python-runtime-interface-client (FramedTelemetryLogSink)
"""

import os
import select
import threading
import time
from dataclasses import dataclass

LIMIT = 4 * 1024 * 1024
HEADER_BYTES = 16
MAGIC = b"\xa5\x5a\x00"
LEVELS = {1: "TRACE", 2: "DEBUG", 3: "INFO", 4: "WARN", 5: "ERROR", 6: "FATAL"}
"""The levels by the bits 2 to 4 of a frame's type. 0 is a frame without a level."""


@dataclass(frozen=True)
class Event:
    """An event for CloudWatch Logs. Its time is in microseconds since 1970."""

    time_us: int
    message: str
    level: str | None = None


class Output:
    """The output of a function, which arrives in two pipes, one for lines and one for frames.

    A function prints before it answers, so a call of `take` after the answer returns everything that it printed.
    """

    def __init__(self, lines: int, frames: int) -> None:
        self._lock = threading.Lock()
        self._pending = {lines: b"", frames: b""}
        self._lines = lines
        self._events: list[Event] = []
        self._size = 0
        threading.Thread(target=self._run, name="lambda-output", daemon=True).start()

    def _run(self) -> None:
        while self._pending:
            self._readable(None)
            with self._lock:
                self._drain()

    def _readable(self, timeout: float | None) -> list[int]:
        """Return the pipes with data. select() would reject descriptors above 1023, which a busy server uses."""
        poll = select.poll()
        for pipe in self._pending:
            poll.register(pipe, select.POLLIN)
        return [pipe for pipe, _ in poll.poll(timeout)]

    def _drain(self) -> None:
        while self._pending and (pipes := self._readable(0)):
            for pipe in pipes:
                chunk = os.read(pipe, 65536)
                if not chunk:
                    self._finish(pipe)
                    os.close(pipe)
                    del self._pending[pipe]
                elif pipe == self._lines:
                    self._read_lines(chunk)
                else:
                    self._read_frames(pipe, chunk)

    def _read_lines(self, chunk: bytes) -> None:
        *lines, self._pending[self._lines] = (self._pending[self._lines] + chunk).split(b"\n")
        for line in lines:
            self._add(time.time_ns() // 1000, line + b"\n")

    def _read_frames(self, pipe: int, chunk: bytes) -> None:
        data = self._pending[pipe] + chunk
        while len(data) >= HEADER_BYTES:
            end = HEADER_BYTES + int.from_bytes(data[4:8])
            if not data.startswith(MAGIC):  # not a frame, so another program wrote to the descriptor
                self._add(time.time_ns() // 1000, data)
                data = b""
            if len(data) < end:
                break
            self._add(int.from_bytes(data[8:16]), data[HEADER_BYTES:end], LEVELS.get(data[3] >> 2 & 7))
            data = data[end:]
        self._pending[pipe] = data

    def _finish(self, pipe: int) -> None:
        """Add the incomplete rest of a pipe, which is a line without its end or a part of a frame."""
        if rest := self._pending[pipe]:
            self._add(time.time_ns() // 1000, rest + b"\n")
            self._pending[pipe] = b""

    def _add(self, time_us: int, message: bytes, level: str | None = None) -> None:
        if self._size < LIMIT:
            self._size += len(message)
            text = message.decode(errors="replace")
            if self._size >= LIMIT:
                text = f"{text[:LIMIT]}\n(output cut after {LIMIT // 1024 // 1024} MiB)\n"
            if text.strip("\n"):  # CloudWatch Logs takes no empty events
                self._events.append(Event(time_us, text, level))

    def take(self) -> list[Event]:
        """Return the events since the last call, sorted by time."""
        with self._lock:
            self._drain()
            if self._lines in self._pending:
                self._finish(self._lines)
            events, self._events, self._size = self._events, [], 0
        return sorted(events, key=lambda event: event.time_us)
