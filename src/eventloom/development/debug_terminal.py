"""Connect this terminal to pdb in the function: send what the user types, and print pdb's output."""

import os
import select
import socket
import time
from collections.abc import Callable
from typing import BinaryIO, Protocol

from eventloom import terminal
from eventloom.development.debugging import HOST
from eventloom.errors import UserError

POLL_S = 0.2
BYTES = 65536


class State(Protocol):
    """The part of `Debugged` that this module needs."""

    def state(self) -> dict[str, str]:
        """Return the "state" and the current "event" of the function."""


def connect(port: int, function: State, sleep: Callable[[float], None] = time.sleep) -> socket.socket:
    """Wait until the function accepts a debugger, and return a connection to it."""
    while True:
        if function.state()["state"] == "waiting":
            try:
                return socket.create_connection((HOST, port))
            except OSError:  # The function ended meanwhile.
                continue
        sleep(POLL_S)


def converse(connection: socket.socket, typed: BinaryIO, shown: BinaryIO) -> bool:
    """Exchange lines until one side ends. Returns True if the user ended it, and False if the function did."""
    with connection:
        while True:
            sources: list[socket.socket | BinaryIO] = [connection, typed]
            readable, _, _ = select.select(sources, [], [])
            if connection in readable:
                content = connection.recv(BYTES)
                if not content:
                    return False
                shown.write(content)
                shown.flush()
            if typed in readable:
                line = os.read(typed.fileno(), BYTES)
                if not line:
                    return True
                connection.sendall(line)
                if line.strip() in {b"q", b"quit", b"exit"}:
                    return True


def pdb(port: int, function: State, typed: BinaryIO, shown: BinaryIO) -> None:
    """Run pdb in the terminal until the user ends it. If the function restarts, connect to it again."""
    while True:
        connection = connect(port, function)
        terminal.note("pdb is connected, and waits for an event; 'q' or Ctrl-C ends the debugging")
        if converse(connection, typed, shown):
            return
        try:
            if function.state()["state"] == "ended":
                terminal.note("the function ended; the next event starts it again")
        except UserError:
            return
