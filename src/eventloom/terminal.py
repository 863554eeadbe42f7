"""Print results on stdout, and everything else on stderr.

With --json, stdout contains only JSON. The output has no colours with --no-color or NO_COLOR, and if it is not a
terminal.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console

stdout = Console(highlight=False)
stderr = Console(stderr=True, highlight=False)


def disable_color() -> None:
    """Print without colours from now on, in this process and in its child processes."""
    stdout.no_color = stderr.no_color = True
    os.environ["NO_COLOR"] = "1"


def has_color(console: Console = stdout) -> bool:
    """Return whether a console shows colours."""
    return console.is_terminal and not console.no_color


@contextmanager
def progress(label: str, total: int | None, unit: str) -> Iterator[Callable[[int], None]]:
    """Show a progress bar on a terminal and nothing elsewhere.

    Yields a function that takes the number of units done so far.
    """
    if not stderr.is_terminal:
        yield lambda _: None
        return
    from rich.progress import (  # noqa: PLC0415 - takes a tenth of a second, and most commands show no progress
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeElapsedColumn(),
    )
    # If stdout is a file, rich must not redirect it, because it would print the results on the terminal.
    with Progress(*columns, console=stderr, redirect_stdout=sys.stdout.isatty()) as bar:
        task = bar.add_task(label, total=total)
        yield lambda done: bar.update(task, completed=done)


def printable(text: str) -> str:
    """Return a text with all control characters and line breaks escaped.

    Use it for text of unknown origin, such as an object key.
    """
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in text
    )


def print_json(facts: Any) -> None:
    """Print one JSON document on a line of stdout.

    Control characters and lone surrogates are escaped.
    """
    text = json.dumps(facts, ensure_ascii=False, default=str)
    print(
        "".join(character if character.isprintable() else json.dumps(character)[1:-1] for character in text), flush=True
    )


def report(facts: dict[str, Any], as_json: bool, text: str) -> None:
    """Print a result on stdout, as one JSON object or as text."""
    if as_json:
        print_json(facts)
    else:
        stdout.print(text, soft_wrap=True, markup=False)


def note(text: str) -> None:
    """Print a text on stderr."""
    stderr.print(text, soft_wrap=True, markup=False)
