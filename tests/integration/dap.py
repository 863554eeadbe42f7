"""Connect to a debug adapter with the Debug Adapter Protocol, as editors do.

https://microsoft.github.io/debug-adapter-protocol/specification
"""

import itertools
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.integration.support import TIMEOUT_S


class Client:
    """A connection to a debug adapter."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._content = connection.makefile("rb")
        self._numbers = itertools.count(1)
        self._events: list[dict[str, Any]] = []

    def send(self, command: str, **arguments: Any) -> int:
        """Send a request, and return its number."""
        number = next(self._numbers)
        request = {"seq": number, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(request).encode()
        self._connection.sendall(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        return number

    def answer(self, number: int) -> dict[str, Any]:
        """Return the body of the answer to a request. The request must succeed."""
        while True:
            message = self._read()
            if message.get("request_seq") == number:
                assert message["success"], message
                return dict(message.get("body") or {})
            self._events.append(message)

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        """Send a request, and return the body of the answer."""
        return self.answer(self.send(command, **arguments))

    def event(self, name: str) -> dict[str, Any]:
        """Return the body of the next event of that name."""
        while True:
            message = next((message for message in self._events if message.get("event") == name), None)
            if message:
                self._events.remove(message)
                return dict(message.get("body") or {})
            self._events.append(self._read())

    def _read(self) -> dict[str, Any]:
        length = 0
        while line := self._content.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.partition(b":")[2])
        assert length, "the adapter has closed the connection"
        return dict(json.loads(self._content.read(length)))


@contextmanager
def attached(port: int, file: Path, line: int) -> Iterator[Client]:
    """Attach to the adapter on a port with a breakpoint in a line of a file, and disconnect afterwards."""
    with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
        client = Client(connection)
        client.ask("initialize", adapterID="debugpy", pathFormat="path")
        attaching = client.send("attach", connect={"host": "127.0.0.1", "port": port})
        client.event("initialized")
        answer = client.ask("setBreakpoints", source={"path": str(file)}, breakpoints=[{"line": line}])
        assert [breakpoint["verified"] for breakpoint in answer["breakpoints"]] == [True], answer
        client.ask("configurationDone")
        client.answer(attaching)
        yield client


def stopped(client: Client) -> tuple[int, dict[str, Any]]:
    """Wait until the program stops, and return the thread and its innermost frame."""
    thread = int(client.event("stopped")["threadId"])
    return thread, dict(client.ask("stackTrace", threadId=thread, levels=1)["stackFrames"][0])
