"""The command `dev`: run saved code on the next event, and show the logs of all functions."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import click

from eventloom import advice, arguments, terminal
from eventloom.catalog import deployed_function
from eventloom.clouds import BUILD, HOST_ARCHITECTURE, ROOT, chosen_cloud, client
from eventloom.deployment.build import FUNCTIONS
from eventloom.deployment.outputs import current_outputs
from eventloom.development import session
from eventloom.development.changes import Changes, Snapshot, changed, snapshot, sort
from eventloom.development.import_check import ImportCheck
from eventloom.development.notifications import Notifications
from eventloom.development.push import Target
from eventloom.development.session import Worker, Workshop
from eventloom.emulator import embedded
from eventloom.errors import UserError
from eventloom.monitoring.log_lines import line
from eventloom.monitoring.logs import Reader, follow_rounds

# Python with the boto3 version of Lambda's runtime
PYTHON = BUILD / "venv/lambda-runtime/bin/python"
# The time between two comparisons if there are no notifications, and the time that files must stay unchanged after a
# save
POLL_S, SETTLE_S = 0.1, 0.02
LOGS_S, DENIALS_S = 0.3, 5.0
COLOURS = ("cyan", "magenta", "green", "blue", "bright_cyan", "bright_magenta", "bright_green", "bright_blue")


@arguments.command("dev")
@click.argument("names", nargs=-1, metavar="[FN]...")
@click.option(
    "--functions",
    type=click.Path(exists=True, file_okay=False, path_type=Path, resolve_path=True),
    default=FUNCTIONS,
    help="folder of the functions (default: functions/)",
)
@arguments.environment_option
def dev(names: tuple[str, ...], functions: Path, environment: str) -> None:
    """Run changed code of the functions FN, or of all, on the next event, until Ctrl-C.

    A saved file becomes a new version, and the alias of the function leads to it: events that are being handled finish
    with the old code. Code with a syntax error, or that cannot be imported, is not run. A changed requirements.txt
    rebuilds that function. Changes of Terraform are only reported. The logs of all functions are printed, and in the
    emulator the calls that IAM denies.

    It works on AWS as well, except in prod. Afterwards, ./eventloom deploy makes Terraform and the code agree.

    \b
    Examples:
      ./eventloom dev
      ./eventloom dev thumbnailer notifier
    """
    if environment == "prod":
        raise UserError("dev pushes code that nobody reviewed, so it refuses prod; use ./eventloom deploy --env prod")
    outputs = current_outputs(environment)
    chosen = list(names) or sorted(name for name in outputs["functions"] if (functions / name).is_dir())
    facts = {name: deployed_function(outputs, name) for name in chosen}
    if strangers := [name for name in chosen if not (functions / name).is_dir()]:
        raise UserError(f"{functions} has no {strangers[0]}; run dev where its code is")
    cloud = chosen_cloud()
    if not cloud.port:
        account = next(iter(facts.values()))["arn"].split(":")[4]
        terminal.note(f"pushes code to AWS, account {account}, environment {environment}")
    workshop = Workshop(functions, BUILD, cloud.architecture)
    workers = [make_worker(name, workshop, facts[name]["function_name"]) for name in chosen]
    stop, notifications = Event(), Notifications()
    roots = [functions, ROOT / "terraform"]
    try:
        before = snapshot(roots)
        for worker in workers:
            worker.begin()
        Thread(target=show_logs, args=(outputs, stop), daemon=True).start()
        terminal.note(f"watching {', '.join(chosen)}; save a file, or press Ctrl-C to end")
        for paths in saved(roots, before, notifications):
            changes = sort(paths, functions, chosen)
            report_terraform(changes, chosen, environment)
            session.push(changes, workers)
    finally:
        stop.set()
        notifications.close()
        for worker in workers:
            worker.end()
        command = advice.command(environment, "deploy")
        terminal.note(f"the last saved code stays deployed; {command} makes Terraform and the code agree")


def make_worker(name: str, workshop: Workshop, function_name: str) -> Worker:
    """Return the worker that pushes the code of a deployed function.

    It checks imports if this machine has the function's architecture and Lambda's Python.
    """
    lambda_ = client("lambda")

    def make_check() -> ImportCheck | None:
        if workshop.arch != HOST_ARCHITECTURE or not PYTHON.exists():
            return None
        answer = lambda_.get_function_configuration(FunctionName=function_name)
        variables = answer.get("Environment", {}).get("Variables", {})
        return ImportCheck(PYTHON, name, workshop.functions, workshop.out / f"{name}.zip", variables)

    return Worker(name, workshop, Target(lambda_, function_name), make_check, terminal.note)


def saved(
    roots: list[Path], before: Snapshot, notifications: Notifications, sleep: Callable[[float], None] = time.sleep
) -> Iterator[set[Path]]:
    """Yield the changed files of each save as soon as they no longer change."""
    notifications.watch({*roots, *(path.parent for path in before)})
    while True:
        after = snapshot(roots)
        if after == before:
            notifications.wait(POLL_S)
            continue
        while True:
            sleep(SETTLE_S)
            settled = snapshot(roots)
            if settled == after:
                break
            after = settled
        paths, before = changed(before, settled), settled
        notifications.watch({path.parent for path in paths})
        yield paths


def report_terraform(changes: Changes, names: list[str], environment: str) -> None:
    """Print a command that deploys each changed Terraform file."""
    for path in changes.terraform:
        only = f" --only {path.stem}" if path.stem in names else ""
        terminal.note(f"{path.name} changed; {advice.command(environment, f'deploy{only}')} applies it")


def show_logs(outputs: dict[str, Any], stop: Event) -> None:
    """Print new log lines of all functions, in one colour for each function, and the calls that IAM denies."""
    functions = sorted(outputs["functions"])
    groups = {name: outputs["functions"][name]["log_group"] for name in functions}
    reader = Reader(client("logs"), groups, int(time.time() * 1000))
    is_local = bool(chosen_cloud().port)
    width = max(map(len, functions))
    denials = Denials() if chosen_cloud().name == "embedded" else None

    def pause(seconds: float) -> None:
        stop.wait(LOGS_S if is_local else seconds)

    for round_records in follow_rounds(reader, pause):
        if stop.is_set():
            return
        for record in round_records:
            if not record.is_detail:
                colour = COLOURS[functions.index(record.function) % len(COLOURS)]
                terminal.stdout.print(line(record, width, colour=colour), soft_wrap=True)
        for text in denials.new() if denials else ():
            terminal.stdout.print(text, style="bold red", soft_wrap=True, markup=False)


class Denials:
    """Reads the new calls that IAM denies in the embedded LocalStack."""

    def __init__(
        self,
        read: Callable[[], dict[str, Any]] = lambda: embedded().report(),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take a function that returns the emulator's report, and a clock. Ignore the current denials."""
        self._read = read
        self._clock = clock
        self._counts = self._count()
        self._next = clock() + DENIALS_S

    def _count(self) -> dict[str, int]:
        return {
            f"IAM denied {entry['action']} on {entry['resource']} to {entry['who']}": entry["count"]
            for entry in self._read().get("denials", [])
        }

    def new(self) -> Iterator[str]:
        """Yield a sentence for each newly denied call. Reads at most one report in DENIALS_S seconds."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + DENIALS_S
        counts = self._count()
        for text, count in counts.items():
            if count > self._counts.get(text, 0):
                yield terminal.printable(text)
        self._counts = counts
