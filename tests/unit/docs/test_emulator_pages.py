"""Tests type the commands of the emulator's own pages, and the pages' settings equal those of the test project.

.ci/emulator-alone types most of them. `make test-foreign` reads the commands of other tools from their pages.
"""

import re
from pathlib import Path

import pytest
import yaml

from eventloom.clouds import ROOT
from tests.documented import of_page, simple_commands

PAGES = sorted((ROOT / "emulator" / "docs").glob("*.md"))
LANE = (ROOT / ".ci" / "emulator-alone").read_text()
FOREIGN = "\n".join(path.read_text() for path in sorted((ROOT / "emulator" / "tests" / "foreign").glob("test_*.py")))
# The lane of the container runs the same subcommands of compose on another project's name.
CONTAINER = (ROOT / "tests" / "container" / "test_container.py").read_text()
PROJECT = (ROOT / "emulator" / "tests" / "alone" / "main.tf").read_text()


def page(name: str) -> str:
    """Return the text of a page."""
    return (ROOT / "emulator" / "docs" / name).read_text()


def typed_in_lane(words: list[str], page_name: str = "") -> bool:
    """Return whether a lane types a command: its program and subcommand, in that order on a line."""
    program, *rest = words
    if program == "npx":
        program, *rest = rest
    if f'not_typed("{page_name}", "{program}", space.typed) == []' in FOREIGN:
        return True
    if program == "docker":
        return rest[:1] != ["compose"] or f'"{rest[3]}"' in CONTAINER
    if program in {"./eventloom", "make", "curl"}:
        return True  # tests/unit/scripts/test_documented_commands.py asks for their tests
    if program == "export":
        return all(word.partition("=")[0] in LANE for word in rest)
    names = {"pip": "-m pip install", "python": "-m pytest", "terraform": 'terraform" '}
    subcommand = next((word for word in rest if not word.startswith("-")), "")
    if program in names:
        return names[program] + (subcommand if program == "terraform" else "") in LANE
    return f"{program} {subcommand}" in LANE


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_the_lane_types_the_commands_of_a_page(path: Path) -> None:
    commands = [words for text in of_page(path.read_text()) for words in simple_commands(text)]
    assert commands or "```yaml" in path.read_text()
    assert [words for words in commands if not typed_in_lane(words, path.stem)] == []


def test_the_provider_is_that_of_the_project() -> None:
    (block,) = re.findall(r"```hcl\n(.*?)```", page("terraform.md"), re.DOTALL)
    settings = [line.split("=")[0].strip() for line in block.splitlines() if "=" in line]
    assert settings
    assert [name for name in settings if not re.search(rf"^\s*{name}\s*=", PROJECT, re.MULTILINE)] == []


def test_the_workflow_is_yaml_and_runs_what_the_lane_types() -> None:
    workflow, more = re.findall(r"```yaml\n(.*?)```", page("github-actions.md"), re.DOTALL)
    steps = yaml.safe_load(workflow)["jobs"]["test"]["steps"] + yaml.safe_load(more)
    commands = [words for step in steps if "run" in step for words in simple_commands(step["run"])]
    assert len(commands) == 7
    assert [words for words in commands if not typed_in_lane(words)] == []


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_lines_are_short_and_links_lead_to_files(path: Path) -> None:
    text = path.read_text()
    assert [line for line in text.splitlines() if len(line) > 120 and not line.startswith("|")] == []
    targets = [target.partition("#")[0] for target in re.findall(r"\]\(([^)]+)\)", text)]
    assert [target for target in targets if not (path.parent / target).exists()] == []
