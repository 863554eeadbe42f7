"""Test the commands while another program uses the port. The program may send any answer or none.

No command ends in a traceback, and no command waits for long.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from embedded_localstack import cli, launch, probe
from embedded_localstack.state import Home


def answer(head: str, body: str) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(
        f"HTTP/1.1 {head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )


def hang(connection: socket.socket) -> None:
    connection.recv(1)
    connection.recv(1_000_000)
    connection.recv(1)


def drip(connection: socket.socket) -> None:
    while True:
        connection.sendall(b"x")
        time.sleep(0.05)


def flood(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"[" * 65536)


BEHAVIOURS: dict[str, Callable[[socket.socket], None]] = {
    "HTML": answer("200 OK", "<!doctype html><title>It works</title>"),
    "another JSON": answer("200 OK", '{"version": 2}'),
    "a list": answer("200 OK", '["version"]'),
    "nested too deeply": answer("200 OK", "[" * 100_000),
    "not text": lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xff\xfe"),
    "an error": answer("500 Internal Server Error", "{}"),
    "a redirect": lambda connection: connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\n\r\n"),
    "a wrong length": lambda connection: connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n{}"),
    "a wrong chunk": lambda connection: connection.sendall(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"
    ),
    "garbage": lambda connection: connection.sendall(b"\x15\x03\x01\x00\x02\x02\x16"),
    "SSH": lambda connection: connection.sendall(b"SSH-2.0-OpenSSH_9.6\r\n"),
    "nothing": lambda connection: connection.close(),
    "silence": hang,
    "one byte at a time": drip,
    "without end": flood,
}


@contextmanager
def foreign_server(behave: Callable[[socket.socket], None]) -> Iterator[int]:
    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=converse, args=(connection,), daemon=True).start()

    def converse(connection: socket.socket) -> None:
        with connection:
            try:
                behave(connection)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, daemon=True).start()
        yield int(listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)


@pytest.mark.parametrize("behave", BEHAVIOURS.values(), ids=BEHAVIOURS)
def test_a_foreign_server_gets_one_sentence(
    behave: Callable[[socket.socket], None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    with foreign_server(behave) as port:
        arguments = ["--port", str(port), "--home", str(tmp_path / "home")]
        began = time.monotonic()
        assert cli.main(["up", *arguments]) == 4
        assert cli.main(["status", *arguments]) == 3
        assert cli.main(["down", *arguments]) == 0
        assert time.monotonic() - began < 10
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert captured.err.startswith(f"embedded LocalStack: port {port} is in use by process ")
    assert captured.out.splitlines()[0].startswith(f"not running; port {port} is in use by process ")
    assert captured.out.splitlines()[1:] == ["embedded LocalStack: not running"]


def test_port_4566_is_usually_another_localstack(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(launch, "port_taken", lambda _port: True)
    monkeypatch.setattr(launch, "free_port_after", lambda _port: 4567)
    assert cli.main(["up", "--home", str(tmp_path)]) == 4
    message = capsys.readouterr().err
    assert message.startswith("embedded LocalStack: port 4566 is in use by ")
    assert (
        "usually another LocalStack; stop that, or choose another port: embedded-localstack up --port 4567" in message
    )


def test_the_next_free_port_is_suggested():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = int(server.getsockname()[1])
        assert probe.free_port_after(port - 1) > port
        assert not probe.port_taken(probe.free_port_after(port - 1))


def test_the_port_comes_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("EMBEDDED_HOME", str(tmp_path))
    monkeypatch.setenv("EMBEDDED_PORT", "45671")
    assert cli.main(["status", "--json"]) == 3
    facts = json.loads(capsys.readouterr().out)
    assert (facts["home"], facts["url"]) == (str(tmp_path), "http://127.0.0.1:45671")
    monkeypatch.setenv("EMBEDDED_PORT", "http")
    with pytest.raises(SystemExit, match="2"):
        cli.main(["status"])
    assert "http is not a port" in capsys.readouterr().err


def test_without_a_choice_everything_is_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    assert Home().path == tmp_path / ".embedded-localstack"
    with Home(4570).locked():
        assert (tmp_path / ".embedded-localstack-4570" / ".gitignore").read_text() == "*\n"
