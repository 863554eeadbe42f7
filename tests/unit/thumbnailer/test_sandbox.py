"""Decoding in a separate process has the same results, and whatever happens to the process becomes a verdict."""

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.thumbnailer.pictures import encode, quarters
from thumbnailer.imaging.images import Output, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection
from thumbnailer.imaging.sandbox import Sandbox

LIMITS, OUTPUT = Limits(), Output((64, 32))
PNG = encode(quarters(), "PNG")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Provide a sandbox with a short time-out."""
    sandbox = Sandbox(LIMITS, OUTPUT, timeout_s=4)
    yield sandbox
    sandbox.close()


def verdict(sandbox: Sandbox, source: bytes | Path) -> str:
    try:
        sandbox.render(source)
    except Rejection as rejection:
        return rejection.code
    return "READY"


def pid(sandbox: Sandbox) -> int:
    assert sandbox._process is not None
    return sandbox._process.pid


def test_results_are_those_without_a_sandbox(sandbox: Sandbox, tmp_path: Path) -> None:
    """Files are given by content and by path, several to one process."""
    (tmp_path / "a.png").write_bytes(PNG)
    assert sandbox.render(PNG) == render(PNG, LIMITS, OUTPUT)
    first = pid(sandbox)
    assert sandbox.render(tmp_path / "a.png") == render(PNG, LIMITS, OUTPUT)
    assert verdict(sandbox, b"x") == "unsupported_format"
    assert pid(sandbox) == first


def test_a_file_is_tried_again_if_a_process_that_saw_other_files_is_killed(sandbox: Sandbox) -> None:
    """The cause may be the kernel or an earlier file. tests/unit/thumbnailer/test_decoder.py tests crashes."""
    assert verdict(sandbox, PNG) == "READY"
    first = pid(sandbox)
    threading.Timer(0.2, os.kill, (first, signal.SIGKILL)).start()
    os.kill(first, signal.SIGSTOP)
    assert verdict(sandbox, PNG) == "READY"
    assert pid(sandbox) != first


def test_endless_decoding_is_stopped(sandbox: Sandbox) -> None:
    """A stopped process stands for one that never ends."""
    assert verdict(sandbox, PNG) == "READY"
    os.kill(pid(sandbox), signal.SIGSTOP)
    started = time.monotonic()
    assert verdict(sandbox, PNG) == "timeout"
    assert time.monotonic() - started < 12
    assert verdict(sandbox, PNG) == "READY"


def test_the_sandbox_has_no_credentials(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """A compromised decoder finds no variable of the function's environment in its process."""
    monkeypatch.setenv("AWS_SESSION_TOKEN", "secret")
    assert verdict(sandbox, PNG) == "READY"
    names = {entry.split(b"=")[0] for entry in Path(f"/proc/{pid(sandbox)}/environ").read_bytes().split(b"\0") if entry}
    assert names <= {b"PYTHONPATH", b"LD_LIBRARY_PATH", b"LANG", b"LC_ALL", b"LC_CTYPE"}


def test_too_little_time_of_the_caller_is_an_error_not_a_verdict(sandbox: Sandbox) -> None:
    """This holds while the sandbox decodes and while its process starts."""
    assert verdict(sandbox, PNG) == "READY"
    os.kill(pid(sandbox), signal.SIGSTOP)
    with pytest.raises(TimeoutError):
        sandbox.render(PNG, timeout_s=0.2)
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        sandbox.render(PNG, timeout_s=0)
    assert time.monotonic() - started < 3
    assert verdict(sandbox, PNG) == "READY"


def test_a_process_that_cannot_start_is_an_error_not_a_verdict(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says nothing about the file."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(OSError, match="did not start"):
        Sandbox(LIMITS, OUTPUT).render(PNG)


def test_the_process_ends_with_its_parent(sandbox: Sandbox) -> None:
    """The other end of its pipe is closed, so no process is left behind."""
    assert verdict(sandbox, PNG) == "READY"
    worker = sandbox._process
    assert worker is not None
    assert sandbox._pipe is not None
    sandbox._pipe.close()
    assert worker.wait(5) == 0


def test_a_format_that_is_not_accepted_is_rejected_in_the_sandbox_too() -> None:
    sandbox = Sandbox(Limits(formats=("jpeg",)), OUTPUT, timeout_s=20)
    try:
        assert verdict(sandbox, PNG) == "unsupported_format"
        assert verdict(sandbox, encode(quarters(), "JPEG")) == "READY"
    finally:
        sandbox.close()
