"""Detect what listens on a port of this machine: the server, another program, or nothing."""

import io
import json
import socket
import time
from http.client import HTTPException, HTTPResponse
from typing import Any

from embedded_localstack import processes

MOST_BYTES = 1024 * 1024


def health(port: int, timeout: float = 2) -> dict[str, Any] | None:
    """Return LocalStack's health response, or None if there is no such response within `timeout` seconds.

    Another program on the port may send anything, slowly and without end. So redirects are not followed, and the
    duration and size of the response are limited.
    """
    request = f"GET /_localstack/health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    try:
        response = HTTPResponse(_Received(_exchange(port, request.encode(), timeout)))  # type: ignore[arg-type]
        response.begin()
        answer = json.loads(response.read())
    except (OSError, ValueError, HTTPException, RecursionError):
        return None
    return answer if isinstance(answer, dict) and isinstance(answer.get("version"), str) else None


class _Received:
    """A socket whose data has arrived completely."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def makefile(self, *_: Any) -> io.BytesIO:
        """Return the bytes as a file."""
        return io.BytesIO(self._data)


def _exchange(port: int, request: bytes, timeout: float) -> bytes:
    deadline = time.monotonic() + timeout
    chunks: list[bytes] = []
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        connection.sendall(request)
        while (left := deadline - time.monotonic()) > 0 and sum(map(len, chunks)) < MOST_BYTES:
            connection.settimeout(left)
            try:
                chunk = connection.recv(65536)
            except TimeoutError:
                break
            if not chunk:
                break
            chunks.append(chunk)
    return b"".join(chunks)


def port_taken(port: int) -> bool:
    """Return whether something listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def free_port_after(port: int) -> int:
    """Return the next port on which nothing listens."""
    while port_taken(port := port % 65535 + 1):
        continue
    return port


def owner_of(port: int) -> str:
    """Return a description of the process that listens on the port."""
    pid = processes.listener(port)
    owner = f"process {pid} ({processes.command(pid)})" if pid else "a process of another user"
    answer = health(port)
    return f"{owner}, a LocalStack {answer['version']} that was not started here" if answer else owner
