"""How the tools speak: facts for programs on stdout (--json), everything else for people on stderr.

rich leaves colours out for NO_COLOR and escapes out where there is no terminal.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from eventloom.deployment import apply
from eventloom.errors import PipelineError

stdout = Console(highlight=False)
stderr = Console(stderr=True, highlight=False)


type Options = dict[str, dict[str, Any]]  # what argparse's add_argument takes, by the option

ENV: Options = {"--env": {"help": "the workspace; CLOUD says in which cloud (see src/eventloom/deployment/apply.py)"}}
JSON: Options = {"--json": {"action": "store_true", "help": "facts as JSON on stdout, one object a line"}}


def parser(description: str | None, options: Options = ENV | JSON) -> argparse.ArgumentParser:
    """A command line with these options."""
    made = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.set_defaults(env=apply.default_environment())
    for name, what in options.items():
        made.add_argument(name, **what)
    return made


def subcommands(made: argparse.ArgumentParser, options: Options = ENV | JSON) -> Callable[..., argparse.ArgumentParser]:
    """What adds a subcommand to a command line that has these options: they may stand before its name and behind it."""
    again = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    for name, what in options.items():
        again.add_argument(name, **what)
    return partial(made.add_subparsers(dest="command").add_parser, parents=[again])


def parse(made: argparse.ArgumentParser, subcommand: str) -> argparse.Namespace:
    """The command line as it was typed; it means `subcommand` if it names none."""
    options = made.parse_args()
    return options if options.command else made.parse_args([*sys.argv[1:], subcommand])


def environment(name: str | None) -> dict[str, Any]:
    """The Terraform outputs of an environment. Raises PipelineError if none is named or nothing is deployed there."""
    if not name:
        raise PipelineError("say which environment: --env dev|staging|prod")
    return apply.current_outputs(name)


def number(text: str) -> float:
    """The type of a number on the command line: 0 or more."""
    value = float(text)
    if not 0 <= value < math.inf:
        raise argparse.ArgumentTypeError("must be 0 or more")
    return value


def positive(text: str) -> float:
    """The type of a rate on the command line."""
    value = number(text)
    if not value:
        raise argparse.ArgumentTypeError("must be more than 0")
    return value


def whole(text: str) -> int:
    """The type of a count on the command line."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return value


@contextmanager
def progress(what: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    """A bar on a terminal, one line at the end elsewhere; yields what to call with the number that is done now."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
    )
    # rich would take over stdout even where it is a file, and print facts on the terminal
    with Progress(*columns, console=stderr, disable=not stderr.is_terminal, redirect_stdout=sys.stdout.isatty()) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)


def visible(text: str) -> str:
    """What strangers wrote, as a key of an object, for a terminal: what would control it, or begin another line, is escaped."""
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def tell(facts: dict[str, Any], as_json: bool, text: str) -> None:
    """Say how it went: as one JSON object for programs, or in words."""
    if as_json:
        print(json.dumps(facts, ensure_ascii=False, default=str))
    else:
        stdout.print(text, soft_wrap=True, markup=False)
