"""Serve the Lambda Runtime API (2018-06-01) for one execution environment on a loopback port.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
"""

import json
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any, Protocol

PREFIX = "/2018-06-01/runtime/"


@dataclass(frozen=True)
class Invocation:
    """One event for the function."""

    request_id: str
    payload: bytes
    function_arn: str
    trace_id: str
    deadline_ms: int
    client_context: str | None = None


class Listener(Protocol):
    """A receiver of the runtime's calls. The API's threads call it."""

    def ready(self) -> None:
        """Handle a runtime that is initialised and requests an event."""

    def init_failed(self, error: bytes) -> None:
        """Handle a runtime that could not be initialised."""

    def answered(self, request_id: str, payload: bytes, *, failed: bool) -> None:
        """Handle the result that the function returned, or the error that it raised."""


class RuntimeApi:
    """The server of the API.

    `offer` hands an invocation to the runtime. `close` stops the server and releases a waiting runtime.
    """

    def __init__(self, listener: Listener) -> None:
        self._queue: SimpleQueue[Invocation | None] = SimpleQueue()
        self._server = _Server(listener, self._queue)
        threading.Thread(target=self._server.serve_forever, name="lambda-runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """Return the value for AWS_LAMBDA_RUNTIME_API."""
        return f"127.0.0.1:{self._server.server_port}"

    def offer(self, invocation: Invocation) -> None:
        """Queue an invocation, which answers the runtime's next request for an event."""
        self._queue.put(invocation)

    def close(self) -> None:
        """Stop the server in the background, because it takes up to half a second."""
        self._queue.put(None)
        threading.Thread(target=self._shut, name="lambda-runtime-api-end", daemon=True).start()

    def _shut(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, listener: Listener, queue: SimpleQueue[Invocation | None]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.listener, self.queue = listener, queue


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Headers and body are sent together. Otherwise Nagle's algorithm and delayed acknowledgements cost 40 ms per call.
    wbufsize = -1
    disable_nagle_algorithm = True

    def log_message(self, *_: Any) -> None:
        """Log nothing."""

    def do_GET(self) -> None:
        if self.path != f"{PREFIX}invocation/next":
            return self._error(404, "NotFound", self.path)
        self.server.listener.ready()
        invocation = self.server.queue.get()
        if invocation is None:
            return self._error(410, "Gone", "the environment is shutting down")
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
        }
        if invocation.client_context:
            headers["Lambda-Runtime-Client-Context"] = invocation.client_context
        return self._send(200, invocation.payload, headers)

    def do_POST(self) -> None:
        body = self._body()
        match self.path.removeprefix(PREFIX).split("/"):
            case ["init", "error"]:
                self.server.listener.init_failed(body)
            case ["invocation", request_id, "response"]:
                self.server.listener.answered(request_id, body, failed=False)
            case ["invocation", request_id, "error"]:
                self.server.listener.answered(request_id, body, failed=True)
            case _:
                return self._error(404, "NotFound", self.path)
        return self._send(202, b'{"status":"OK"}', {"Content-Type": "application/json"})

    def _body(self) -> bytes:
        if (length := self.headers.get("Content-Length")) is not None:
            return self.rfile.read(int(length))
        chunks = []
        while size := int(self.rfile.readline(), 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _error(self, code: int, kind: str, message: str) -> None:
        self._send(
            code,
            json.dumps({"errorType": kind, "errorMessage": message}).encode(),
            {"Content-Type": "application/json"},
        )

    def _send(self, code: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(code)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()
