"""Tell whether a connection to the server comes from a process of a function.

The kernel knows which process has the other end of a connection on this machine. So code in a function is recognized
whatever it sends.
"""

import functools
import socket
import struct
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import psutil

from embedded_localstack import processes
from embedded_localstack.executor import runtime

# linux/netlink.h, linux/sock_diag.h, linux/inet_diag.h
_NETLINK_SOCK_DIAG, _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, _NLMSG_ERROR = 4, 20, 1, 2
_ANY, _HEADER, _INODE_OFFSET = 0xFFFFFFFF, 16, 16 + 68
_REMEMBERED = 10_000  # connections
_NO_SOCKET = 0
LISTENS_AT = "127.0.0.1"  # settings.py

Address = tuple[str, int]
"""The IPv4 address and the port of one end of a connection."""


class Peers:
    """Which connections come from functions.

    Args:
        supervisors: the processes above those of all functions (executor/runtime.py).
    """

    def __init__(self, supervisors: Callable[[], Iterable[int]]) -> None:
        self._supervisors = supervisors
        self._known: dict[int, bool] = {}

    def is_function(self, client: Address, server: Address) -> bool | None:
        """Return whether a function has the client's end of a connection, or None if the kernel does not say.

        A client that has closed its end without an answer counts as a function while functions run: nobody can say any
        more who it was.
        """
        supervisors = list(self._supervisors())
        if not supervisors:
            return False
        inode = inode_of(client, server)
        if not inode:
            return None if inode is None else True
        # The kernel numbers sockets from 1 to 2**32, so a remembered number stands for the same socket.
        if inode not in self._known:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[inode] = _owned(inode, supervisors)
        return self._known[inode]


def _owned(inode: int, supervisors: Iterable[int]) -> bool:
    """Return whether a process below the supervisors has a socket among its descriptors."""
    name = f"socket:[{inode}]"
    return any(name in descriptors(pid) for supervisor in supervisors for pid in processes.descendants(supervisor))


def descriptors(pid: int) -> set[str]:
    """Return what the descriptors of a process refer to, such as "socket:[4711]"."""
    names = set[str]()
    try:
        entries = list(Path(f"/proc/{pid}/fd").iterdir())
    except OSError:
        return names
    for entry in entries:
        try:
            names.add(str(entry.readlink()))
        except OSError:
            continue  # it was closed in the meantime
    return names


def inode_of(client: Address, server: Address) -> int | None:
    """Return the inode of the client's socket, 0 if it is closed, or None if the kernel says neither."""
    inode = _asked(client, server)
    return _listed(client, server) if inode is None else inode


def _asked(client: Address, server: Address) -> int | None:
    """Ask the kernel for one socket. https://man7.org/linux/man-pages/man7/sock_diag.7.html"""
    ports = struct.pack("!HH", client[1], server[1])
    addresses = b"".join(socket.inet_aton(host).ljust(16, b"\0") for host, _ in (client, server))
    query = struct.pack("=BBxxI", socket.AF_INET, socket.IPPROTO_TCP, _ANY)
    query += ports + addresses + struct.pack("=III", 0, _ANY, _ANY)
    header = struct.pack("=IHHII", _HEADER + len(query), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 0, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_SOCK_DIAG) as kernel:
            kernel.settimeout(1)
            kernel.send(header + query)
            answer = kernel.recv(4096)
    except OSError:
        return None
    # A kernel without this interface answers with the same error as for a socket that is gone.
    if struct.unpack_from("=H", answer, 4)[0] == _NLMSG_ERROR or len(answer) < _INODE_OFFSET + 4:
        return None
    return int(struct.unpack_from("=I", answer, _INODE_OFFSET)[0])


def _listed(client: Address, server: Address) -> int | None:
    """Find a socket in the kernel's list of all connections, which takes a thousand times as long."""
    ends = [f"{socket.inet_aton(host)[::-1].hex().upper()}:{port:04X}" for host, port in (client, server)]
    try:
        lines = Path("/proc/net/tcp").read_text().splitlines()
    except OSError:
        return None
    rows = (line.split() for line in lines[1:])
    return next((int(row[9]) for row in rows if row[1:3] == ends), _NO_SOCKET)


@functools.cache
def own_addresses() -> frozenset[str]:
    """Return the IPv4 addresses of this machine or container."""
    interfaces = psutil.net_if_addrs().values()
    return frozenset(entry.address for entries in interfaces for entry in entries if entry.family == socket.AF_INET)


def server_address(client: str, own: frozenset[str]) -> str | None:
    """Return the address at which a client of this machine reaches the server, or None for another machine's client.

    In a container the server listens on all addresses (EMBEDDED_LISTEN). What comes through a published port has the
    address of Docker's gateway, and no function is there. A client that calls another address of its own machine has
    that address too.
    """
    if client.startswith("127."):
        return LISTENS_AT
    return client if client in own else None


def from_function(request: Any) -> bool:
    """Return whether a process of a function made a request. LocalStack's own requests have no connection."""
    host, port = request.environ.get("REMOTE_ADDR"), request.environ.get("REMOTE_PORT")
    if not host or not port:
        return False
    server = server_address(host, own_addresses())
    if not server:
        return False
    verdict = _peers.is_function((host, int(port)), (server, int(request.environ["SERVER_PORT"])))
    # The SDKs put the variable AWS_EXECUTION_ENV, which only functions have, into this header.
    return "exec-env/AWS_Lambda" in request.headers.get("User-Agent", "") if verdict is None else verdict


_peers = Peers(runtime.supervisors)
