"""The command upload: send files and folders to the deployed pipeline, and show the results."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import click

from eventloom import advice, arguments, catalog, results, terminal
from eventloom.clouds import client
from eventloom.deployment.outputs import current_outputs
from eventloom.errors import UserError
from eventloom.sources import Source, collect
from eventloom.uploads import TIMEOUT_S, NoResult, Result, Upload, send_all, wait

FOUND = 3
# If there are more results, the table shows only those that are not READY.
_SHOWN = 20
_NAMED = 5


@dataclass(frozen=True)
class Options:
    """The values of the command's options."""

    prefix: str
    replace: bool
    no_wait: bool
    timeout: float
    strict: bool
    as_json: bool


@arguments.command("upload")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@arguments.environment_option
@click.option("--prefix", default="", metavar="FOLDER", help="put the files below this folder of the bucket")
@click.option("--replace", is_flag=True, help="overwrite objects that exist")
@click.option("--no-wait", is_flag=True, help="send the files and do not wait for their results")
@click.option(
    "--timeout",
    type=arguments.POSITIVE,
    default=TIMEOUT_S,
    metavar="SECONDS",
    help="how long to wait for the next result",
)
@click.option("--strict", is_flag=True, help="exit with 3 if a file is rejected")
@arguments.json_option
def upload(paths: tuple[Path, ...], environment: str, **chosen: Any) -> int:
    """Send files or folders through the deployed pipeline and show what becomes of them.

    A file's key is its name; a file below a folder keeps its path below that folder. An object that exists is not
    overwritten without --replace.

    \b
      ./eventloom upload examples/photos
      ./eventloom upload "my photo.jpg" --prefix 2026/summer
      ./eventloom upload examples/photos --replace --strict --json
    """
    options = Options(**chosen)
    sources = collect(paths, options.prefix)
    if sources.skipped:
        terminal.note(f"left out: {_names(sources.skipped)}")
    outputs = current_outputs(environment)
    sent = send_all(client("s3"), outputs["uploads_bucket"], sources.files, replace=options.replace)
    answers: list[Result] = []
    if options.no_wait:
        report_sent(environment, sent.uploads, options.as_json)
    else:
        pending = wait(
            partial(catalog.items, client("dynamodb"), outputs["catalog_table"]), sent.uploads, options.timeout
        )
        answers = follow(environment, pending, len(sent.uploads), options.as_json)
    refuse_existing(sent.existing)
    return FOUND if options.strict and any(item["status"] == results.REJECTED for _, item in answers) else 0


def follow(environment: str, pending: Iterable[Result], count: int, as_json: bool) -> list[Result]:
    """Print `count` results and return them.

    JSON is printed as soon as a result arrives. The table is printed at the end, even if results are missing.

    Raises:
        UserError: some results did not arrive in time. The text names commands that show the cause.
    """
    answers: list[Result] = []
    try:
        with terminal.progress("waiting", count, "results") as progress:
            for result in pending:
                answers.append(result)
                progress(len(answers))
                if as_json:
                    terminal.print_json(results.facts(result))
    except NoResult as error:
        commands = [advice.command(environment, text) for text in ("status", "logs thumbnailer", "dlq list")]
        raise UserError(f"{error.message}; look at {commands[0]}, {commands[1]} and {commands[2]}") from error
    finally:
        if answers and not as_json:
            show(sorted(answers, key=lambda result: result[0].key))
    return answers


def show(answers: Sequence[Result]) -> None:
    """Print a table of results and a summary. If there are many, the table shows only those that are not READY."""
    rows = answers if len(answers) <= _SHOWN else [result for result in answers if result[1]["status"] != results.READY]
    if rows:
        terminal.stdout.print(results.table(rows))
    terminal.stdout.print(results.summary(answers))


def report_sent(environment: str, uploads: Sequence[Upload], as_json: bool) -> None:
    """Print the sent files, for which no results are known yet."""
    if as_json:
        for sent in uploads:
            facts = {"file": str(sent.file), "key": sent.key, "status": "SENT"}
            terminal.print_json(facts | {"image_id": sent.image_id, "version_id": sent.version_id})
    else:
        watch = advice.command(environment, "watch")
        terminal.stdout.print(
            f"{len(uploads):,} sent; {watch} shows what becomes of them", soft_wrap=True, markup=False
        )


def refuse_existing(existing: Sequence[Source]) -> None:
    """Raise UserError if files were not sent because their keys exist in the bucket."""
    if existing:
        keys = _names([terminal.printable(source.key) for source in existing])
        files = "1 file was" if len(existing) == 1 else f"{len(existing):,} files were"
        raise UserError(
            f"{files} not sent, because the bucket has {keys}; overwrite with --replace, or choose another --prefix"
        )


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
