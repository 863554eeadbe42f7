"""Plan, apply or destroy an environment: one Terraform workspace, its state in the cloud it describes.

Usage: deploy.py plan|apply|apply-saved|destroy|output [--env local|dev|staging|prod] [--plan FILE]

The account and the workspace are shown before anything changes; `prod` wants its name typed, or CONFIRM=prod.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from eventloom import errors
from eventloom.clouds import BUILD, ROOT, chosen_cloud, client
from eventloom.deployment import api_snapshots, build, environments, state_bucket
from eventloom.deployment.api_snapshots import Snapshot
from eventloom.errors import PipelineError

TERRAFORM = ROOT / "terraform"
APPLY = ("apply", "-input=false", "-auto-approve", "-compact-warnings")
console = Console(highlight=False)


def data_folder() -> Path:
    """Where Terraform keeps what `init` makes: one folder a cloud, so that clouds never share a backend."""
    return BUILD / "terraform" / chosen_cloud().key


def terraform(*arguments: str, capture: bool = False, workspace: str | None = None) -> str:
    """Run Terraform in terraform/ against the cloud. Exits with its code when it fails.

    What changes an environment names its workspace: another run in this folder may have selected another one since.
    """
    environment = chosen_cloud().environment() | {"TF_DATA_DIR": str(data_folder())}
    environment.pop("TF_WORKSPACE", None)
    environment |= {"TF_WORKSPACE": workspace} if workspace else {}
    done = subprocess.run(
        ["terraform", f"-chdir={TERRAFORM}", *arguments],
        env=environment,
        check=False,
        text=True,
        stdout=subprocess.PIPE if capture else None,
    )
    if done.returncode:
        print(done.stdout or "", end="")
        console.print(f"[red]terraform {arguments[0]} failed[/red] (messages above)")
        sys.exit(done.returncode)
    return done.stdout or ""


def prepare(environment: str) -> None:
    """Make the state bucket, `init` the backend in it and select the workspace, a new one if need be.

    Raises PipelineError before anything is made, if the environment does not belong there.
    """
    environments.check(environment, state_bucket.account())
    if elsewhere := state_bucket.in_another_region(environment):
        raise PipelineError(
            f"'{environment}' is deployed in another region, its state is in {elsewhere}: the names of its roles and buckets are taken. "
            "Set AWS_REGION to that region, or give terraform/environments.tf an environment of another name"
        )
    state_bucket.ensure()
    init()
    terraform("workspace", "select", "-or-create", environment, capture=True)


def init() -> None:
    """`init` the backend in the state bucket. The workspace selected last, which another account may not have, does not matter."""
    terraform("init", "-input=false", "-reconfigure", *state_bucket.backend(), capture=True, workspace="default")


def version(environment: str) -> str:
    """The version of an environment's state; makes nothing. Raises PipelineError, naming the environments there are, if it has none."""
    bucket = state_bucket.bucket_name()
    if not state_bucket.exists(bucket):
        raise nothing_deployed(environment, f"there is no bucket {bucket}")
    found = state_bucket.environments(bucket)
    if environment not in found:
        raise nothing_deployed(environment, f"{bucket} has the state of {', '.join(found) or 'none'}")
    return found[environment]


def nothing_deployed(environment: str, why: str) -> PipelineError:
    """The error that says so, and how that is changed."""
    how = f"make deploy ENV={environment}" + (f" CLOUD={chosen_cloud().name}" if chosen_cloud().port else "")
    if (chosen_cloud().name, environment) == ("embedded", "local"):
        how = "make demo"
    return PipelineError(f"nothing is deployed in '{environment}' (cloud {chosen_cloud().name}): {why}; {how} deploys it")


def announce(environment: str) -> None:
    """Say where this goes to."""
    identity = client("sts").get_caller_identity()
    console.print(
        f"account [bold]{identity['Account']}[/bold] ({chosen_cloud().about}), workspace [bold]{environment}[/bold], as {identity['Arn']}",
        soft_wrap=True,
    )


def confirm(environment: str, action: str) -> None:
    """Have the name of a production environment typed before it changes."""
    if environment != "prod" or os.environ.get("CONFIRM") == environment:
        return
    typed = console.input(f"type {environment} to {action} it: ") if sys.stdin.isatty() else ""
    if typed.strip() != environment:
        sys.exit(f"{environment} was left alone (type its name, or set CONFIRM={environment})")


def outputs(environment: str) -> dict[str, Any]:
    """The root outputs of an environment, by name."""
    found = json.loads(terraform("output", "-json", capture=True, workspace=environment))
    return {name: output["value"] for name, output in found.items()}


def apply(environment: str, plan: Path, quiet: bool = False) -> dict[str, Any]:
    """Plan into `plan` and apply that very plan; returns the outputs. `quiet` shows the progress only."""
    terraform("plan", "-input=false", "-compact-warnings", f"-out={plan}", capture=quiet, workspace=environment)
    return apply_saved(environment, plan, quiet)


def apply_saved(environment: str, plan: Path, quiet: bool = False) -> dict[str, Any]:
    """Apply a plan made before, perhaps on another machine; returns the outputs."""
    if not plan.exists():
        sys.exit(f"deploy: no plan {plan}; make one with: make plan ENV={environment}")
    confirm(environment, "apply to")
    snapshots = api_snapshots.outdated(json.loads(terraform("show", "-json", str(plan), capture=True, workspace=environment)))
    try:
        if quiet:
            console.print("terraform apply: AWS's provider waits about a minute for queues and lifecycle rules")
            with console.status("applying"):
                terraform(*APPLY, str(plan), capture=True, workspace=environment)
        else:
            terraform(*APPLY, str(plan), workspace=environment)
    finally:  # also of an apply that failed half-way: the next plan makes what is tainted once more
        for snapshot in snapshots:
            terraform("taint", "-allow-missing", snapshot.deployment, capture=True, workspace=environment)
    close(snapshots, environment)
    return save_outputs(environment)


def close(snapshots: list[Snapshot], environment: str) -> None:
    """Have the stages serve new snapshots, without the methods that went."""
    if addresses := [address for snapshot in snapshots for address in (snapshot.deployment, *snapshot.stages)]:
        console.print("paths of an API are closed: its stage gets a snapshot without them")
        terraform(*APPLY, *(f"-target={address}" for address in addresses), capture=True, workspace=environment)


def save_outputs(environment: str) -> dict[str, Any]:
    """The outputs of an environment, kept as those of its state's version. Raises PipelineError if nothing is deployed there."""
    state = version(environment)
    found = outputs(environment)
    if found.get("environment") != environment:
        raise nothing_deployed(environment, "its state is empty")
    outputs_file(environment).write_text(json.dumps({"state": state, "outputs": found}, indent=2) + "\n")
    return found


def current_outputs(environment: str) -> dict[str, Any]:
    """The outputs of an environment: those kept if its state is still the same, from wherever it was deployed last.

    Makes nothing. Raises PipelineError if nothing is deployed there.
    """
    state, file = version(environment), outputs_file(environment)
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    if kept.get("state") == state:
        found: dict[str, Any] = kept["outputs"]
        return found
    with Console(stderr=True).status(f"reading what is deployed in '{environment}'"):  # the first time, Terraform fetches its provider
        init()
        return save_outputs(environment)


def outputs_file(environment: str) -> Path:
    """Where the outputs of an environment are kept for the other scripts."""
    return BUILD / f"outputs.{chosen_cloud().key}.{environment}.json"


def default_environment() -> str | None:
    """`local` on an emulator; on AWS it has to be said."""
    return "local" if chosen_cloud().port else None


def main() -> None:
    """Parse the command line and act."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["plan", "apply", "apply-saved", "destroy", "output"])
    parser.add_argument("--env", default=default_environment(), help="the workspace")
    parser.add_argument("--plan", type=Path, help="where the saved plan goes (default: build/<env>.tfplan)")
    options = parser.parse_args()
    if not options.env:
        parser.error("say which environment: --env dev|staging|prod")
    plan = (options.plan or BUILD / f"{options.env}.tfplan").resolve()
    announce(options.env)
    if options.action in {"destroy", "output"}:
        version(options.env)
        init()
    else:
        prepare(options.env)
    if options.action in {"plan", "apply", "destroy"}:  # Terraform hashes the packages, whatever it does
        build.build_all(build.function_names(), chosen_cloud().architecture, BUILD)
    if options.action == "plan":
        terraform("plan", "-input=false", f"-out={plan}", workspace=options.env)
    elif options.action == "apply":
        apply(options.env, plan)
    elif options.action == "apply-saved":
        apply_saved(options.env, plan)
    elif options.action == "destroy":
        confirm(options.env, "destroy")
        terraform("destroy", "-input=false", "-auto-approve", workspace=options.env)
        outputs_file(options.env).unlink(missing_ok=True)
    else:
        console.print_json(json.dumps(outputs(options.env)))


if __name__ == "__main__":
    errors.run("deploy", main)
