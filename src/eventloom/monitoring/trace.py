"""The command `trace`: show the path of one event through the pipeline as a timeline."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.text import Text

from eventloom import arguments, terminal
from eventloom.clouds import client
from eventloom.deployment.outputs import current_outputs
from eventloom.errors import UserError
from eventloom.monitoring.trace_page import page
from eventloom.monitoring.trace_path import Step, is_complete
from eventloom.monitoring.trace_readers import Subject, Tracer, subject_of
from eventloom.terminal import printable

POLL_S = 2.0
STYLES = {"ok": "green", "failed": "bold red"}


@arguments.command("trace")
@click.argument("text", metavar="KEY|IMAGE_ID|CORRELATION_ID|REQUEST_ID")
@click.option("--follow", "-f", is_flag=True, help="keep printing new steps until the path is complete, or Ctrl-C")
@click.option(
    "--html", "html_file", type=click.Path(dir_okay=False, path_type=Path), help="also draw the path into this file"
)
@arguments.minutes_option(default=1440)
@arguments.environment_option
@arguments.json_option
def trace(  # noqa: PLR0913, PLR0917 - click passes options as arguments
    text: str, follow: bool, html_file: Path | None, minutes: int, environment: str, as_json: bool
) -> None:
    """Show the path of one event: object, queue, attempts, thumbnails, catalog, stream and notice.

    It reads the functions' logs, S3 and the catalog, in every cloud. An attempt that failed, and what the event waited
    for after it, have their own lines. Times are in UTC.

    A file of the converter has a key as well. A request of the API or an invocation has the id that the answer or the
    log names, and a record of the activity stream its sequence number.

    \b
    Examples:
      ./eventloom trace holiday.jpg
      ./eventloom trace holiday.jpg --html build/trace.html --json
    """
    if not text.strip():
        raise UserError("the name to trace is empty; name an object's key, or an id that an answer or a log shows")
    outputs = current_outputs(environment)
    tracer = Tracer(outputs, client, minutes)
    subject = subject_of(text, outputs, client)
    printed = set[tuple[object, ...]]()
    steps: list[Step] = []
    for steps in rounds(tracer, subject, follow=follow):
        for step in steps:
            is_open = step.kind == "wait" and step.until is None  # The text of an open wait may change.
            identity = (step.at, step.kind) if is_open else (step.at, step.kind, step.function, step.text, step.until)
            if identity not in printed:
                printed.add(identity)
                print_step(step, as_json)
    if not steps:
        raise UserError(unknown(text, minutes))
    if html_file:
        html_file.parent.mkdir(parents=True, exist_ok=True)
        html_file.write_text(page(text, steps), encoding="utf-8")
        terminal.note(f"drawn in {html_file}")


def unknown(text: str, minutes: int) -> str:
    """Return the error message for a text that matches nothing. It lists what the command accepts."""
    return (
        f"nothing is known about {printable(text)} in the last {minutes} minutes; name a key, an image id, a "
        "correlation id, a request id or a sequence number, or look further back with --minutes"
    )


def rounds(
    tracer: Tracer, subject: Subject, *, follow: bool, sleep: Callable[[float], None] = time.sleep
) -> Iterator[list[Step]]:
    """Yield the path once, or with `follow` again and again until it is complete."""
    while True:
        steps = tracer.path(subject, datetime.now(UTC))
        yield steps
        if not follow or is_complete(steps):
            return
        sleep(POLL_S)


def print_step(step: Step, as_json: bool) -> None:
    """Print one step on stdout as a JSON object or as text."""
    if as_json:
        terminal.print_json(step.as_dict())
    else:
        terminal.stdout.print(line(step), soft_wrap=True)


def line(step: Step) -> Text:
    """Return a step as one line with its time, duration and text."""
    duration = "" if step.duration_ms is None else f"{step.duration_ms:,} ms"
    moment = f"{step.at.astimezone(UTC):%H:%M:%S}.{step.at.microsecond // 1000:03d}"
    style = "yellow" if step.kind == "wait" else STYLES.get(step.outcome, "")
    return Text.assemble(
        (f"{moment} ", "dim"),
        (f"{duration:>11}  ", "dim"),
        (f"{step.function or step.kind:<12} ", "cyan"),
        (printable(step.text), style),
        (
            f"  {step.facts['correlation_id']}" if step.kind == "attempt" and step.facts.get("correlation_id") else "",
            "dim",
        ),
    )
