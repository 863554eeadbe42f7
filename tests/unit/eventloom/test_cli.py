"""The command tree: complete, documented, quick to list, and completed by the shell."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

import eventloom
from eventloom.cli import ENTRIES, SECTIONS, main
from eventloom.clouds import ROOT


def commands(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Yield a command and all below it, each with its path."""
    if path:
        yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child
            yield from commands(child, (*path, name))


ALL = {" ".join(path): command for path, command in commands(main)}


@pytest.mark.parametrize("name", ALL)
def test_every_command_has_help_and_its_options_too(name: str) -> None:
    command = ALL[name]
    assert command.help, "the docstring is the help"
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, parameter.name
    result = CliRunner().invoke(main, [*name.split(), "--help"])
    assert result.exit_code == 0
    assert "--no-color" in result.stdout


@pytest.mark.parametrize("name", ENTRIES)
def test_a_command_is_called_in_its_module_as_in_the_table(name: str) -> None:
    assert ENTRIES[name].load().name == name


def test_every_command_works_without_the_functions_that_can_be_removed() -> None:
    """docs/how-to/remove-a-function.md lists them."""
    page = (ROOT / "docs" / "how-to" / "remove-a-function.md").read_text()
    removable = re.findall(r"^\| `(\w+)` \| `terraform/", page, re.MULTILINE)
    assert len(removable) == 5
    code = (
        "import sys\n"
        f"sys.modules |= dict.fromkeys({removable})\n"
        "from eventloom.cli import ENTRIES\n"
        "print([entry.load().name for entry in ENTRIES.values()])"
    )
    result = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert result.stdout.strip() == str(list(ENTRIES))


def test_an_option_means_the_same_everywhere() -> None:
    meanings: dict[str, set[str]] = {
        "--env": set(),
        "--json": set(),
        "--dry-run": set(),
        "--yes": set(),
        "--no-color": set(),
    }
    for command in ALL.values():
        for parameter in command.params:
            for option in meanings.keys() & set(parameter.opts):
                meanings[option].add(str(getattr(parameter, "help", "")))
    assert {option: len(texts) for option, texts in meanings.items()} == dict.fromkeys(meanings, 1)


def test_help_lists_every_command_without_importing_boto3() -> None:
    script = (
        "import sys; from eventloom.cli import main; main(['--help'], standalone_mode=False); print('boto3' in "
        "sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, cwd=ROOT).stdout
    assert shown.rstrip().endswith("False")
    listed = {line.split()[0] for line in shown.splitlines() if line.startswith("  ") and line.strip()}
    assert {name for entries in SECTIONS.values() for name in entries} <= listed


def test_the_version_is_the_projects() -> None:
    assert CliRunner().invoke(main, ["--version"]).stdout == f"eventloom, version {eventloom.__version__}\n"


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_completes_commands(shell: str) -> None:
    script = CliRunner().invoke(main, ["completion", shell]).stdout
    assert "_EVENTLOOM_COMPLETE" in script
    variables = os.environ | {
        "_EVENTLOOM_COMPLETE": "bash_complete",
        "COMP_WORDS": "./eventloom back",
        "COMP_CWORD": "1",
    }
    command = [sys.executable, "-P", "-m", "eventloom"]
    assert (
        subprocess.run(command, env=variables, check=False, capture_output=True, text=True).stdout == "plain,backfill\n"
    )


def test_no_color_is_respected() -> None:
    variables = os.environ | {"FORCE_COLOR": "1"}
    command = [sys.executable, "-P", "-m", "eventloom", "outputs", "--cloud", "aws", "--no-color"]
    assert "\x1b[" not in subprocess.run(command, env=variables, check=False, capture_output=True, text=True).stderr
