"""`debug` makes the emulator run a function under a debugger, and reports each step."""

import json
import os
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from eventloom import clouds
from eventloom.cli import main
from eventloom.clouds import ROOT
from eventloom.development import breakpoints, debug_terminal
from eventloom.development.debug import follow
from eventloom.development.debugging import DEFAULT_PORT, Debugged, Plan, free_port
from eventloom.errors import UserError

VERSION = "arn:aws:lambda:us-east-1:000000000000:function:hello:7"
HANDLER = '''"""Say hello."""

NAMES = ["a"]


def lambda_handler(event, context):
    """Return a greeting."""
    # The first line with code is the next one.
    return "hello"
'''


@pytest.fixture(autouse=True)
def _no_choice() -> Iterator[None]:
    yield
    clouds.choose(None)


class Emulator(BaseHTTPRequestHandler):
    """A fake emulator, with its answers and the requests that it received."""

    requests: list[tuple[str, str, dict[str, Any]]]
    refusal: tuple[int, bytes] | None = None

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.requests.append((self.command, self.path, json.loads(body or b"{}")))
        status, content = self.refusal or (200, b'{"state": "waiting", "event": ""}')
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_DELETE = _answer

    def log_message(self, *_: Any) -> None:
        """Log nothing."""


@pytest.fixture
def emulator() -> Iterator[tuple[str, type[Emulator]]]:
    kind = type("Answers", (Emulator,), {"requests": []})
    with ThreadingHTTPServer(("127.0.0.1", 0), kind) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", kind
        server.shutdown()


def test_the_emulator_is_asked_for_the_version_with_the_folders_of_this_machine(
    emulator: tuple[str, type[Emulator]],
) -> None:
    url, answers = emulator
    function = Debugged(url, VERSION, Plan("debugpy", 5678, [("/here/functions", "/var/task")]))
    function.begin()
    assert function.state() == {"state": "waiting", "event": ""}
    function.end()
    query = "/_localstack/debug?function=arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Ahello"
    expected = {
        "kind": "debugpy",
        "port": 5678,
        "mappings": [["/here/functions", "/var/task"]],
        "breakpoints": [],
        "version": VERSION,
        "owner": os.getpid(),
    }
    assert answers.requests == [("PUT", "/_localstack/debug", expected), ("GET", query, {}), ("DELETE", query, {})]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ((409, b'{"message": "the function is being debugged already"}'), "the function is being debugged already"),
        ((503, b""), "HTTP 503; start it again with ./eventloom restart"),
    ],
)
def test_a_refusal_is_said(emulator: tuple[str, type[Emulator]], answer: tuple[int, bytes], message: str) -> None:
    url, answers = emulator
    answers.refusal = answer
    function = Debugged(url, VERSION, Plan("pdb", 5678))
    with pytest.raises(UserError, match=message):
        function.begin()
    function.end()  # There may be nothing to end.


def test_an_emulator_that_is_gone_is_said() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(UserError, match=r"does not answer.*\./eventloom up"):
        Debugged(f"http://127.0.0.1:{port}", VERSION, Plan("pdb", 5678)).state()


def test_a_wanted_port_must_be_free_and_another_is_chosen_without_a_wish() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(UserError, match=f"port {port} is taken; choose another with --listen"):
            free_port(port)
    assert free_port(port) == port
    assert free_port(None) >= DEFAULT_PORT


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["digest", "--env", "dev"], 1, "nobody can attach a debugger to a function on AWS"),
        (["digest", "--cloud", "compose"], 1, "functions in compose are containers"),
        ([], 2, "name a function"),
        (["digest", "--break", "handler.py:1"], 2, "--break is for --pdb"),
    ],
)
def test_what_cannot_be_debugged_is_one_sentence(arguments: list[str], code: int, message: str) -> None:
    result = CliRunner().invoke(main, ["debug", *arguments])
    assert result.exit_code == code
    assert message in result.stderr
    if code == 1:
        assert "./eventloom debug digest" in result.stderr


class Function:
    """A function that passes through these states, and then no longer exists."""

    def __init__(self, *states: tuple[str, str]) -> None:
        self._states = iter(states)

    def state(self) -> dict[str, str]:
        try:
            state, event = next(self._states)
        except StopIteration:
            raise UserError("the function is not being debugged") from None
        return {"state": state, "event": event}


def test_each_change_is_said_once() -> None:
    said: list[str] = []
    states = [("starting", ""), ("waiting", ""), ("waiting", ""), ("attached", ""), ("attached", "1"), ("ended", "")]
    with pytest.raises(UserError):
        follow("hello", 5678, Function(*states), said.append, lambda _: None)
    assert [text.splitlines()[0] for text in said] == [
        "hello waits for a debugger on 127.0.0.1:5678",
        "a debugger is attached; the next event of any trigger stops at its breakpoints, such as that of "
        "./eventloom invoke hello",
        "event 1",
        "the function ended; the next event starts it again",
        "event 1 is handled",
    ]


# -- pdb


@pytest.fixture
def functions(tmp_path: Path) -> Path:
    folder = tmp_path / "functions"
    for name, text in {"hello/handler.py": HANDLER, "shared/text.py": "X = 1\n", "other/handler.py": HANDLER}.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return folder


def test_pdb_stops_in_the_first_line_of_the_handler(functions: Path) -> None:
    assert breakpoints.chosen((), "hello", functions) == [("hello/handler.py", 9)]


@pytest.mark.parametrize("place", ["hello/handler.py", "shared/text.py"])
def test_pdb_stops_where_the_code_says_so_and_nowhere_else(functions: Path, place: str) -> None:
    with (functions / place).open("a") as file:
        file.write("\n\ndef stop():\n    breakpoint()\n")
    assert breakpoints.chosen((), "hello", functions) == []


@pytest.mark.parametrize("given", ["functions/hello/handler.py:9", "hello/handler.py:9", "handler.py:9"])
def test_a_line_is_named_by_its_file(functions: Path, given: str) -> None:
    assert breakpoints.chosen((given, "shared/text.py:1"), "hello", functions) == [
        ("hello/handler.py", 9),
        ("shared/text.py", 1),
    ]


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ("handler.py", "is not a place in a file; write it like functions/hello/handler.py:40"),
        ("gone.py:1", "there is no file gone.py"),
        ("functions/other/handler.py:9", "is not code of hello"),
        ("handler.py:8", "has no code in line 8; the next line with code is 9"),
        ("handler.py:900", "has no code in line 900; the last line with code is 9"),
    ],
)
def test_a_line_where_pdb_cannot_stop_is_refused(functions: Path, wish: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        breakpoints.chosen((wish,), "hello", functions)


def test_a_handler_without_the_usual_name_needs_a_line(functions: Path) -> None:
    (functions / "hello" / "handler.py").write_text("def other(event, context):\n    return 1\n")
    with pytest.raises(UserError, match="does not define lambda_handler; name a line with --break"):
        breakpoints.chosen((), "hello", functions)


def test_the_line_in_the_help_has_code() -> None:
    assert breakpoints.chosen(("functions/thumbnailer/handler.py:40",), "thumbnailer", ROOT / "functions")


def conversation(typed: bytes, *, is_closed: bool = False) -> tuple[bool, bytes, bytes]:
    """Type to a function that prints "(Pdb) ". Return the result, the shown output and the received input."""
    here, there = socket.socketpair()
    reading, writing = os.pipe()
    shown_reading, shown_writing = os.pipe()
    there.sendall(b"(Pdb) ")
    if is_closed:
        there.shutdown(socket.SHUT_WR)
    else:
        os.write(writing, typed)
        os.close(writing)
    with os.fdopen(reading, "rb") as keys, os.fdopen(shown_writing, "wb") as screen:
        result = debug_terminal.converse(here, keys, screen)
    with os.fdopen(shown_reading, "rb") as shown, there:
        received = b"".join(iter(lambda: there.recv(100), b""))
        return result, shown.read(), received


@pytest.mark.parametrize(("typed", "received"), [(b"q\n", b"q\n"), (b"", b"")])
def test_the_user_ends_the_conversation(typed: bytes, received: bytes) -> None:
    assert conversation(typed) == (True, b"(Pdb) ", received)


def test_the_function_ends_the_conversation() -> None:
    assert conversation(b"", is_closed=True) == (False, b"(Pdb) ", b"")


def test_the_terminal_connects_when_the_function_waits_and_again_when_it_was_started_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        reading, writing = os.pipe()

        def serve() -> None:
            server.accept()[0].close()
            with server.accept()[0] as second:
                os.write(writing, b"q\n")
                second.recv(10)
            os.close(writing)

        thread = threading.Thread(target=serve)
        thread.start()
        states = [("starting", ""), ("waiting", ""), ("ended", ""), ("waiting", "")]
        with os.fdopen(reading, "rb") as keys, Path(os.devnull).open("wb") as screen:
            debug_terminal.pdb(port, Function(*states), keys, screen)
        thread.join()
