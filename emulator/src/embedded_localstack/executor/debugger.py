"""Start the process of a debugged function, and detect whether a debugger is connected to it."""

import importlib.util
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from embedded_localstack import processes
from embedded_localstack.programs import Program

BOOT = Path(__file__).with_name("debugger_boot.py")
KINDS = ("debugpy", "pdb")
VARIABLE = "EMBEDDED_LOCALSTACK_DEBUGGER"
ADAPTER = "debugpy/adapter"
"""The end of the path of the program that debugpy runs between the client and the function."""


class RefusedError(Exception):
    """A function that cannot be debugged in the requested way. `status` is the HTTP status of the answer."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Debugger:
    """The debugger of a function. A client connects to its port on 127.0.0.1."""

    kind: str
    port: int
    mappings: list[list[str]] = field(default_factory=list)
    """Pairs of a folder of the developer and the folder where the function has the same files (debugpy)."""
    breakpoints: list[list[Any]] = field(default_factory=list)
    """Pairs of a file below the code's folder and a line (pdb)."""

    def command(self, program: Program, handler: str) -> tuple[str, ...]:
        """Return the command that starts the function under the debugger, which works for awslambdaric only.

        Raises:
            RefusedError: the function is not written in Python, or debugpy is not installed.
        """
        if program.command[1:] != ("-m", "awslambdaric"):
            raise RefusedError(400, "only functions in Python can be debugged")
        return (program.command[0], "-X", "frozen_modules=off", "-c", BOOT.read_text(), handler)

    def variables(self) -> dict[str, str]:
        """Return the variables that debugger_boot.py and debugpy read."""
        settings = {
            "kind": self.kind,
            "port": self.port,
            "mappings": self.mappings,
            "breakpoints": self.breakpoints,
            "package": str(package()) if self.kind == "debugpy" else "",
        }
        return {VARIABLE: json.dumps(settings)}

    def is_attached(self) -> bool:
        """Return whether a client is connected to the port."""
        return psutil.CONN_ESTABLISHED in processes.tcp_states(self.port)

    def is_listening(self) -> bool:
        """Return whether the function waits for a connection."""
        return psutil.CONN_LISTEN in processes.tcp_states(self.port)


def package() -> Path:
    """Return the folder of debugpy.

    Raises:
        RefusedError: it is not installed.
    """
    spec = importlib.util.find_spec("debugpy")
    if not spec or not spec.origin:
        raise RefusedError(400, "debugpy is not installed; install embedded-localstack[debug]")
    return Path(spec.origin).parent


def parse(body: Any) -> tuple[str, int, Debugger]:
    """Return the version's ARN, the pid of the requesting process, and the debugger of a request.

    Raises:
        RefusedError: the request is wrong.
    """
    try:
        kind, port, version, owner = body["kind"], int(body["port"]), str(body["version"]), int(body["owner"])
        mappings = [[str(local), str(remote)] for local, remote in body.get("mappings", [])]
        breakpoints = [[str(file), int(line)] for file, line in body.get("breakpoints", [])]
    except (KeyError, TypeError, ValueError) as error:
        raise RefusedError(400, f"the request is not complete: {type(error).__name__}: {error}") from error
    if kind not in KINDS or not 0 < port < 65536:
        raise RefusedError(400, f"kind is one of {', '.join(KINDS)}, and port a number from 1 to 65535")
    return version, owner, Debugger(kind, port, mappings, breakpoints)
