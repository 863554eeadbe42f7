"""The command upload: send files and folders through the deployed pipeline, and show what became of them."""

from collections.abc import Sequence
from pathlib import Path

import click

from eventloom import advice, arguments, results, terminal
from eventloom.clouds import client
from eventloom.deployment.outputs import Outputs, current_outputs
from eventloom.errors import UserError
from eventloom.sources import Source, collect
from eventloom.uploads import TIMEOUT_S, NoResult, Result, Sent, Upload, send_all, wait

FOUND = 3
# Of more results, those that are not READY are shown
_SHOWN = 20
_NAMED = 5


@arguments.command("upload")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@arguments.environment_option
@click.option("--prefix", default="", metavar="FOLDER", help="put the files below this folder of the bucket")
@click.option("--replace", is_flag=True, help="overwrite objects that exist")
@click.option("--no-wait", is_flag=True, help="send the files and do not wait for their results")
@click.option("--timeout", type=arguments.POSITIVE, default=TIMEOUT_S, metavar="SECONDS", help="how long to wait for the next result")
@click.option("--strict", is_flag=True, help="exit with 3 if a file is rejected")
@arguments.json_option
def upload(  # noqa: PLR0913 - one parameter for each option
    paths: tuple[Path, ...], environment: str, prefix: str, replace: bool, no_wait: bool, timeout: float, strict: bool, as_json: bool
) -> int:
    """Send files or folders through the deployed pipeline and show what becomes of them.

    A file's key is its name; a file below a folder keeps its path below that folder. An object that exists is not overwritten
    without --replace.

    \b
      ./eventloom upload examples/photos
      ./eventloom upload "my photo.jpg" --prefix 2026/summer
      ./eventloom upload examples/photos --replace --strict --json
    """
    sources = collect(paths, prefix)
    if sources.skipped:
        terminal.note(f"left out: {_names(sources.skipped)}")
    outputs = current_outputs(environment)
    sent = send_all(client("s3"), outputs["uploads_bucket"], sources.files, replace=replace)
    answers = [] if no_wait else _results(environment, outputs, sent.uploads, timeout, as_json)
    if no_wait:
        _report_sent(environment, sent, as_json)
    _refuse_existing(sent.existing)
    return FOUND if strict and any(item["status"] == results.REJECTED for _, item in answers) else 0


def _results(environment: str, outputs: Outputs, uploads: Sequence[Upload], timeout: float, as_json: bool) -> list[Result]:
    """Wait for the results and print them: JSON as they come, a table at the end, also of those that came before a problem."""
    answers: list[Result] = []
    try:
        with terminal.progress("waiting", len(uploads), "results") as progress:
            for result in wait(client("dynamodb"), outputs["catalog_table"], uploads, timeout):
                answers.append(result)
                progress(len(answers))
                if as_json:
                    terminal.print_json(results.facts(result))
    except NoResult as error:
        commands = [advice.command(environment, text) for text in ("status", "logs thumbnailer", "dlq list")]
        raise UserError(f"{error.message}; look at {commands[0]}, {commands[1]} and {commands[2]}") from error
    finally:
        if answers and not as_json:
            answers.sort(key=lambda result: result[0].key)
            show(answers)
    return answers


def show(answers: Sequence[Result]) -> None:
    """Print a table of results; of many, those that are not READY."""
    rows = answers if len(answers) <= _SHOWN else [result for result in answers if result[1]["status"] != results.READY]
    if rows:
        terminal.stdout.print(results.table(rows))
    terminal.stdout.print(results.summary(answers))


def _report_sent(environment: str, sent: Sent, as_json: bool) -> None:
    """Print what was sent, without results."""
    if as_json:
        for sent_file in sent.uploads:
            facts = {"file": str(sent_file.file), "key": sent_file.key, "status": "SENT"}
            terminal.print_json(facts | {"image_id": sent_file.image_id, "version_id": sent_file.version_id})
    else:
        watch = advice.command(environment, "watch")
        terminal.stdout.print(f"{len(sent.uploads):,} sent; {watch} shows what becomes of them", soft_wrap=True, markup=False)


def _refuse_existing(existing: Sequence[Source]) -> None:
    """Raises UserError if keys exist."""
    if existing:
        keys = _names([terminal.printable(source.key) for source in existing])
        one = len(existing) == 1
        raise UserError(
            f"{len(existing):,} file{'' if one else 's'} {'was' if one else 'were'} not sent, because the bucket has {keys}; "
            "overwrite with --replace, or choose another --prefix"
        )


def _names(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else "")
