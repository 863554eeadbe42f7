"""The target of an operator's commands: an environment, clients of its cloud, and a folder for their files."""

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
    """An environment and the means to work on it.

    Attributes:
        environment: its name.
        outputs: its Terraform outputs.
        cloud: the name of its cloud in the names of files.
        client: returns the boto3 client of a service.
        folder: the folder of checkpoints and records.
        receive_wait_s: how long SQS waits for messages before it answers that a queue is empty.
        poll_s: pause between two questions about something that AWS works on.
        patience_s: how long a command waits for the effect of what it sent.
        can_ask: whether there is a person who can answer a question.
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
        """Return the file of a job. Jobs of another cloud, environment or identity have another file."""
        digest = f"-{hashlib.sha256('|'.join(identity).encode()).hexdigest()[:12]}" if identity else ""
        return self.folder / f"{job}-{self.cloud}-{self.environment}{digest}{suffix}"


def current_target(environment: str) -> Target:
    """Return the target of the running command: that of click's context, which tests set, or the deployed environment.

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
