"""Plan, apply and destroy an environment.

An environment is a Terraform workspace. Its state is stored in the cloud that it is deployed to.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventloom import terminal
from eventloom.clouds import BUILD, chosen_cloud, client
from eventloom.deployment import (
    api_logs,
    api_snapshots,
    build,
    environments,
    interruptions,
    renamed_streams,
    saved_plan,
    state_bucket,
)
from eventloom.deployment.api_snapshots import Snapshot
from eventloom.deployment.outputs import forget_outputs, init, known_outputs, save_outputs, state_version
from eventloom.deployment.progress import Progress
from eventloom.deployment.terraform import Interrupted, root_module, show
from eventloom.errors import UserError
from eventloom.private_files import make_private

PLAN = ("plan", "-input=false", "-compact-warnings")
APPLY = ("apply", "-input=false", "-auto-approve", "-compact-warnings")
# `terraform plan -detailed-exitcode` exits with 2 if there are changes.
_CHANGES = 2


@dataclass(frozen=True)
class Deployment:
    """The result of a deployment: the number of changes by kind, and the outputs of the environment."""

    changes: dict[str, int]
    outputs: dict[str, Any]


def plan_file(environment: str) -> Path:
    """Return the path of the file in which the command `plan` saves its plan."""
    return BUILD / f"{environment}.tfplan"


def announce(environment: str) -> None:
    """Print the account, the environment and the ARN of the credentials."""
    identity = client("sts").get_caller_identity()
    terminal.note(
        f"account {identity['Account']} ({chosen_cloud().about}), environment {environment}, as {identity['Arn']}"
    )


def build_packages() -> None:
    """Build every outdated package. Terraform hashes the packages in every run."""
    build.build_all(build.function_names(), chosen_cloud().architecture, BUILD)


def prepare(environment: str) -> None:
    """Create the state bucket if necessary, connect Terraform to it, and create or select the workspace.

    Raises:
        UserError: the environment may not be in this account or is deployed in another region; nothing is created
        then. It is also raised if API Gateway has no role for its logs.
    """
    environments.check(environment, state_bucket.account())
    if bucket := state_bucket.in_another_region(environment):
        raise UserError(
            f"'{environment}' is deployed in another region, its state is in {bucket}: the names of its roles and "
            f"buckets are taken. "
            "Set AWS_REGION to that region, or give this environment another name"
        )
    state_bucket.ensure()
    select_workspace(environment)
    api_logs.choose(api_logs.account(environment))


def select_workspace(environment: str) -> None:
    """Connect Terraform to the state bucket and select the workspace. A missing workspace is created."""
    init()
    root_module()("workspace", "select", "-or-create", environment)


def show_plan(environment: str, plan: Path, *targets: str, replace: Sequence[str] = ()) -> bool:
    """Save a plan in a file and print all of it. Returns whether the plan changes anything.

    `targets` are addresses of modules: the plan is limited to these and their dependencies. `replace` are addresses of
    resources that are replaced even if they have no changes.
    """
    terraform = root_module()
    make_private(plan)  # Terraform keeps the mode of an existing file.
    options = (*PLAN, "-detailed-exitcode", *_targets(targets), *_replacements(replace), f"-out={plan}")
    with interruptions.imports(terraform, environment):
        code, _ = terraform.run(*options, workspace=environment, on_line=show, codes=(0, _CHANGES))
    if code == _CHANGES:
        renamed_streams.refuse(json.loads(terraform("show", "-json", str(plan), workspace=environment)))
    return code == _CHANGES


def deploy(
    environment: str, plan: Path, verbose: bool = False, *targets: str, replace: Sequence[str] = ()
) -> Deployment:
    """Save a plan in a file and apply it. A plan without changes is not applied.

    `verbose` prints all output of Terraform. `targets` and `replace` mean the same as in `show_plan`.
    """
    if verbose:
        has_changes = show_plan(environment, plan, *targets, replace=replace)
    else:
        terraform = root_module()
        make_private(plan)
        options = (
            *PLAN,
            "-json",
            "-detailed-exitcode",
            *_targets(targets),
            *_replacements(replace),
            f"-out={plan}",
        )
        with interruptions.imports(terraform, environment), Progress("planning") as progress:
            code, _ = terraform.run(*options, workspace=environment, on_line=progress.line, codes=(0, _CHANGES))
        terminal.note(f"plan: {progress.summary()}")
        has_changes = code == _CHANGES
    return apply_saved(environment, plan, verbose) if has_changes else Deployment({}, known_outputs(environment))


def require_deployed(function: str, environment: str) -> None:
    """Check that one function can be deployed without the rest. Creates nothing.

    Raises:
        UserError: there is no such function, nothing is deployed yet, or the last deployment was interrupted.
    """
    names = build.function_names()
    if function not in names:
        raise UserError(f"there is no function '{function}'; --only takes one of: {', '.join(names)}")
    state_version(environment)
    if interruptions.noted(environment):
        # Only a plan without -target imports everything that the interrupted apply created.
        raise UserError("the last deployment was interrupted; run deploy without --only first, which continues it")


def deploy_only(function: str, environment: str, plan: Path, verbose: bool = False) -> Deployment:
    """Build, plan and apply the module of one function and its dependencies. `verbose` prints all output."""
    missing = {name for name in build.function_names() if not (BUILD / f"{name}.zip").exists()}
    build.build_all(sorted({function, *missing}), chosen_cloud().architecture, BUILD)
    deployment = deploy(environment, plan, verbose, f"module.{function}")
    terminal.note(
        f"only module.{function} and what it needs were compared with the cloud; other changes, also of routes and "
        f"queues that use it, wait for a deploy without --only"
    )
    return deployment


def _targets(addresses: tuple[str, ...]) -> list[str]:
    return [f"-target={address}" for address in addresses]


def _replacements(addresses: Sequence[str]) -> list[str]:
    return [f"-replace={address}" for address in addresses]


def apply_saved(environment: str, plan: Path, verbose: bool = False, sha256: str | None = None) -> Deployment:
    """Apply a saved plan, which may come from another machine.

    Raises:
        UserError: there is no plan, its SHA-256 is not `sha256`, or a package differs from the one that was planned.
        Nothing is applied.
    """
    if not plan.exists() or not plan.stat().st_size:  # A failed `terraform plan` leaves an empty file.
        raise saved_plan.no_plan(environment, plan)
    if sha256:
        saved_plan.check(plan, sha256)
    terraform = root_module()
    content = json.loads(terraform("show", "-json", str(plan), workspace=environment))
    saved_plan.check_packages(content, terraform.folder)
    api_logs.refuse_outdated(api_logs.account(environment), content)
    renamed_streams.refuse(content)
    snapshots = api_snapshots.outdated(content)
    changes: dict[str, int] = {}
    creations = interruptions.Creations()
    try:
        if verbose:
            terraform(*APPLY, str(plan), workspace=environment, on_line=creations.before(show))
        else:
            with Progress("applying") as progress:
                progress.total = sum(
                    change["change"]["actions"] != ["no-op"] for change in content.get("resource_changes", [])
                )
                terraform(*APPLY, "-json", str(plan), workspace=environment, on_line=creations.before(progress.line))
            changes = progress.changes
    except Interrupted:
        interruptions.remember(environment, content, creations.unfinished)
        raise
    finally:  # Taint them even if the apply failed, so that the next plan replaces them.
        for snapshot in snapshots:
            terraform("taint", "-allow-missing", snapshot.deployment, workspace=environment)
    interruptions.forget(environment)
    _close_paths(snapshots, environment)
    return Deployment(changes, save_outputs(environment))


def _close_paths(snapshots: list[Snapshot], environment: str) -> None:
    """Replace API deployments that still include removed methods, and update the stages that serve them."""
    addresses = [address for snapshot in snapshots for address in (snapshot.deployment, *snapshot.stages)]
    if addresses:
        terminal.note("paths of an API were removed: its stage gets a snapshot without them")
        root_module()(*APPLY, *_targets(tuple(addresses)), workspace=environment)


def destroy(environment: str, verbose: bool = False) -> dict[str, int]:
    """Remove an environment and return the number of changes by kind. Raises UserError if nothing is deployed."""
    state_version(environment)
    init()
    build_packages()
    terraform, options = root_module(), ("destroy", "-input=false", "-auto-approve")
    interruptions.adopt(terraform, environment)
    account = api_logs.account(environment)
    api_logs.release(account)
    changes: dict[str, int] = {}
    if verbose:
        terraform(*options, workspace=environment, on_line=show)
    else:
        with Progress("destroying") as progress:
            terraform(*options, "-json", workspace=environment, on_line=progress.line)
        changes = progress.changes
    interruptions.forget(environment)
    api_logs.reset(account)
    forget_outputs(environment)
    return changes
