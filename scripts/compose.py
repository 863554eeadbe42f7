"""Runs the integration tests in the compose cloud: docker-compose.yml up, healthy, tested, and every container of it removed.

Usage: compose.py [PYTEST ARGUMENTS]     (COMPOSE_PORT, by default 4594, so that a `docker compose up` of yours is not disturbed)

Exits with pytest's code; with 1, before anything is started, where there is no Docker or a container of that name already.
What was started is removed in any case: after a failure, Ctrl-C or SIGTERM too.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import Any

from eventloom.clouds import BUILD, ROOT

PORT = os.environ.setdefault("COMPOSE_PORT", "4594")
HEALTHY_SECONDS = 150
TEST_SECONDS = 900
WITHOUT = "or use the embedded LocalStack: make test"
ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Stack:
    """One run of docker-compose.yml, apart from any other on this machine."""

    compose: list[str]
    name: str

    def __call__(self, *arguments: str) -> None:
        environment = os.environ | {"LOCALSTACK_CONTAINER": self.name, "COMPOSE_PROJECT_NAME": self.name}
        done = subprocess.run([*self.compose, *arguments], cwd=ROOT, env=environment, check=False)
        if done.returncode:
            sys.exit(f"compose: {' '.join([*self.compose, *arguments])} failed (messages above)")

    def refuse_another(self) -> None:
        """Exit if there is a container of that name: it is not ours to use, and still less to remove."""
        if docker("ps", "-aq", "--filter", f"name=^{self.name}$").split():
            sys.exit(f"compose: there is a container {self.name}, of another run; wait for it, remove it, or set LOCALSTACK_CONTAINER")

    def up(self) -> None:
        """Start it and wait until its health check passes. Exits with its log if it does not."""
        self("up", "-d")
        deadline = time.monotonic() + HEALTHY_SECONDS
        while (state := self.state())["Health"]["Status"] != "healthy":
            if not state["Running"] or state["Health"]["Status"] == "unhealthy" or time.monotonic() > deadline:
                print(docker("logs", "--tail", "40", self.name), file=sys.stderr)
                sys.exit(f"compose: {self.name} is {state['Status']}, {state['Health']['Status']} (its log above)")
            time.sleep(0.5)
        print(f"compose: {self.name} is healthy on port {PORT}; image {self.image()}", flush=True)

    def state(self) -> dict[str, Any]:
        """Docker's account of the LocalStack container."""
        found: dict[str, Any] = json.loads(docker("inspect", "-f", "{{json .State}}", self.name))
        return found

    def image(self) -> str:
        """The image's tag and id, and what its label says that it is."""
        tag, image_id, title = docker(
            "inspect", "-f", '{{.Config.Image}}\n{{.Image}}\n{{index .Config.Labels "org.opencontainers.image.title"}}', self.name
        ).splitlines()
        return f"{tag} ({title or 'no title'}, {image_id.removeprefix('sha256:')[:12]})"

    def down(self) -> None:
        """Remove it, its volume, its network and the containers that it started for functions. Says so if any is left."""
        # The server first: it would start new containers for what still waits in queues.
        subprocess.run(["docker", "rm", "-f", "-v", self.name], check=False, capture_output=True)
        siblings = docker("ps", "-aq", "--filter", f"label=eventloom={self.name}").split()
        if siblings:
            docker("rm", "-f", "-v", *siblings)
        self("down", "-v", "--remove-orphans")
        left = docker("ps", "-aq", "--filter", f"name=^{self.name}").split()
        print(f"compose: removed, with {len(siblings)} containers of functions", flush=True)
        if left:
            sys.exit(f"compose: containers are left: {' '.join(left)}")

    def save_log(self) -> None:
        """Keep LocalStack's log for whoever looks into a failure."""
        logs = BUILD / "test-logs"
        logs.mkdir(parents=True, exist_ok=True)
        with (logs / "compose-localstack.log").open("wb") as file:
            subprocess.run(["docker", "logs", self.name], check=False, stdout=file, stderr=subprocess.STDOUT)


def docker(*arguments: str) -> str:
    """What a docker command prints. Exits with its message when it fails."""
    done = subprocess.run(["docker", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"compose: docker {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def compose_command() -> list[str]:
    """`docker compose` (v2) or docker-compose (1.29 is enough). Exits with what to do where there is neither, or no engine."""
    if not shutil.which("docker"):
        sys.exit(f"compose: no docker command; install Docker, {WITHOUT}")
    asked = subprocess.run(["docker", "version", "--format", "{{.Server.Version}}"], check=False, capture_output=True, text=True)
    if asked.returncode:
        sys.exit(f"compose: no Docker engine answers ({asked.stderr.strip()}); start Docker, {WITHOUT}")
    wanted = os.environ.get("COMPOSE")
    for command in [wanted.split()] if wanted else [["docker", "compose"], ["docker-compose"]]:
        if shutil.which(command[0]) and subprocess.run([*command, "version"], check=False, capture_output=True).returncode == 0:
            return command
    sys.exit(f"compose: {wanted or 'neither docker compose nor docker-compose'} does not run; install Docker Compose, {WITHOUT}")


def ignore_endings() -> None:
    """An impatient second Ctrl-C does not leave containers behind."""
    for number in ENDINGS:
        signal.signal(number, signal.SIG_IGN)


def interrupt(*_: object) -> None:
    """Ctrl-C and a polite kill end the run the same way, once: make hands on what its own process group gets too."""
    ignore_endings()
    raise KeyboardInterrupt


def run(arguments: list[str], image: str) -> int:
    """Pytest's exit code. An interrupt ends it with all that it started: there is nothing that it would have to tidy up."""
    environment = os.environ | {"CLOUD": "compose", "TESTED_CLOUD": f"docker-compose with the image {image}"}
    # The first test waits for the deployment, whose functions may have to wait for their runtime to be pulled.
    command = [sys.executable, "-m", "pytest", "-q", "--durations=12", "-o", f"timeout={TEST_SECONDS}", "tests/integration", *arguments]
    tests = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    try:
        return tests.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(tests.pid, signal.SIGKILL)


def main() -> int:
    """Up, test, down."""
    stack = Stack(compose_command(), os.environ.get("LOCALSTACK_CONTAINER", "eventloom-test"))
    stack.refuse_another()
    for number in ENDINGS:
        signal.signal(number, interrupt)
    try:
        stack.up()
        return run(sys.argv[1:], stack.image())
    except KeyboardInterrupt:
        print("compose: interrupted; cleaning up", file=sys.stderr)
        return 130
    finally:
        ignore_endings()
        stack.save_log()
        stack.down()


if __name__ == "__main__":
    sys.exit(main())
