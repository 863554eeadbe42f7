"""Run a server in the foreground, as a container or a service manager expects it.

SIGTERM and Ctrl-C stop the server as `down` does, so the next run restores everything that is deployed.
"""

import signal
import sys
import threading
from collections.abc import Callable

from embedded_localstack.launch import Started, tail, up
from embedded_localstack.state import Home, LaunchError, Run
from embedded_localstack.stop import down

WATCH_SECONDS = 0.5


def stop_signal() -> threading.Event:
    """Return an event that is set when this process receives SIGTERM or SIGINT."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


def run(home: Home, stopped: threading.Event, on_start: Callable[[Started], None]) -> str:
    """Start the server, print its log until `stopped` is set, and stop it. Return a description of the end.

    If the state of some services cannot be saved, the state of the other services is still saved.

    Raises:
        LaunchError: the server runs already, did not start, ended by itself, or could not save its state.
    """
    started = up(home)
    if not started.now:
        raise LaunchError(f"it runs already (process {started.run.pid}); stop it with: embedded-localstack down")
    threading.Thread(target=_print_log, args=(home,), daemon=True).start()
    on_start(started)
    while not stopped.wait(WATCH_SECONDS):
        server = _recorded(home)
        if not server:
            return "stopped by another command"
        if not server.running():
            raise LaunchError(f"the server ended by itself (process {server.pid}):\n{tail(home)}")
    try:
        return down(home)
    except LaunchError as error:
        services = home.refused().services if home.refusal.exists() else []
        if not services:
            raise
        print(f"embedded LocalStack: {error}", file=sys.stderr)
        return down(home, services)


def _recorded(home: Home) -> Run | None:
    """Return the server that the folder records. If it does not run, wait first for a command that is restarting it."""
    server = home.load()
    if server and server.running():
        return server
    with home.locked():
        return home.load()


def _print_log(home: Home) -> None:
    pause = threading.Event()
    with home.log.open("rb") as log:
        while True:
            for line in log:
                sys.stdout.buffer.write(line)
            sys.stdout.flush()
            pause.wait(WATCH_SECONDS)
