"""Define the target of an operator's command: an environment, clients of its cloud, and a folder for files."""

import hashlib
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from eventloom import clouds
from eventloom.deployment.outputs import current_outputs


@dataclass(frozen=True)
class Target:
    """The environment that a command works on, and the settings of the command.

    Attributes:
        environment: the name of the environment.
        outputs: the Terraform outputs of the environment.
        cloud: the cloud's name for file names.
        client: returns the boto3 client of a service.
        folder: the folder of checkpoints and records.
        receive_wait_s: how long SQS waits for messages before it reports that a queue is empty.
        poll_s: the pause between two requests for the status of something in progress.
        patience_s: how long a command waits for the effect of the messages that it sent.
        can_ask: whether a user can answer a prompt.
        now: returns the time in seconds since the epoch.
    """

    environment: str
    outputs: dict[str, Any]
    cloud: str
    client: Callable[[str], Any]
    folder: Path
    receive_wait_s: int = 1
    poll_s: float = 5
    patience_s: float = 30
    can_ask: bool = False
    now: Callable[[], float] = time.time

    def file(self, job: str, suffix: str, *identity: str) -> Path:
        """Return the path of a job's file. Each cloud, environment and identity has a separate file."""
        digest = f"-{hashlib.sha256('|'.join(identity).encode()).hexdigest()[:12]}" if identity else ""
        return self.folder / f"{job}-{self.cloud}-{self.environment}{digest}{suffix}"


def current_target(environment: str) -> Target:
    """Return the target of the running command. Tests set one in click's context; otherwise it is `environment`.

    Raises UserError if nothing is deployed.
    """
    context = click.get_current_context(silent=True)
    if context and (target := context.find_object(Target)):
        return target
    cloud = clouds.chosen_cloud()
    return Target(
        environment,
        current_outputs(environment),
        cloud.key,
        clouds.client,
        clouds.BUILD / "operations",
        poll_s=0.5 if cloud.port else 5,
        patience_s=5 if cloud.port else 30,
        can_ask=sys.stdin.isatty(),
    )
