"""Collect the commands that README, docs and help tell readers to type.

`commands` collects them. tests/unit/scripts/test_documented_commands.py parses each one, and
tests/integration/test_commands.py types each one, except those of tests/elsewhere.py.
"""

import re
import shlex
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import click

from eventloom.cli import main
from eventloom.clouds import ROOT
from tests.elsewhere import ELSEWHERE, TYPED_TARGETS, Elsewhere

COMMAND = "./eventloom"
FOLDERS = (".", "docs/**", "examples/**", "functions/*", "scripts/*", "emulator/**", "terraform/**")
PAGES = sorted({page for folder in FOLDERS for page in ROOT.glob(f"{folder}/*.md") if ".terraform" not in page.parts})
# The changelog is left out, because it has the commands of old releases. Translations come last, because they repeat
# the commands of the original pages.
COMMAND_PAGES = sorted(
    (page for page in PAGES if page.name != "CHANGELOG.md"), key=lambda page: (page.name.endswith(".ko.md"), page)
)
FENCE = re.compile(r"^( *)```(\w*).*?\n(.*?)^\1```", re.MULTILINE | re.DOTALL)
SHELLS = {"sh", "bash", "shell", "console"}
CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)
INLINE = re.compile(r".*\./eventloom .+|(?:[A-Z_]+=\S+ )*make [a-z].*")
# A piece that a shell reads as a unit, a comment, or the end of a command
PIECE = re.compile(
    r""""(?:\\.|[^"\\])*"|'[^']*'|\\.|(?P<comment>(?:^|(?<=\s))\#.*)|(?P<end>&&|;)|.""",
    re.DOTALL,
)
# The beginning of an id in the help texts; pages write ID
EXAMPLE_ID = "01234567"


@dataclass(frozen=True)
class Documented:
    """A command from a page or a help text, with its place, such as "README.md" or "help of dlq list"."""

    text: str
    source: str

    @property
    def elsewhere(self) -> list[Elsewhere]:
        """The reasons why the integration tests do not type the command on their deployment; [] if they do."""
        return [entry for entry in ELSEWHERE if entry.matches(self.text)]

    @property
    def simple_commands(self) -> list[list[str]]:
        """The words of each command of a pipeline, without the variables before them."""
        return simple_commands(self.text)


@cache
def commands() -> tuple[Documented, ...]:
    """Return every documented command once, in the order of the pages."""
    sources = {str(page.relative_to(ROOT)): of_page(page.read_text(encoding="utf-8")) for page in COMMAND_PAGES}
    sources |= {f"help of {' '.join(path) or 'eventloom'}": of_help(command.help or "") for path, command in tree()}
    first: dict[str, str] = {}
    for source, texts in sources.items():
        for text in texts:
            first.setdefault(text, source)
    return tuple(Documented(text, source) for text, source in first.items())


def of_page(text: str) -> list[str]:
    """Return the commands of a page: lines of shell blocks and indented blocks, and inline code with ./eventloom or
    make.
    """
    blocks = [textwrap.dedent(block) for _, language, block in FENCE.findall(text) if language in SHELLS]
    prose = FENCE.sub("", text)
    blocks += re.findall(r"^(?: {4}| {6,7})([a-zA-Z./~-](?:.*\\\n)*.*)", prose, re.MULTILINE)
    code = [
        " ".join(span.replace(r"\|", "|").split())
        for paragraph in prose.split("\n\n")
        for _, span in CODE.findall(paragraph)
    ]
    blocks += [span for span in code if INLINE.fullmatch(span)]
    return [part for block in blocks for line in lines(block) for part in parts(line)]


def sections(text: str) -> dict[str, str]:
    """Return the text of each section of a page by its heading. Comments in code blocks don't count as headings."""
    hidden = FENCE.sub(lambda block: block[0].replace("#", "_"), text)
    starts = [*re.finditer(r"^#+ (.+)\n", hidden, re.MULTILINE)]
    ends = [*(start.start() for start in starts[1:]), len(text)]
    return {start[1]: text[start.end() : end] for start, end in zip(starts, ends, strict=True)}


def of_help(text: str) -> list[str]:
    """Return the commands in the example blocks of a help text, which begin with a line of \\b."""
    blocks = [block for block in re.split(r"\n\s*\n", text) if block.lstrip(" \n").startswith("\b")]
    return [part for block in blocks for line in lines(block) if f"{COMMAND} " in line for part in parts(line)]


def lines(block: str) -> list[str]:
    """Return the lines of a block. A line that ends with a backslash is joined with the next line."""
    joined = re.sub(r"\s*\\\n\s*", " ", block)
    return [line.strip().removeprefix("$ ") for line in joined.splitlines() if line.strip()]


def parts(line: str) -> list[str]:
    """Split a line at && and ; into commands, as a shell does, and remove its comment."""
    found = [""]
    for piece in PIECE.finditer(line):
        if piece["comment"]:
            break
        if piece["end"]:
            found.append("")
        else:
            found[-1] += piece[0]
    return [part.strip() for part in found if part.strip()]


def simple_commands(text: str) -> list[list[str]]:
    """Return the words of each command of a pipeline, without redirections and without the variables before a command.

    A backslash before a dollar sign stays: only a shell knows what is expanded.
    """
    lexer = shlex.shlex(text, posix=True, punctuation_chars=True)
    lexer.whitespace_split, lexer.commenters = True, ""
    found: list[list[str]] = [[]]
    tokens = iter(lexer)
    for token in tokens:
        if re.fullmatch(r"[<>]+", token):
            next(tokens, None)
        elif re.fullmatch(r"[();<>|&]+", token):
            found.append([])
        elif found[-1] or not re.match(r"[A-Za-z_]\w*=", token):
            found[-1].append(token)
    return [words for words in found if words]


def on_local(text: str) -> str:
    """Replace an environment on AWS by the environment `local`."""
    return re.sub(r"(--env[ =]|\bENV=)(?:dev|staging|prod)\b", r"\1local", text)


def with_id(text: str, identifier: str) -> str:
    """Replace ID by an id, and EXAMPLE_ID by the beginning of this id."""
    return re.sub(r"\bID\b", identifier, text.replace(EXAMPLE_ID, identifier[:8]))


def typed() -> list[str]:
    """Return the commands, on the environment `local`, that the integration tests type against their deployment."""
    return [*dict.fromkeys(on_local(entry.text) for entry in commands() if not entry.elsewhere and is_ours(entry))]


def tutorial() -> list[str]:
    """Return the commands about the function that the tutorial writes, hello, which
    tests/integration/test_new_function.py types.
    """
    return [
        documented.text
        for documented in commands()
        if [entry.words for entry in documented.elsewhere] == ["documented.tutorial()"]
    ]


def is_ours(documented: Documented) -> bool:
    """Return whether a command contains ./eventloom, or runs make with targets that the integration tests type."""
    words = documented.simple_commands
    return any(COMMAND in command for command in words) or (
        words[0][0] == "make" and set(targets(words[0])) <= TYPED_TARGETS
    )


def targets(words: list[str]) -> list[str]:
    """Return the targets of a make command."""
    return [word for word in words[1:] if "=" not in word and not word.startswith("-")]


def eventloom_arguments(text: str) -> list[list[str]]:
    """Return the arguments of each ./eventloom in a command."""
    return [command[1:] for command in simple_commands(text) if command[0] == COMMAND]


def tree(command: click.Command = main, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield a command and all of its subcommands, each with its path."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child
            yield from tree(child, (*path, name))


def parse(arguments: list[str]) -> click.Command:
    """Parse a command's arguments as ./eventloom does, and run nothing.

    Return the command that they name. Raises click.UsageError.
    """
    command: click.Command = main
    name, words = "eventloom", arguments
    context: click.Context | None = None
    while True:
        try:
            context = command.make_context(name, [*words], parent=context)
        except click.exceptions.Exit:  # --help and --version end here
            return command
        words = [*context._protected_args, *context.args]
        if not isinstance(command, click.Group) or not words:
            return command
        found, child, words = command.resolve_command(context, words)
        assert child, "resolve_command raises UsageError for an unknown command"
        name, command = str(found), child


def leaf(arguments: list[str]) -> tuple[str, click.Command]:
    """Return the command that arguments name, with its path in the tree. Its options are not read."""
    command: click.Command = main
    path: list[str] = []
    for word in arguments:
        child = command.get_command(click.Context(command), word) if isinstance(command, click.Group) else None
        if child is None:
            break
        command = child
        path.append(word)
    return " ".join(path), command


def page_mentions(page: Path) -> list[str]:
    """Return the lines of a page with a ./eventloom command that is not collected, as it is neither in a shell block
    nor in code.
    """
    text = page.read_text(encoding="utf-8")
    collected = " ".join(" ".join(of_page(text)).split())
    return [
        line
        for line in text.splitlines()
        for found in re.findall(r"\./eventloom [a-z-]+", line)
        if found not in collected
    ]
