"""Test debugging sessions of functions with fake environments, without LocalStack."""

import json
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from embedded_localstack import processes
from embedded_localstack.debugging.sessions import Session, Sessions
from embedded_localstack.debugging.visibility import EXTENSION_SECONDS, extend, keep, kept_hidden
from embedded_localstack.executor.debugger import BOOT, VARIABLE, Debugger, RefusedError, parse
from embedded_localstack.executor.runtime import result
from embedded_localstack.programs import Program

FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:hello"
REQUEST = {"kind": "pdb", "port": 5678, "version": f"{FUNCTION}:1", "owner": 1}


class Environment:
    """A fake environment. Its start ends when the debugger connects or when the environment is stopped."""

    def __init__(self, version: str, *, waits: bool = True) -> None:
        self.version = version
        self.debugger = threading.Event()
        self.is_stopped = False
        if not waits:
            self.debugger.set()

    def start(self) -> None:
        self.debugger.wait()
        if self.is_stopped:
            raise RuntimeError("stopped")

    def stop(self) -> None:
        self.is_stopped = True
        self.debugger.set()

    def is_usable(self) -> bool:
        return self.debugger.is_set() and not self.is_stopped

    def processes(self) -> list[int]:
        return []


class Made(list[Environment]):
    """The environments that a session has created."""

    def __init__(self, *, waits: bool = True) -> None:
        super().__init__()
        self.waits = waits

    def __call__(self, _session: Session, version: str) -> Environment:
        self.append(Environment(version, waits=self.waits))
        return self[-1]


def eventually(question: Callable[[], Any]) -> Any:
    """Return the first true answer to the question, or the last answer after some seconds."""
    deadline = time.monotonic() + 20
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return answer


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def session(made: Made) -> Session:
    return Session(FUNCTION, Debugger("pdb", free_port()), made)


def test_one_environment_handles_all_events_one_after_the_other():
    made = Made(waits=False)
    debugged = session(made)
    running, most = 0, 0

    def event() -> None:
        nonlocal running, most
        assert debugged.take("1") is made[0]
        running += 1
        most = max(most, running)
        time.sleep(0.001)
        running -= 1
        debugged.give()

    with ThreadPoolExecutor(8) as pool:
        for future in [pool.submit(event) for _ in range(50)]:
            future.result()
    assert (most, len(made)) == (1, 1)


def test_an_event_for_a_new_version_gets_a_new_environment():
    made = Made(waits=False)
    debugged = session(made)
    for version in ("1", "2", "2"):
        assert debugged.take(version)
        debugged.give()
    assert [environment.version for environment in made] == ["1", "2"]
    assert made[0].is_stopped


def test_an_environment_that_died_is_replaced():
    made = Made(waits=False)
    debugged = session(made)
    assert debugged.take("1")
    made[0].is_stopped = True
    debugged.give()
    assert debugged.take("1") is made[1]


def test_events_that_wait_for_a_debugger_run_normally_when_the_debugging_ends():
    made = Made()
    debugged = session(made)
    debugged.begin("1")
    with ThreadPoolExecutor(3) as pool:
        events = [pool.submit(debugged.take, "1") for _ in range(3)]
        assert eventually(lambda: made)
        debugged.end(1)
        assert [event.result(10) for event in events] == [None, None, None]
    assert [environment.is_stopped for environment in made] == [True]


def test_the_end_waits_for_the_current_event():
    made = Made(waits=False)
    debugged = session(made)
    assert debugged.take("1")
    debugged.event = "request"
    with ThreadPoolExecutor(1) as pool:
        end = pool.submit(debugged.end, 30)
        assert eventually(debugged.is_over.is_set)
        assert not made[0].is_stopped
        debugged.give()
        end.result(10)
    assert made[0].is_stopped


def test_an_error_of_making_an_environment_does_not_block_the_next_event():
    def broken(_session: Session, _version: str) -> Any:
        raise ValueError("no such version")

    debugged = Session(FUNCTION, Debugger("pdb", free_port()), broken)
    for _ in range(2):
        with pytest.raises(ValueError, match="no such version"):
            debugged.take("1")


def test_a_function_has_one_session_and_a_port_one_program():
    sessions = Sessions()
    sessions.add(session(Made()))
    assert sessions.get(FUNCTION)
    with pytest.raises(RefusedError, match="is being debugged already"):
        sessions.add(session(Made()))
    assert sessions.end(FUNCTION, 0)
    assert not sessions.end(FUNCTION, 0)
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = Session(FUNCTION, Debugger("pdb", server.getsockname()[1]), Made())
        with pytest.raises(RefusedError, match="is taken"):
            sessions.add(taken)


def test_the_state_is_that_of_the_port():
    made = Made()
    debugged = session(made)
    assert debugged.state() == "starting"
    with socket.create_server(("127.0.0.1", debugged.debugger.port)) as server:
        assert debugged.state() == "waiting"
        with socket.create_connection(("127.0.0.1", debugged.debugger.port)), server.accept()[0]:
            assert debugged.state() == "attached"
    assert processes.tcp_states(free_port()) == set()


# -- the debugger


def test_the_process_gets_the_program_and_the_settings():
    debugger = Debugger("pdb", 5678, breakpoints=[["hello/handler.py", 3]])
    program = Program(("/bin/python", "-m", "awslambdaric"), Path("/packages"))
    command = debugger.command(program, "hello.handler")
    assert (command[0], command[-2:]) == ("/bin/python", (BOOT.read_text(), "hello.handler"))
    settings = json.loads(debugger.variables()[VARIABLE])
    assert (settings["kind"], settings["port"], settings["breakpoints"]) == ("pdb", 5678, [["hello/handler.py", 3]])


def test_only_python_can_be_debugged():
    with pytest.raises(RefusedError, match="only functions in Python"):
        Debugger("pdb", 5678).command(Program(("/var/task/bootstrap",), Path("/")), "")


@pytest.mark.parametrize(
    "changes",
    [{"kind": "gdb"}, {"port": 70000}, {"port": "x"}, {"mappings": [["/one"]]}, {"breakpoints": "handler.py"}],
    ids=str,
)
def test_a_wrong_request_is_refused(changes: dict[str, Any]):
    with pytest.raises(RefusedError) as refused:
        parse(REQUEST | changes)
    assert refused.value.status == 400


def test_an_incomplete_request_is_refused():
    for name in REQUEST:
        with pytest.raises(RefusedError):
            parse({key: value for key, value in REQUEST.items() if key != name})
    with pytest.raises(RefusedError):
        parse("text")


# -- time


def test_paused_time_does_not_count():
    future: Future[str] = Future()
    answers = iter([True] * 3)
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        result(future, 0.01, lambda: next(answers, False))
    assert next(answers, "asked") == "asked"
    assert time.monotonic() - began < 10
    future.set_result("done")
    assert result(future, 0, lambda: True) == "done"


def test_time_counts_without_a_debugger():
    with pytest.raises(TimeoutError):
        result(Future(), 0.01, None)


class Queue:
    """A queue with one message that is in flight until a time."""

    def __init__(self, deadline: float) -> None:
        self.mutex = threading.RLock()
        self.message = SimpleNamespace(visibility_deadline=deadline)
        self.receipts = {"handle": self.message}
        self.inflight = [self.message]


def test_a_message_that_becomes_visible_soon_is_hidden_for_longer():
    queue = Queue(deadline=101)
    extend(queue, "handle", now=100)
    assert queue.message.visibility_deadline == 100 + EXTENSION_SECONDS


def test_a_message_that_is_hidden_for_long_or_handed_back_is_left_alone():
    queue = Queue(deadline=200)
    extend(queue, "handle", now=100)
    queue.inflight.clear()
    extend(queue, "handle", now=199)
    extend(queue, "unknown", now=199)
    assert queue.message.visibility_deadline == 200


def test_messages_are_held_until_their_function_has_ended():
    debugged, queue, other = session(Made()), Queue(deadline=0), Queue(deadline=0)
    thread = threading.Thread(target=keep, args=(debugged, lambda: [(other, "handle")]))
    with kept_hidden(debugged, queue, ["handle"]):
        thread.start()
        assert eventually(lambda: queue.message.visibility_deadline > time.time())
        assert eventually(lambda: other.message.visibility_deadline > time.time())
    assert debugged.held == set()
    debugged.is_over.set()
    thread.join()
    with kept_hidden(None, None, []):
        assert debugged.held == set()
