"""Test that the process at the other end of a connection is recognized."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from embedded_localstack.iam import peers
from embedded_localstack.iam.peers import Peers

# The parent waits as a supervisor does, and its child connects.
CLIENT = """
import os, socket, sys
if os.fork():
    os.wait()
else:
    connection = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    sys.stdin.read()
"""


@pytest.fixture
def listening() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


@pytest.fixture
def supervisor() -> Iterator[int]:
    """Yield a process that is not an ancestor of any client of the server."""
    with subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"], stdin=subprocess.PIPE) as process:
        yield process.pid
        assert process.stdin
        process.stdin.close()


def ends(connection: socket.socket) -> tuple[peers.Address, peers.Address]:
    return connection.getpeername(), connection.getsockname()


def accepted(server: socket.socket) -> socket.socket:
    connection, _ = server.accept()
    return connection


def test_a_process_below_a_supervisor_is_a_function(listening: socket.socket, supervisor: int):
    command = [sys.executable, "-c", CLIENT, str(listening.getsockname()[1])]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as parent, accepted(listening) as connection:
        assert Peers(lambda: [parent.pid]).is_function(*ends(connection)) is True
        assert Peers(lambda: [supervisor, parent.pid]).is_function(*ends(connection)) is True
        assert Peers(lambda: [supervisor]).is_function(*ends(connection)) is False
        assert parent.stdin
        parent.stdin.close()


def test_any_other_process_is_not(listening: socket.socket, supervisor: int):
    with socket.create_connection(listening.getsockname()), accepted(listening) as connection:
        assert Peers(lambda: [supervisor]).is_function(*ends(connection)) is False
        assert Peers(list).is_function(*ends(connection)) is False


def test_a_connection_that_its_client_has_left_counts_as_a_functions(listening: socket.socket, supervisor: int):
    client = socket.create_connection(listening.getsockname())
    with accepted(listening) as connection:
        client.close()
        assert Peers(lambda: [supervisor]).is_function(*ends(connection)) is True
        assert Peers(list).is_function(*ends(connection)) is False, "no function runs"


@pytest.mark.parametrize("ask", [peers._asked, peers._listed])
def test_the_kernel_names_a_socket(ask: Callable[[peers.Address, peers.Address], int | None], listening: socket.socket):
    with socket.create_connection(listening.getsockname()) as client:
        inode = os.fstat(client.fileno()).st_ino
        assert ask(client.getsockname(), listening.getsockname()) == inode
    # The kernel's interface does not distinguish a socket that is gone from a kernel without this interface.
    assert not ask(("127.0.0.1", 1), listening.getsockname())


@pytest.mark.parametrize(
    ("client", "server"),
    [("127.0.0.1", "127.0.0.1"), ("127.9.9.9", "127.0.0.1"), ("172.18.0.2", "172.18.0.2"), ("172.18.0.1", None)],
)
def test_a_client_of_another_machine_is_not_a_function(client: str, server: str | None):
    """172.18.0.1 is Docker's gateway, the source address of connections to a published port."""
    assert peers.server_address(client, frozenset({"127.0.0.1", "172.18.0.2"})) == server


def test_the_addresses_of_this_machine_have_loopback():
    assert "127.0.0.1" in peers.own_addresses()
