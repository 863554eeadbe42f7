"""Starting and stopping the server."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from http.client import HTTPException
from importlib import metadata
from typing import Any

from embedded_localstack import processes
from embedded_localstack.settings import iam_enforced, server_environment
from embedded_localstack.state import CACHE, Home, LaunchError, Run

SERVER = [sys.executable, "-m", "embedded_localstack.server"]
START_SECONDS = 90
# Nothing is kept, so there is nothing to wait for: LocalStack's own shutdown ends one service after another for ten seconds.
STOP_SECONDS = 2
# On a busy machine, with what a long fault run leaves
SAVE_SECONDS = 180


# The server is on this machine, whatever proxy the caller's environment names.
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def health(port: int, timeout: float = 2) -> dict[str, Any] | None:
    """LocalStack's own answer to "how are you", None if there is none."""
    try:
        with _OPENER.open(f"http://127.0.0.1:{port}/_localstack/health", timeout=timeout) as response:
            answer = json.load(response)
    except (OSError, ValueError, HTTPException):
        return None
    return answer if isinstance(answer, dict) and "version" in answer else None


def port_taken(port: int) -> bool:
    """Whether something listens on the port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def owner_of(port: int) -> str:
    """Who listens on the port, in words."""
    pid = processes.listener(port)
    who = f"process {pid} ({processes.command(pid)})" if pid else "a process of another user"
    answer = health(port)
    return f"{who}, a LocalStack {answer['version']} that is not this checkout's" if answer else who


def up(home: Home) -> tuple[Run, bool]:
    """Start the server and wait until it is healthy. Returns it and whether it was started now.

    Raises:
        LaunchError: the port is someone else's, or the server did not come up.
    """
    with home.locked():
        run = home.load()
        if run and run.running():
            if health(run.port, timeout=15):
                return run, False
            raise LaunchError(f"process {run.pid} runs but does not answer on port {run.port}; see {home.log}, or: down, then up")
        _sweep(home, run)
        if port_taken(home.port):
            raise LaunchError(f"port {home.port} is taken by {owner_of(home.port)}; stop it, or choose another with --port")
        home.prepare()
        _make_catalog(home)
        home.log.write_bytes(b"")
        return _start(home, server_environment(home), iam=iam_enforced()), True


def restart(home: Home) -> Run:
    """Stop the server, and start it again with everything that was in it, and in the environment that it had.

    Raises:
        LaunchError: there is none, it could not write its state down, or the new one did not come up.
    """
    with home.locked():
        run = home.load()
        if not run or not run.running():
            raise LaunchError("not running; start it with: make up")
        environment = processes.environ(run.pid)
        family = {pid: processes.start_ticks(pid) for pid in processes.descendants(run.pid)}
        processes.send([run.pid], signal.SIGUSR1)
        processes.wait_gone([run.pid], SAVE_SECONDS)
        if not home.snapshot.is_dir():
            _stop(home, run)
            raise LaunchError(f"the server could not write its state down, and was stopped; see {home.log}")
        _reap(run)
        processes.send([pid for pid, ticks in family.items() if processes.same(pid, ticks)], signal.SIGKILL)
        _sweep(home, run)
        home.prepare()
        return _start(home, environment, iam=run.iam)


def _make_catalog(home: Home) -> None:
    """Make LocalStack's index of AWS's API descriptions once. A server without it makes its own: four seconds and 350 MB, each time."""
    try:
        versions = [metadata.version(package).replace(".", "_") for package in ("localstack-core", "botocore")]
    except metadata.PackageNotFoundError:
        return
    catalog = CACHE / f"service-catalog-{'-'.join(versions)}.dill"
    if catalog.exists():
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    part = catalog.with_suffix(f".{os.getpid()}")
    code = "import sys; from localstack.aws.spec import build_service_index_cache; build_service_index_cache(sys.argv[1])"
    done = subprocess.run([sys.executable, "-c", code, part], env=server_environment(home), cwd=home.path, capture_output=True, check=False)
    if done.returncode == 0:
        part.replace(catalog)


def _start(home: Home, environment: dict[str, str], *, iam: bool) -> Run:
    with home.log.open("ab") as log:
        server = subprocess.Popen(
            SERVER,
            env=environment,
            cwd=home.path,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    run = Run(server.pid, processes.start_ticks(server.pid), home.port, iam)
    home.save(run)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if (code := server.poll()) is not None:
            _sweep(home, run)
            raise _not_started(home, f"the server ended at once (exit {code})")
        if health(home.port, timeout=5):
            return run
        time.sleep(0.1)
    _stop(home, run)
    raise _not_started(home, f"the server was not healthy after {START_SECONDS} s")


def _not_started(home: Home, why: str) -> LaunchError:
    kept = f"\neverything that was in it is kept in {home.snapshot}: up goes on with it, down gives it up" if home.snapshot.is_dir() else ""
    return LaunchError(f"{why}:\n{tail(home)}\nall of it: {home.log}{kept}")


def tail(home: Home, lines: int = 15) -> str:
    """The last lines of the server's log."""
    try:
        return "\n".join(home.log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def down(home: Home) -> str:
    """Stop the server and everything it started, and remove its state. Says what was done."""
    with home.locked():
        done = _end(home)
        home.clean()
        return done


def _end(home: Home) -> str:
    run = home.load()
    if run and run.running():
        _stop(home, run)
        return f"stopped (process {run.pid})"
    left = _sweep(home, run)
    if left:
        return f"the server was gone; ended {left} process(es) it left behind"
    if run:
        return "the server was gone; removed what it left"
    return "not running"


def _stop(home: Home, run: Run) -> None:
    # Recorded before any of them ends: a function may have children that no environment variable gives away.
    family = {pid: processes.start_ticks(pid) for pid in processes.descendants(run.pid)}
    processes.send([run.pid], signal.SIGTERM)
    processes.wait_gone([run.pid], STOP_SECONDS)
    left = [pid for pid, ticks in {**family, run.pid: run.ticks}.items() if processes.same(pid, ticks)]
    processes.send(left, signal.SIGKILL)
    processes.wait_gone(left, 5)
    _sweep(home, run)


def _sweep(home: Home, run: Run | None) -> int:
    """Kill what still runs in this home's name and remove what only a running server needs. Returns how many there were."""
    found: set[int] = set()
    while rest := processes.belonging_to(home.path):
        new = [pid for pid in rest if pid not in found]
        processes.send(rest, signal.SIGKILL)
        _reap(run)
        if processes.wait_gone(rest, 5) and not new:
            break
        found.update(rest)
    _reap(run)
    home.clean_runtime()
    return len(found)


def _reap(run: Run | None) -> None:
    """The server is this process's child when `up` gives up on it."""
    if run:
        try:
            os.waitpid(run.pid, os.WNOHANG)
        except ChildProcessError:
            return
