"""Stop the server, and keep what is deployed (`down`, `restart`) or remove it (`down --forget`)."""

import json
import signal
import time
from collections.abc import Collection
from dataclasses import dataclass

from embedded_localstack import inventory, processes
from embedded_localstack.endings import end, family_of, kill, sweep
from embedded_localstack.launch import answers, start
from embedded_localstack.state import Home, LaunchError, Refusal, Run

# This is enough for a busy machine and a large state.
SAVE_SECONDS = 180


@dataclass(frozen=True)
class Forgotten:
    """The result of `down --forget`, with a description and the names of the removed resources by service."""

    text: str
    names: dict[str, list[str]]


def down(home: Home, without: Collection[str] = ()) -> str:
    """Stop the server and every process it started, and return a description of what was done.

    What is deployed in the server is kept for the next `up`, except the state of the services in `without`.

    Raises:
        LaunchError: what is deployed could not be saved.
    """
    with home.locked():
        run = home.load()
        if run and run.running():
            _keep(home, run, "down", without)
            return f"stopped (process {run.pid}); {_kept(home)}"
        has_snapshot = home.snapshot.is_dir()
        text = _gone(run, has_snapshot=has_snapshot, left=sweep(home, run))
        return f"{text}; {_kept(home)}" if has_snapshot else text


def _gone(run: Run | None, *, has_snapshot: bool, left: int) -> str:
    lost = "the server was gone, and what was deployed in it with it" if run and not has_snapshot else "not running"
    return f"{lost}; ended {left} process(es) that it left behind" if left else lost


def _kept(home: Home) -> str:
    return f"what was deployed is kept in {home.snapshot} (up restores it, down --forget removes it)"


def forget(home: Home) -> Forgotten:
    """Stop the server and every process it started, and remove all deployed and saved resources."""
    with home.locked():
        run = home.load()
        if run and run.running():
            names = inventory.read(run.port)
            end(home, run)
            text = f"stopped (process {run.pid})"
        else:
            has_snapshot = home.snapshot.is_dir()
            names = inventory.load(home.inventory) if has_snapshot else {}
            text = _gone(run, has_snapshot=has_snapshot, left=sweep(home, run))
        home.clean()
        return Forgotten(text, names)


def restart(home: Home, without: Collection[str] = ()) -> Run:
    """Stop the server, and start it again in the same environment with everything that is deployed.

    The state of the services in `without` is discarded.

    Raises:
        LaunchError: the server does not run, its state could not be saved, or the new server did not start.
    """
    with home.locked():
        run = home.load()
        if not run or not run.running():
            raise LaunchError("not running; start it with: embedded-localstack up")
        environment = processes.environ(run.pid)
        _keep(home, run, "restart", without)
        home.prepare()
        return start(home, environment, iam=run.iam)


def _keep(home: Home, run: Run, command: str, without: Collection[str]) -> None:
    """Make the server save its state and end, and then end the processes that it started.

    Raises:
        LaunchError: the state was not saved. The message says whether the server still holds the state.
    """
    if not answers(run.port):
        raise LaunchError(
            f"process {run.pid} does not answer on port {run.port}, so it cannot save what is deployed; see "
            f"{home.log}. "
            "To end it all the same, and lose that: embedded-localstack down --forget"
        )
    names, family = inventory.read(run.port), family_of(run)
    home.refusal.unlink(missing_ok=True)
    home.give_up(without)
    processes.send([run.pid], signal.SIGUSR1)
    deadline = time.monotonic() + SAVE_SECONDS
    while processes.wait_gone([run.pid], 0.05):
        if home.refusal.exists():
            raise LaunchError(_not_kept(home.refused(), command, without))
        if time.monotonic() > deadline:
            raise LaunchError(
                f"process {run.pid} is still saving its state after {SAVE_SECONDS} s; see {home.log}, then try again"
            )
    kill(family)
    sweep(home, run)
    if not home.snapshot.is_dir():
        raise LaunchError(f"the server ended before its state was saved: what was deployed is lost; see {home.log}")
    home.inventory.write_text(json.dumps(names))


def _not_kept(refusal: Refusal, command: str, without: Collection[str]) -> str:
    runs = "The server still runs, with everything in it"
    if not refusal.services:
        return (
            f"not stopped: what is deployed could not be saved ({refusal.reason}). {runs}. "
            "To stop it all the same, and lose that: embedded-localstack down --forget"
        )
    names = ",".join(sorted({*refusal.services, *without}))
    return (
        f"not stopped: the state of {', '.join(refusal.services)} cannot be kept ({refusal.reason}). {runs}. "
        f"To stop it, and lose the state of {names} only: embedded-localstack {command} --without {names}"
    )
