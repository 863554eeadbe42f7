"""The commands build, preflight, plan, deploy, apply-saved, saved-plan, destroy, unlock, outputs and state-bucket."""

import sys
from pathlib import Path

import click

from eventloom import arguments, catalog, clouds, terminal
from eventloom.clouds import BUILD, chosen_cloud
from eventloom.deployment import apply, build, environments, preflight, saved_plan, state_bucket, state_lock
from eventloom.deployment.apply import Deployment
from eventloom.deployment.build import FUNCTIONS, PLATFORMS
from eventloom.deployment.outputs import init, read_outputs, state_version
from eventloom.errors import UserError

verbose_option = click.option("--verbose", "-v", is_flag=True, help="print everything that Terraform prints")
plan_option = click.option(
    "--plan", "plan_path", type=click.Path(path_type=Path), help="file of the plan (default: build/ENV.tfplan)"
)
FOLDER = click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True)


@arguments.command("build")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--arch", type=click.Choice(sorted(PLATFORMS)), help="Lambda's architecture (default: the cloud's)")
@click.option("--functions", type=FOLDER, default=FUNCTIONS, help="folder of the functions (default: functions/)")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path, resolve_path=True),
    default=BUILD,
    help="folder of the zips",
)
@click.option(
    "--without", multiple=True, metavar="PACKAGE", help="leave a dependency out, because of its licence for example"
)
@click.option("--verbose", "-v", is_flag=True, help="say which files are left out of the zips")
@arguments.json_option
def build_command(  # noqa: PLR0913, PLR0917 - one parameter per option
    names: tuple[str, ...],
    arch: str | None,
    functions: Path,
    out: Path,
    without: tuple[str, ...],
    verbose: bool,
    as_json: bool,
) -> None:
    """Package functions into build/NAME.zip, all of them without NAME.

    A zip is byte-identical on every machine. A function whose inputs have not changed is not built again.
    Dot files, the tests/ and README of a function, and its events/ (unless they hold modules) are left out.
    A function must do without a package of --without: the thumbnailer without pillow-heif rejects HEIC.
    """
    known = build.function_names(functions)
    unknown = sorted(set(names) - set(known))
    if unknown or not known:
        raise UserError(
            f"there is no function {', '.join(unknown)}; {functions.name}/ has: {', '.join(known) or 'none'}"
        )
    left_out = frozenset(build.normalized(package) for package in without)
    pinned = {package for name in known for package in build.requirements(functions / name / "requirements.txt")}
    if strangers := sorted(left_out - pinned):
        raise UserError(f"no function pins {', '.join(strangers)}; --without takes a package of a requirements.txt")
    manifest = build.build_all(
        list(names) or known, arch or chosen_cloud().architecture, out, functions, verbose, left_out
    )
    if as_json:
        terminal.print_json({name: manifest[name] for name in names or known})


@arguments.command("preflight")
@arguments.environment_option
@arguments.json_option
def preflight_command(environment: str, as_json: bool) -> int | None:
    """Report what an account lacks for an environment, before anything is planned.

    It checks concurrency and memory of Lambda, the sandbox of SES, service-linked roles, the services of the region and
    quotas. 'plan' and 'deploy' do it as well. Changes nothing, and checks nothing in an emulator.
    """
    environments.check(environment, state_bucket.account())
    results = [] if chosen_cloud().port else preflight.findings(preflight.target(environment))
    facts = {"environment": environment, "findings": [vars(finding) for finding in results]}
    lines = [f"{finding.level}: {finding.text}" for finding in results]
    terminal.report(facts, as_json, "\n".join(lines) or f"the account has what '{environment}' needs")
    return 3 if any(finding.level == "error" for finding in results) else None


@arguments.command("plan")
@arguments.environment_option
@plan_option
def plan(environment: str, plan_path: Path | None) -> None:
    """Build the functions, show what a deployment would change, and save that plan."""
    apply.announce(environment)
    check_account(environment)
    apply.prepare(environment)
    apply.build_packages()
    apply.show_plan(environment, (plan_path or apply.plan_file(environment)).resolve())


@arguments.command("deploy")
@arguments.environment_option
@arguments.yes_option
@arguments.json_option
@verbose_option
@click.option("--only", metavar="FUNCTION", help="deploy only this function's module, and what it needs")
@click.option("--replace", multiple=True, metavar="ADDRESS", help="make this resource again; may be repeated")
def deploy(  # noqa: PLR0913, PLR0917 - one parameter per option
    environment: str, yes: bool, as_json: bool, verbose: bool, only: str | None, replace: tuple[str, ...]
) -> None:
    """Build the functions, plan, and apply that plan. Without changes it ends after the plan.

    With --only it builds and deploys one function in an environment that exists. It compares nothing else with the
    cloud, so deploy everything before you rely on the whole. It saves building and applying the rest. The plan of a
    function without changes takes about as long as that of everything.

    The environment prod asks for its name before it changes, unless --yes is given.
    """
    if only and replace:
        raise UserError("--only compares one function; run deploy with --replace, but without --only")
    apply.announce(environment)
    confirm(environment, "deploy to", yes or environment != "prod")
    check_account(environment)
    plan = apply.plan_file(environment)
    if only:
        apply.require_deployed(only, environment)
    apply.prepare(environment)
    if only:
        report(environment, apply.deploy_only(only, environment, plan, verbose), as_json)
        return
    apply.build_packages()
    report(environment, apply.deploy(environment, plan, verbose, replace=replace), as_json)


@arguments.command("apply-saved")
@arguments.environment_option
@plan_option
@click.option("--sha256", metavar="DIGEST", help="apply only the plan with this digest, which 'saved-plan put' printed")
@arguments.yes_option
@arguments.json_option
@verbose_option
def apply_saved(  # noqa: PLR0913, PLR0917 - one parameter per option
    environment: str, plan_path: Path | None, sha256: str | None, yes: bool, as_json: bool, verbose: bool
) -> None:
    """Apply the plan that 'plan' saved, with the packages that it was made from.

    It applies nothing if a package has changed since, or if the plan is not the one of --sha256.
    """
    apply.announce(environment)
    confirm(environment, "deploy to", yes or environment != "prod")
    apply.prepare(environment)
    path = (plan_path or apply.plan_file(environment)).resolve()
    report(environment, apply.apply_saved(environment, path, verbose, sha256), as_json)


@arguments.command("destroy")
@arguments.environment_option
@arguments.yes_option
@verbose_option
def destroy(environment: str, yes: bool, verbose: bool) -> None:
    """Remove an environment.

    Every environment but 'local' asks for its name first, unless --yes is given.
    """
    apply.announce(environment)
    state_version(environment)
    confirm(environment, "destroy", yes or environment == "local")
    changes = apply.destroy(environment, verbose)
    terminal.note(
        f"'{environment}' is destroyed: {changes.get('remove', 0)} resources removed"
        if changes
        else f"'{environment}' is destroyed"
    )


@arguments.command("unlock")
@arguments.environment_option
@arguments.yes_option
@arguments.json_option
def unlock(environment: str, yes: bool, as_json: bool) -> None:
    """Show who holds the lock on an environment's state, and remove it.

    Remove a lock only if its holder no longer runs: two runs on one state overwrite each other's changes.
    """
    lock = state_lock.read(environment)
    if lock is None:
        terminal.report({"locked": False}, as_json, f"the state of '{environment}' is not locked")
        return
    about = (
        f"the state of '{environment}' is locked by {lock.who} since {lock.created} ({lock.operation}, id "
        f"{lock.lock_id})"
    )
    terminal.note(about)
    if not yes and not (sys.stdin.isatty() and click.confirm("Remove the lock?", err=True)):
        raise UserError("the lock was not removed; run the command with --yes to remove it")
    state_lock.remove(environment)
    terminal.report({"locked": False, "removed": lock.facts()}, as_json, "the lock is removed")


@arguments.command("outputs")
@arguments.environment_option
def show_outputs(environment: str) -> None:
    """Print the Terraform outputs of an environment as JSON. They include the API key."""
    state_version(environment)
    init()
    terminal.print_json(read_outputs(environment))


@arguments.command("state-bucket")
@arguments.environment_option
@click.option("--protect", is_flag=True, help="set the protections of a bucket that exists again")
@arguments.json_option
def state_bucket_command(environment: str, protect: bool, as_json: bool) -> None:
    """Create the bucket and the workspace for an environment's state, and print the 'terraform init' that uses them.

    The bucket is private, versioned, encrypted and refuses requests without TLS. 'deploy' creates both as well. A
    bucket that exists stays as it is, and what differs is named; --protect replaces its policy, encryption and
    lifecycle.
    """
    environments.check(environment, state_bucket.account())
    bucket = state_bucket.ensure(protected=protect)
    apply.select_workspace(environment)
    facts = {"bucket": bucket, "environment": environment, "init": ["terraform", "init", *state_bucket.backend()]}
    terminal.report(
        facts, as_json, f"{bucket} ({chosen_cloud().about})\nterraform init {' '.join(state_bucket.backend())}"
    )


@arguments.group("saved-plan")
def saved_plan_group() -> None:
    """Hand the plan that 'plan' saved to another machine, through the state bucket.

    A plan holds the state's secrets in clear text, so it does not belong among a workflow's artifacts.
    """


run_option = click.option(
    "--run", required=True, metavar="ID", help="tells one plan from the next, such as a workflow run's id"
)


@saved_plan_group.command("put")
@arguments.environment_option
@run_option
@arguments.json_option
def put_plan(environment: str, run: str, as_json: bool) -> None:
    """Send the saved plan to the state bucket, and print its digest and the version of its object.

    The two lines have the form of a workflow's outputs: sha256=..., version_id=...
    """
    facts = saved_plan.put(environment, run, apply.plan_file(environment)).facts()
    terminal.report(facts, as_json, "\n".join(f"{name}={value}" for name, value in facts.items()))


@saved_plan_group.command("get")
@arguments.environment_option
@run_option
@click.option("--sha256", required=True, metavar="DIGEST", help="the digest that 'put' printed")
@click.option("--version-id", required=True, metavar="VERSION", help="the version that 'put' printed")
def get_plan(environment: str, run: str, sha256: str, version_id: str) -> None:
    """Fetch the plan that 'put' sent from the state bucket. Refuse any other plan."""
    receipt = saved_plan.Receipt(sha256, version_id)
    saved_plan.get(environment, run, apply.plan_file(environment), receipt)


def check_account(environment: str) -> None:
    """Check that an AWS account has what an environment needs. Raises UserError if something is missing."""
    environments.check(environment, state_bucket.account())
    if not chosen_cloud().port:
        preflight.require(preflight.target(environment))


def confirm(environment: str, action: str, agreed: bool) -> None:
    """Ask the user to type an environment's name before it changes. Raises UserError for any other answer."""
    if agreed:
        return
    answer = (
        click.prompt(f"Type {environment} to {action} it", default="", show_default=False, err=True)
        if sys.stdin.isatty()
        else ""
    )
    if answer.strip() != environment:
        raise UserError(f"'{environment}' was not changed; type its name when asked, or add --yes")


def report(environment: str, deployment: Deployment, as_json: bool) -> None:
    """Print the changes of a deployment, the functions and the gallery's address."""
    outputs, changes = deployment.outputs, deployment.changes
    url = catalog.gallery_url(outputs)
    done = {"add": "added", "change": "changed", "remove": "destroyed", "import": "imported"}
    words = (
        ", ".join(f"{count} {done.get(name, name)}" for name, count in changes.items() if count) or "nothing to change"
    )
    names = sorted(outputs["functions"])
    facts = {"environment": environment, "changes": changes, "gallery_url": url, "functions": names}
    at = "" if environment == "local" else f" --env {environment}"
    if clouds.chosen_cloud().name == "compose":
        at += " --cloud compose"
    text = "\n".join(
        [
            f"environment  {environment}: {words}",
            f"functions    {', '.join(names)}",
            f"gallery      {url}",
            f"             ./eventloom open{at} prints this address with its key",
        ]
    )
    terminal.report(facts, as_json, text)
