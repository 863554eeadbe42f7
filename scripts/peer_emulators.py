"""Probe other emulators for the capabilities in scripts/capabilities.py, for a table in docs/capabilities.md.

Usage: python -m scripts.peer_emulators            (`make capabilities-peers` installs them first)

Each emulator runs on a free port of 127.0.0.1 with its strictest settings. Only the probes that need no deployment run.
The results are saved in build/results/peers.json.
"""

import argparse
import contextlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib import metadata
from typing import Any

import requests
from botocore.exceptions import BotoCoreError, ClientError

from eventloom.clouds import BUILD, Cloud
from scripts import capabilities

RESULTS = BUILD / "results" / "peers.json"
PROGRAMS = BUILD / "venv" / "peers" / "bin"
# An emulator may describe a load balancer that cannot be reached. Every peer is disposable, so this needs no probe.
NOT_ASKED = ("load_balancer", "disposable")
START_S = 60
PROBE_S = 120


class NotDeployedError(Exception):
    """Raised if a probe needs the deployment of this project."""


class NoDeployment(dict[str, Any]):
    """The outputs of a deployment that does not exist."""

    def __missing__(self, name: str) -> Any:
        raise NotDeployedError(name)


@dataclass(frozen=True)
class Peer:
    """An emulator: its package on PyPI, its command, and the settings that make it strict."""

    package: str
    command: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)
    """Environment variables. PORT stands for the port, here and in the command."""


PEERS = {
    "MiniStack": Peer("ministack", ("ministack",), {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": "PORT", "AUTH": "true"}),
    # INITIAL_NO_AUTH_ACTION_COUNT is not set: it would enforce IAM for the deployer as well.
    "moto server": Peer("moto", ("moto_server", "-H", "127.0.0.1", "-p", "PORT")),
}


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextlib.contextmanager
def running(peer: Peer) -> Iterator[int]:
    """Start an emulator, yield its port, and stop the emulator. Its output is in build/peers.

    Raises:
        TimeoutError: the emulator does not answer within a minute.
    """
    port, folder = free_port(), BUILD / "peers" / peer.package
    folder.mkdir(parents=True, exist_ok=True)
    program, *arguments = (part.replace("PORT", str(port)) for part in peer.command)
    settings = {name: value.replace("PORT", str(port)) for name, value in peer.settings.items()}
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder)}
    environment |= {"AWS_EC2_METADATA_DISABLED": "true"} | settings
    with (folder / "log.txt").open("w") as log:
        process = subprocess.Popen(
            [str(PROGRAMS / program), *arguments], cwd=folder, env=environment, stdout=log, stderr=log
        )
        try:
            wait_for(port, process)
            yield port
        finally:
            process.terminate()
            process.wait(timeout=30)


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until an emulator answers. Raises TimeoutError if it ends or does not answer within a minute."""
    deadline = time.monotonic() + START_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(requests.exceptions.ConnectionError):
            requests.get(f"http://127.0.0.1:{port}/", timeout=5)
            return
        time.sleep(0.2)
    raise TimeoutError(f"{process.args!r} does not answer; see its log in {BUILD / 'peers'}")


def answer(name: str, port: int) -> str:
    """Return the result of a probe on this process's emulator: "yes", "no", or why the probe could not run."""
    try:
        return (
            "yes"
            if capabilities.TABLE[name].probe(Cloud("embedded", port, "another emulator"), NoDeployment())
            else "no"
        )
    except NotDeployedError:
        return "not asked"
    except ClientError as error:
        return f"no, {error.operation_name}: {error.response['Error']['Code']}"
    except (BotoCoreError, requests.exceptions.RequestException) as error:
        return f"no, {type(error).__name__}"


def ask(name: str, port: int) -> str:
    """Return the result of a probe. A separate process, with a time limit, runs it on the emulator's port."""
    command = [sys.executable, "-m", "scripts.peer_emulators", "--ask", name]
    environment = os.environ | {"EMBEDDED_PORT": str(port), "CLOUD": "embedded"}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PROBE_S, check=True)
    except subprocess.TimeoutExpired:
        return "no, no answer"
    return done.stdout.strip()


def version_of(package: str) -> str:
    """Return the installed version of a peer."""
    (folder,) = (PROGRAMS.parent / "lib").glob("python*/site-packages")
    (found,) = metadata.distributions(name=package, path=[str(folder)])
    return found.version


def main() -> None:
    """Probe every peer for every capability, and save and print the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ask", metavar="CAPABILITY", help="ask the emulator on EMBEDDED_PORT for one capability")
    options = parser.parse_args()
    if options.ask:
        print(answer(options.ask, int(os.environ["EMBEDDED_PORT"])))
        return
    results: dict[str, Any] = {}
    for title, peer in PEERS.items():
        with running(peer) as port:
            names = [name for name in capabilities.TABLE if name not in NOT_ASKED]
            answers = {name: ask(name, port) for name in names}
        results[title] = {
            "when": datetime.now(UTC).date().isoformat(),
            "version": version_of(peer.package),
            "capabilities": answers,
        }
        print(f"{title} {results[title]['version']}")
        for name, text in answers.items():
            print(f"  {name:20} {text}")
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
