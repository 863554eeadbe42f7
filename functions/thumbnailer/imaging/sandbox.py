"""Render photos in a separate process with limits on memory and time.

A file that kills the process does not end the function.

The process runs this module: `python -m thumbnailer.imaging.sandbox FD`, where FD is its end of a socket pair.
"""

import contextlib
import dataclasses
import json
import math
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from multiprocessing.connection import Connection, Pipe
from pathlib import Path
from typing import Any

from thumbnailer.imaging import allocator
from thumbnailer.imaging.files import read_file
from thumbnailer.imaging.images import Output, Photo, Thumbnail, render
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection

# Seconds that a new process may take to import its modules
_START_S = 20.0
# A request without a file
_GIVE_BACK = {"give_back": True}
# The environment variables that a decoder needs; others hold the function's credentials.
_PASSED_ON = ("LD_LIBRARY_PATH", "LANG", "LC_ALL", "LC_CTYPE")


class Sandbox:
    """A worker process, which is reused, and replaced when it dies. Threads may share it and take turns.

    The worker ends when its parent ends, because then the parent's end of the pipe is closed.
    """

    def __init__(self, limits: Limits, output: Output, timeout_s: float = 15.0) -> None:
        """`timeout_s` limits the time for each file, and `limits.max_memory` the worker's address space."""
        self._setup = {"limits": dataclasses.asdict(limits), "output": dataclasses.asdict(output)}
        self._timeout_s = timeout_s
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection[Any, Any] | None = None
        self._is_used = False
        self._turn = threading.Lock()

    def render(self, source: bytes | Path, timeout_s: float = math.inf) -> Photo:
        """Render a file, given as its content or its path, as images.render does.

        Raises Rejection, also if the worker fails (timeout, out_of_memory, crashed) or the path is not a readable,
        regular file (unreadable). Raises TimeoutError if the caller's `timeout_s` is too short for a decision.
        """
        end = time.monotonic() + timeout_s
        with self._turn:
            is_first = self._pipe is None or not self._is_used
            try:
                return self._attempt(source, end)
            except Rejection as rejection:
                # The kernel may have ended the idle process, or an earlier file may have damaged it or used up its
                # memory. So the file is rendered again in a new process.
                if is_first or rejection.code not in {"crashed", "out_of_memory"}:
                    raise
            return self._attempt(source, end)

    def give_back(self) -> None:
        """Make the worker return memory to the kernel that it has kept for the next file."""
        with self._turn, contextlib.suppress(OSError):
            if self._pipe:
                self._pipe.send_bytes(json.dumps(_GIVE_BACK).encode())

    def _attempt(self, source: bytes | Path, end: float) -> Photo:
        pipe = self._connect(end)
        self._is_used = True
        allowed_s = max(0.0, min(end - time.monotonic(), self._timeout_s))
        try:
            request = {
                "cpu_s": math.ceil(allowed_s) + 1,
                "path": os.fsdecode(source) if isinstance(source, Path) else None,
            }
            pipe.send_bytes(json.dumps(request).encode())
            if isinstance(source, bytes):
                pipe.send_bytes(source)
            if not pipe.poll(allowed_s):
                raise Rejection("timeout", f"It was stopped after {allowed_s:.0f} seconds.")
            return _received(pipe)
        except (EOFError, OSError) as error:
            raise self._post_mortem() from error
        except Rejection as rejection:
            if rejection.code in {"timeout", "out_of_memory"}:
                self.close()
            if rejection.code == "timeout" and allowed_s < self._timeout_s:
                raise TimeoutError(f"only {allowed_s:.0f} s were left to decode it") from rejection
            raise
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the worker."""
        if self._pipe:
            self._pipe.close()
        if self._process:
            self._process.kill()
            self._process.wait()
        self._pipe = self._process = None

    def _connect(self, end: float) -> "Connection[Any, Any]":
        if self._pipe is None:
            ours, theirs = Pipe()
            with theirs:
                # -P prevents imports from the current folder, which may be a folder of photos.
                command = [sys.executable, "-P", "-m", "thumbnailer.imaging.sandbox", str(theirs.fileno())]
                environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
                environment["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
                quiet: dict[str, Any] = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.DEVNULL)
                self._process = subprocess.Popen(command, pass_fds=[theirs.fileno()], env=environment, **quiet)
            self._pipe, self._is_used = ours, False
            if not self._started(ours, min(_START_S, end - time.monotonic())):
                self.close()
                if time.monotonic() >= end:
                    raise TimeoutError("too little time was left to start the decoding process")
                raise OSError("the decoding process did not start; its memory limit may be too low")
        return self._pipe

    def _started(self, pipe: "Connection[Any, Any]", timeout_s: float) -> bool:
        with contextlib.suppress(EOFError, OSError):
            pipe.send_bytes(json.dumps(self._setup).encode())
            return pipe.poll(max(0.0, timeout_s)) and pipe.recv_bytes() == b"ready"
        return False

    def _post_mortem(self) -> Rejection:
        """Return the Rejection for the reason why the worker died."""
        code = self._process.wait(5) if self._process else None
        self.close()
        if code == -signal.SIGXCPU:
            return Rejection("timeout")
        return Rejection("crashed", f"(signal {-code})" if code and code < 0 else "")


def _received(pipe: "Connection[Any, Any]") -> Photo:
    answer = json.loads(pipe.recv_bytes())
    if "rejected" in answer:
        rejection = Rejection(answer["rejected"])
        rejection.text = answer["text"]
        raise rejection
    blobs = [pipe.recv_bytes() for _ in range(answer["blobs"])]
    thumbnails = {size: Thumbnail(**facts, data=blobs[blob]) for size, (facts, blob) in answer["thumbnails"].items()}
    return Photo(**answer["photo"], thumbnails=thumbnails)


def _send(pipe: "Connection[Any, Any]", photo: Photo) -> None:
    blobs = list({id(thumbnail.data): thumbnail.data for thumbnail in photo.thumbnails.values()}.values())
    thumbnails = {}
    for size, thumbnail in photo.thumbnails.items():
        fields = {
            field.name: getattr(thumbnail, field.name)
            for field in dataclasses.fields(thumbnail)
            if field.name != "data"
        }
        thumbnails[size] = (fields, next(index for index, blob in enumerate(blobs) if blob is thumbnail.data))
    facts = {
        field.name: getattr(photo, field.name) for field in dataclasses.fields(photo) if field.name != "thumbnails"
    }
    pipe.send_bytes(json.dumps({"photo": facts, "thumbnails": thumbnails, "blobs": len(blobs)}).encode())
    for blob in blobs:
        pipe.send_bytes(blob)


def _send_rejection(pipe: "Connection[Any, Any]", rejection: Rejection) -> None:
    pipe.send_bytes(json.dumps({"rejected": rejection.code, "text": rejection.text}).encode())


def _limit(kind: int, value: int) -> None:
    """Set a soft limit of this process, within its hard limit."""
    _, most = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if most == resource.RLIM_INFINITY else min(value, most), most))


def _serve(pipe: "Connection[Any, Any]") -> None:
    setup = json.loads(pipe.recv_bytes())
    limits, output = Limits(**setup["limits"]), Output(**setup["output"] | {"sizes": tuple(setup["output"]["sizes"])})
    _limit(resource.RLIMIT_AS, limits.max_memory)
    _limit(resource.RLIMIT_FSIZE, 0)
    _limit(resource.RLIMIT_CORE, 0)
    pipe.send_bytes(b"ready")
    while True:
        request = json.loads(pipe.recv_bytes())
        if request == _GIVE_BACK:
            allocator.give_back()
        else:
            _answer(pipe, request, limits, output)


def _answer(pipe: "Connection[Any, Any]", request: dict[str, Any], limits: Limits, output: Output) -> None:
    """Render a file and send the result. No data of the file stays in memory."""
    # The kernel stops a decoder that never ends, even if the parent has died.
    _limit(resource.RLIMIT_CPU, math.ceil(time.process_time()) + request["cpu_s"])
    try:
        data = pipe.recv_bytes() if request["path"] is None else read_file(request["path"], limits.max_bytes)
        _send(pipe, render(data, limits, output))
    except Rejection as rejection:
        _send_rejection(pipe, rejection)
    except MemoryError:
        _send_rejection(pipe, Rejection("out_of_memory"))


if __name__ == "__main__":
    with contextlib.suppress(EOFError), Connection(int(sys.argv[1])) as parent:
        _serve(parent)
