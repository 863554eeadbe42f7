import fcntl
import os
import resource
import time
from collections.abc import Iterator

import pytest

from embedded_localstack.executor.output import LIMIT, Event, Output


@pytest.fixture
def many_files() -> Iterator[None]:
    """Allow file descriptors above 1023."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard if hard != resource.RLIM_INFINITY else 4096, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class Pipes:
    """The two pipes of a function's output. Their numbers are at least `number`."""

    def __init__(self, number: int = 0) -> None:
        lines, self.lines = os.pipe()
        frames, self.frames = os.pipe()
        self.output = Output(*(fcntl.fcntl(reader, fcntl.F_DUPFD, number) for reader in (lines, frames)))
        os.close(lines)
        os.close(frames)

    def taken(self) -> list[str]:
        return [event.message for event in self.output.take()]


def frame(message: str, kind: int = 0xA55A0003, time_us: int = 5) -> bytes:
    data = message.encode()
    return kind.to_bytes(4) + len(data).to_bytes(4) + time_us.to_bytes(8) + data


@pytest.mark.usefixtures("many_files")
@pytest.mark.parametrize("number", [0, 1024])
def test_all_output_of_a_process_is_delivered(number: int) -> None:
    pipes = Pipes(number)
    os.write(pipes.lines, b"one\n")
    time.sleep(0.1)  # so that the thread reads it, not `take`
    assert pipes.taken() == ["one\n"]
    os.write(pipes.lines, b"two")
    os.close(pipes.lines)
    assert pipes.taken() == ["two\n"]
    assert pipes.taken() == []
    os.close(pipes.frames)


def test_each_line_is_an_event_and_empty_lines_are_none() -> None:
    pipes = Pipes()
    os.write(pipes.lines, "a\n\nb ü".encode()[:-1])
    os.write(pipes.lines, "ü".encode()[-1:] + b"\n")
    assert pipes.taken() == ["a\n", "b ü\n"]


@pytest.mark.parametrize(
    ("kind", "level"),
    [(0xA55A0003, None), (0xA55A000B, "DEBUG"), (0xA55A000E, "INFO"), (0xA55A0013, "WARN"), (0xA55A001A, "FATAL")],
)
def test_a_frame_is_one_event_with_its_time_and_level(kind: int, level: str | None) -> None:
    pipes = Pipes()
    os.write(pipes.frames, frame("one\ntwo", kind, 7))
    assert pipes.output.take() == [Event(7, "one\ntwo", level)]


def test_a_frame_that_arrives_in_parts_is_handed_over_when_it_is_complete() -> None:
    pipes = Pipes()
    data = frame("first") + frame("second")
    os.write(pipes.frames, data[:25])
    assert pipes.taken() == ["first"]
    os.write(pipes.frames, data[25:])
    assert pipes.taken() == ["second"]


def test_output_that_is_not_a_frame_is_not_lost() -> None:
    pipes = Pipes()
    os.write(pipes.frames, b"somebody else wrote this")
    assert pipes.taken() == ["somebody else wrote this"]


def test_too_much_output_is_cut() -> None:
    pipes = Pipes()
    for _ in range(LIMIT // 65536 + 2):
        os.write(pipes.frames, frame("x" * 65000))
    messages = pipes.taken()
    assert sum(map(len, messages)) < LIMIT + 70000
    assert messages[-1].endswith("(output cut after 4 MiB)\n")
