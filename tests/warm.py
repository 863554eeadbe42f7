"""Run ./eventloom commands in forks of a process that has already imported all modules.

Python and boto3 take longer to start than most commands to run. In these tests, `./eventloom` is a small client. It
passes its arguments, folder, variables and standard streams to the server, and exits with the command's exit code.
"""

import json
import os
import selectors
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventloom.clouds import ROOT

_HEADER_BYTES = 1_000_000
# The client's interpreter starts without site packages, which takes 20 ms.
_CLIENT = """import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect(sys.argv[1])
    request = json.dumps({"arguments": sys.argv[2:], "folder": os.getcwd(), "variables": dict(os.environ)}).encode()
    socket.send_fds(server, [len(request).to_bytes(4)], [0, 1, 2])
    server.sendall(request)
    sys.exit(int(server.recv(16) or 70))
"""


@contextmanager
def launcher(file: Path) -> Iterator[None]:
    """Write an executable client to `file`, and serve it within this context."""
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("src", "functions", "."))}
    # The paths of pytest's folders are too long for a socket's address of at most 108 bytes (unix(7)).
    with (
        tempfile.TemporaryDirectory(prefix="warm") as folder,
        subprocess.Popen(
            [sys.executable, "-P", "-m", "tests.warm", address := f"{folder}/socket"],
            cwd=ROOT,
            env=variables,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        ) as server,
    ):
        assert server.stdin
        assert server.stdout
        assert server.stdout.readline() == b"ready\n"
        client = [sys.executable, "-IS", "-c", _CLIENT, address]
        file.write_text(f'#!/bin/sh\nexec {shlex.join(client)} "$@"\n')
        file.chmod(0o755)
        try:
            yield
        finally:
            server.stdin.close()


def _import_commands() -> None:
    """Import the modules of all commands, and boto3 with the modules that a new client imports."""
    import boto3  # noqa: PLC0415 - only the server needs it

    from eventloom.cli import ENTRIES  # noqa: PLC0415

    for entry in ENTRIES.values():
        entry.load()
    for service in ("s3", "sqs", "dynamodb"):
        boto3.client(service, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")


def _run(connection: socket.socket) -> None:
    """Fork, run one command with the client's streams, and send its exit code."""
    head, streams, *_ = socket.recv_fds(connection, 4, 3)
    request = bytearray()
    while len(request) < int.from_bytes(head):
        request += connection.recv(_HEADER_BYTES)
    pid = os.fork()
    if pid:
        for stream in streams:
            os.close(stream)
        connection.sendall(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())
        return
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    _become(json.loads(request))


def _become(request: dict[str, object]) -> None:
    """Run the command of the request in this process, and end the process with the command's exit code."""
    os.environ.clear()
    os.environ.update(request["variables"])  # type: ignore[call-overload]
    os.chdir(str(request["folder"]))
    from eventloom.cli import main  # noqa: PLC0415 - imported already, by the server

    code: object = 0
    try:
        main(args=request["arguments"], prog_name="eventloom")
    except SystemExit as end:
        code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else 1 if code else 0)


def _serve(address: str) -> None:
    """Serve one command at a time until standard input closes."""
    _import_commands()
    with socket.socket(socket.AF_UNIX) as server, selectors.DefaultSelector() as selector:
        server.bind(address)
        server.listen()
        print("ready", flush=True)
        selector.register(server, selectors.EVENT_READ)
        selector.register(sys.stdin, selectors.EVENT_READ)
        while sys.stdin not in [key.fileobj for key, _ in selector.select()]:
            connection, _ = server.accept()
            with connection:
                _run(connection)


if __name__ == "__main__":
    _serve(sys.argv[1])
