"""Start a function under a debugger in the embedded LocalStack, and stop debugging it."""

import json
import os
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from typing import Any
from urllib.parse import quote, urlsplit

from eventloom.errors import UserError

PATH = "/_localstack/debug"
HOST, DEFAULT_PORT = "127.0.0.1", 5678
"""The port is the one that debugpy and editors use by default."""
CODE = "/var/task"
"""Where Lambda has the code of a function."""
# Debugged.end waits for the current event, which takes at most 15 minutes.
ANSWER_WITHIN_S = 15 * 60 + 30


@dataclass(frozen=True)
class Plan:
    """The settings of a debugger.

    Attributes:
        kind: "debugpy" for an editor, or "pdb".
        port: the port on which the function waits for the debugger.
        mappings: pairs of a local folder and the folder with the same files in the function.
        breakpoints: pairs of a file, relative to the folder of the functions, and a line. Only pdb needs them.
    """

    kind: str
    port: int
    mappings: list[tuple[str, str]] = field(default_factory=list)
    breakpoints: list[tuple[str, int]] = field(default_factory=list)


class Debugged:
    """A function that the embedded LocalStack runs under a debugger."""

    def __init__(self, endpoint: str, version: str, plan: Plan) -> None:
        """Take the address of the embedded LocalStack, the ARN of a version of the function, and the settings."""
        self._address = urlsplit(endpoint).netloc
        self._function = version.rpartition(":")[0]
        self._body = vars(plan) | {"version": version, "owner": os.getpid()}

    def begin(self) -> None:
        """Start the function, which then waits for the debugger. Raises UserError if the emulator refuses."""
        self._send("PUT", json.dumps(self._body).encode())

    def state(self) -> dict[str, str]:
        """Return "state" (starting, waiting, attached or ended) and "event" (the request id of the current event).

        Raises UserError if the emulator no longer debugs the function.
        """
        return self._send("GET")

    def end(self) -> None:
        """Disconnect the debugger, wait for the current event, and run the function without a debugger again."""
        with suppress(UserError):  # The emulator was stopped, or has already ended the debugging.
            self._send("DELETE")

    def _send(self, method: str, body: bytes | None = None) -> dict[str, str]:
        path = PATH if body else f"{PATH}?function={quote(self._function)}"
        connection = HTTPConnection(self._address, timeout=ANSWER_WITHIN_S)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
        except OSError as error:
            raise UserError(
                f"the embedded LocalStack does not answer: {error}; start it with ./eventloom up"
            ) from error
        finally:
            connection.close()
        if answer.status != HTTPStatus.OK:
            raise UserError(f"the embedded LocalStack refuses: {_message(answer.status, content)}")
        facts: dict[str, str] = json.loads(content)
        return facts


def _message(status: int, content: bytes) -> str:
    try:
        facts: Any = json.loads(content)
        return str(facts["message"])
    except (ValueError, KeyError, TypeError):
        return f"HTTP {status}; start it again with ./eventloom restart"


def free_port(wanted: int | None) -> int:
    """Return the wanted port. If it is None, return the first free port from DEFAULT_PORT on.

    Raises UserError if the wanted port is in use.
    """
    if wanted:
        if not _is_free(wanted):
            raise UserError(f"port {wanted} is taken; choose another with --listen")
        return wanted
    return next(port for port in range(DEFAULT_PORT, 65536) if _is_free(port))


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
