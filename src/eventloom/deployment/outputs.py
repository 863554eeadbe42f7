"""Read the Terraform outputs of an environment, and cache them in build/ until its state changes."""

import json
from pathlib import Path
from typing import Any

from eventloom import terminal
from eventloom.clouds import BUILD, chosen_cloud
from eventloom.deployment import state_bucket
from eventloom.deployment.terraform import root_module
from eventloom.errors import UserError
from eventloom.private_files import write_private

type Outputs = dict[str, Any]


class NothingDeployed(UserError):
    """Raised when nothing is deployed in an environment."""


def state_version(environment: str) -> str:
    """Return the version of an environment's state. Creates nothing.

    Raises:
        UserError: the environment has no state; the message names those that have one.
    """
    bucket = state_bucket.bucket_name()
    if not state_bucket.exists(bucket):
        raise nothing_deployed(environment, f"there is no bucket {bucket}")
    versions = state_bucket.environments(bucket)
    if environment not in versions:
        raise nothing_deployed(environment, f"{bucket} has the state of {', '.join(versions) or 'no environment'}")
    return versions[environment]


def nothing_deployed(environment: str, reason: str) -> NothingDeployed:
    """Return an error that names the reason and the command that deploys the environment."""
    cloud = chosen_cloud()
    how = (
        "./eventloom demo"
        if (cloud.name, environment) == ("embedded", "local")
        else f"./eventloom deploy --env {environment}"
    )
    if cloud.name == "compose" or (cloud.port and environment != "local"):
        how += f" --cloud {cloud.name}"
    return NothingDeployed(f"nothing is deployed in '{environment}' ({cloud.about}): {reason}; {how} deploys it")


def init() -> None:
    """Connect Terraform to the state bucket, in the workspace `default`, which always exists."""
    options = ("-input=false", "-reconfigure", *state_bucket.backend())
    root_module()("init", *options, workspace="default")


def read_outputs(environment: str) -> Outputs:
    """Return the root outputs in an environment's state, by name. Terraform must be initialized."""
    outputs = json.loads(root_module()("output", "-json", workspace=environment))
    return {name: output["value"] for name, output in outputs.items()}


def save_outputs(environment: str) -> Outputs:
    """Read, cache and return the outputs of an environment's current state. Raises UserError if nothing is deployed."""
    version = state_version(environment)
    outputs = read_outputs(environment)
    if outputs.get("environment") != environment:
        raise nothing_deployed(environment, "its state is empty")
    text = json.dumps({"state": version, "outputs": outputs}, indent=2) + "\n"
    write_private(outputs_file(environment), text.encode())  # The outputs contain the API key.
    return outputs


def current_outputs(environment: str) -> Outputs:
    """Initialize Terraform if necessary and return an environment's outputs. Creates nothing in the cloud.

    Raises:
        UserError: nothing is deployed.
    """
    if (outputs := _cached(environment)) is not None:
        return outputs
    with terminal.stderr.status(f"reading what is deployed in '{environment}'"):
        init()  # The first `terraform init` downloads the provider.
        return save_outputs(environment)


def known_outputs(environment: str) -> Outputs:
    """Return the outputs of an environment. Terraform must be initialized. Raises UserError if nothing is deployed."""
    cached = _cached(environment)
    return save_outputs(environment) if cached is None else cached


def _cached(environment: str) -> Outputs | None:
    """Return the cached outputs, or None if the state has changed since. Raises UserError if nothing is deployed."""
    version, file = state_version(environment), outputs_file(environment)
    saved: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    return saved["outputs"] if saved.get("state") == version else None


def outputs_file(environment: str) -> Path:
    """Return the file that caches the outputs of an environment."""
    return BUILD / f"outputs.{chosen_cloud().key}.{environment}.json"


def forget_outputs(environment: str) -> None:
    """Remove the file that caches the outputs of an environment."""
    outputs_file(environment).unlink(missing_ok=True)
