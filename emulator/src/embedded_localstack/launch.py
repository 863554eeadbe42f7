"""Start the server."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from importlib import metadata

from embedded_localstack import isolation, processes
from embedded_localstack.endings import end, sweep
from embedded_localstack.probe import free_port_after, health, owner_of, port_taken
from embedded_localstack.settings import iam_enforced, server_environment
from embedded_localstack.state import DEFAULT_PORT, Home, LaunchError, PortTakenError, Run

SERVER = [sys.executable, "-m", "embedded_localstack.server"]
START_SECONDS = 90
# If an earlier `up` was interrupted, its server may still be starting.
ANSWER_SECONDS = 15


@dataclass(frozen=True)
class Started:
    """The result of `up`.

    `now` is False if the server was already running. `lost` is the previous server if it ended without being stopped.
    """

    run: Run
    now: bool
    restored: bool = False
    lost: Run | None = None


def up(home: Home) -> Started:
    """Start the server and wait until it is healthy.

    Raises:
        LaunchError: this system is not Linux, another program uses the port, or the server did not start.
    """
    isolation.refuse_other_systems()
    refuse_moto()
    with home.locked():
        run = home.load()
        if run and run.running():
            if answers(run.port):
                return Started(run, now=False)
            raise LaunchError(
                f"process {run.pid} runs but does not answer on port {run.port}; see {home.log}. "
                "If it does not recover, end it with: embedded-localstack down --forget"
            )
        sweep(home, run)
        if port_taken(home.port):
            raise PortTakenError(_port_taken(home.port))
        restored = home.snapshot.is_dir()
        home.prepare()
        make_catalog(home)
        home.log.write_bytes(b"")
        started = start(home, server_environment(home), iam=iam_enforced())
        return Started(started, now=True, restored=restored, lost=None if restored else run)


def refuse_moto() -> None:
    """Refuse an environment in which moto and moto-ext have overwritten each other's files.

    Raises:
        LaunchError: both are installed.
    """
    if not {"moto", "moto-ext"} <= {distribution.name for distribution in metadata.distributions()}:
        return
    raise LaunchError(
        f"moto is installed in {sys.prefix}, and it owns the same files as moto-ext, which LocalStack needs; "
        "install embedded-localstack in its own virtual environment"
    )


def _port_taken(port: int) -> str:
    usual = ", usually another LocalStack" if port == DEFAULT_PORT else ""
    other = free_port_after(port)
    return (
        f"port {port} is in use by {owner_of(port)}{usual}; stop that, "
        f"or choose another port: embedded-localstack up --port {other} (or EMBEDDED_PORT={other})"
    )


def answers(port: int) -> bool:
    """Return whether a running server answers within ANSWER_SECONDS."""
    deadline = time.monotonic() + ANSWER_SECONDS
    while time.monotonic() < deadline:
        if health(port, timeout=5):
            return True
        time.sleep(0.1)
    return False


def make_catalog(home: Home) -> None:
    """Make LocalStack's index of the AWS APIs if it does not exist yet.

    Without it each server builds its own, which takes 4 s and 350 MB of memory.
    """
    try:
        versions = [metadata.version(package).replace(".", "_") for package in ("localstack-core", "botocore")]
    except metadata.PackageNotFoundError:
        return  # the server itself reports the missing package
    catalog = home.cache / f"service-catalog-{'-'.join(versions)}.dill"
    if catalog.exists():
        return
    home.cache.mkdir(parents=True, exist_ok=True)
    part = catalog.with_suffix(f".{os.getpid()}")
    code = (
        "import sys; from localstack.aws.spec import build_service_index_cache; build_service_index_cache(sys.argv[1])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, part],
        env=server_environment(home),
        cwd=home.path,
        capture_output=True,
        check=False,
    )
    if done.returncode == 0:
        part.replace(catalog)


def start(home: Home, environment: dict[str, str], *, iam: bool) -> Run:
    """Start the server process in an environment, and wait until it is healthy.

    Raises:
        LaunchError: the server ended, or it was not healthy in time.
    """
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
            sweep(home, run)
            raise _not_started(home, f"the server ended at once (exit {code})")
        if health(home.port, timeout=5):
            home.inventory.unlink(missing_ok=True)
            return run
        time.sleep(0.1)
    end(home, run)
    raise _not_started(home, f"the server was not healthy after {START_SECONDS} s")


def _not_started(home: Home, reason: str) -> LaunchError:
    hint = ""
    if home.snapshot.is_dir():
        hint = (
            f"\nwhat was deployed is still kept in {home.snapshot}: up tries again to restore it, down --forget "
            f"removes it"
        )
    return LaunchError(f"{reason}:\n{tail(home)}\nthe whole log: {home.log}{hint}")


def tail(home: Home, lines: int = 15) -> str:
    """Return the last lines of the server's log."""
    try:
        return "\n".join(home.log.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
