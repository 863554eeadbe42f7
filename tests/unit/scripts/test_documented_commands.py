"""Every documented command works: its options exist, and a test runs it or a table gives the reason why not."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from eventloom import clouds
from eventloom.clouds import ROOT
from tests import documented
from tests.documented import (
    COMMAND_PAGES,
    Documented,
    commands,
    eventloom_arguments,
    of_help,
    of_page,
    parse,
    parts,
    simple_commands,
)
from tests.elsewhere import AWS_COMMANDS, ELSEWHERE, NOT_TYPED, OTHER_TOOLS, TARGETS, TYPED_TARGETS, Elsewhere

MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
MESSAGE_ID = "0123abcd-0000-4000-8000-000000000000"
WITH_EVENTLOOM = [entry for entry in commands() if eventloom_arguments(entry.text)]
MAKE_COMMANDS = [(entry, words) for entry in commands() for words in entry.simple_commands if words[0] == "make"]
# The files that documented commands read; tests/integration/samples.py creates them with content
FILES = ("holiday.jpg", "beach.heic", "my photo (2).jpg", "photos/one.jpg", "events.jsonl", "event.json")


def name(value: object) -> str | None:
    """Return the id of a parametrized test."""
    return f"{value.source}: {value.text}" if isinstance(value, Documented) else None


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Work in a folder with the files of the examples. Afterwards, reset the choices of --env and --port."""
    for file in FILES:
        (tmp_path / file).parent.mkdir(exist_ok=True)
        (tmp_path / file).touch()
    for folder in ("examples", "functions"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CLOUD", raising=False)
    monkeypatch.setitem(clouds.CLOUDS, "embedded", clouds.CLOUDS["embedded"])
    yield
    clouds.choose(None)


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("entry", WITH_EVENTLOOM, ids=name)
def test_every_command_and_option_exists(entry: Documented) -> None:
    for arguments in eventloom_arguments(documented.with_id(entry.text, MESSAGE_ID)):
        assert isinstance(parse(arguments), click.Command)


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize(
    "arguments",
    [["dlqs"], ["dlq", "lists"], ["dlq", "list", "--quue", "a"], ["upload"], ["logs", "a", "b"], ["unlock", "--env"]],
)
def test_an_unknown_command_or_option_is_an_error(arguments: list[str]) -> None:
    with pytest.raises(click.UsageError):
        parse(arguments)


def test_commands_are_collected_from_pages_and_from_help() -> None:
    sources = {entry.source for entry in commands()}
    assert "README.md" in sources
    assert len([source for source in sources if source.startswith("help of ")]) > 5


@pytest.mark.parametrize("page", COMMAND_PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_mention_of_a_command_is_in_a_shell_block_or_in_code(page: Path) -> None:
    assert documented.page_mentions(page) == []


# -- commands that tests run


@pytest.mark.parametrize("entry", [entry for entry in commands() if entry not in WITH_EVENTLOOM], ids=name)
def test_every_command_of_another_tool_is_in_the_table_of_tools(entry: Documented) -> None:
    assert tools(entry) <= {"make", "aws", *OTHER_TOOLS}


def sections_with_aws() -> list[tuple[str, str]]:
    """Return the page and the heading of each section with commands of the AWS CLI."""
    return [
        (str(page.relative_to(ROOT)), heading)
        for page in COMMAND_PAGES
        if not page.name.endswith(".ko.md")
        for heading, text in documented.sections(page.read_text(encoding="utf-8")).items()
        if any(words[0] == "aws" for command in of_page(text) for words in simple_commands(command))
    ]


@pytest.mark.parametrize(("page", "heading"), sections_with_aws())
def test_a_test_types_the_aws_commands_of_a_section(page: str, heading: str) -> None:
    """`procedure` fails if a command of the section is not typed, or in another order."""
    test = (ROOT / AWS_COMMANDS).read_text(encoding="utf-8")
    assert f'procedure("{page}", "{heading}"' in test


@pytest.mark.parametrize(("entry", "words"), MAKE_COMMANDS, ids=name)
def test_every_documented_target_is_run_by_a_test_or_has_a_reason(entry: Documented, words: list[str]) -> None:
    assert documented.targets(words)
    assert set(documented.targets(words)) <= TARGETS.keys() | TYPED_TARGETS | NOT_TYPED.keys()


@pytest.mark.parametrize("exception", ELSEWHERE, ids=lambda exception: exception.pattern)
def test_an_exception_matches_documented_commands_and_its_test_runs_them(exception: Elsewhere) -> None:
    matches = [match for entry in commands() if (match := re.fullmatch(exception.pattern, entry.text, re.DOTALL))]
    assert matches, "no documented command matches; remove the entry"
    assert exception.reason
    for match in matches if exception.file else []:
        assert is_typed(exception.file, match.expand(exception.words)), match[0]


def test_every_target_in_makes_list_is_run_by_a_test_or_has_a_reason() -> None:
    listed = set(re.findall(r"^([a-z][a-z-]*):.*## ", MAKEFILE, re.MULTILINE))
    assert listed == TARGETS.keys() | TYPED_TARGETS | NOT_TYPED.keys()


@pytest.mark.parametrize("target", TARGETS)
def test_a_target_is_run_by_the_file_in_the_table(target: str) -> None:
    assert is_typed(*TARGETS[target])


@pytest.mark.parametrize("tool", OTHER_TOOLS)
def test_every_tool_in_the_table_is_in_the_documentation(tool: str) -> None:
    assert [entry for entry in commands() if tool in tools(entry)], "remove it from the table"


def tools(entry: Documented) -> set[str]:
    """Return the names of the tools of a pipeline."""
    return {Path(words[0]).name for words in entry.simple_commands}


def is_typed(file: str, words: str) -> bool:
    """Return whether a file contains these words and is run by `make test`."""
    test_file = r"tests/(integration|modules|first_steps|unit(?:/\w+)*)/test_\w+\.py"
    runs = file == "scripts/test.sh" or re.fullmatch(test_file, file)
    return bool(runs and re.search(rf"{re.escape(words)}(?![\w-])", (ROOT / file).read_text(encoding="utf-8")))


# -- make


def test_the_makefile_has_the_targets_of_contributors_only() -> None:
    targets = set(re.findall(r"^([a-z][a-z-]*):", MAKEFILE, re.MULTILINE))
    test_targets = {target for target in targets if target.startswith("test-")}
    assert targets - test_targets == {
        *("demo", "test", "up", "down", "status", "setup", "build", "plan", "deploy", "destroy"),
        *(
            "lint",
            "checkov",
            "docs",
            "capabilities",
            "capabilities-peers",
            "compatibility",
            "pictures",
            "bench",
            "clean",
            "help",
        ),
    }
    assert test_targets


def test_no_target_takes_free_form_arguments() -> None:
    """Make changes `$` and quotes. Its variables hold only a name, a number, a switch or a path of tests."""
    used = set(re.findall(r"\$\(([A-Za-z_]+)\)", MAKEFILE)) | set(re.findall(r"\$\(or \$\(([A-Z_]+)\)", MAKEFILE))
    defined = set(re.findall(r"^(?:export )?(\w+) *[?:]?=", MAKEFILE, re.MULTILINE)) | {"variable"}
    own = {"CURDIR", "MAKECMDGOALS", "MAKEFILE_LIST"}
    assert (
        used - defined - own
        == {*("NO_PROXY", "ONLY", "EMBEDDED_PORT", "KEEP", "QUICK", "CASES", "SEED", "RECORD")} - defined
    )
    assert not re.search(
        r"\b(ARGS|FN|FILE|FILES|NAMES|NAME|EVENT|TRIGGER|MINUTES|FOLLOW)\b", re.sub(r"NAME\.zip", "", MAKEFILE)
    )


# -- collecting commands


def test_commands_of_a_page_are_in_shell_blocks_indented_blocks_and_code() -> None:
    page = "\n".join(
        [
            "Type `./eventloom status --env dev` or `make up`; `make` and `make_up` are not commands.",
            "",
            "    make demo   # it's the first",
            "    uv pip \\",
            "      install",
            "",
            "```sh",
            "$ ./eventloom upload \\",
            '  "my photo (2).jpg" && ./eventloom logs; echo "a;b && c"',
            "```",
            "```hcl",
            "make = 1",
            "```",
            "| `./eventloom logs \\| head` | in a table |",
        ]
    )
    assert set(of_page(page)) == {
        "./eventloom status --env dev",
        "make up",
        "make demo",
        "uv pip install",
        './eventloom upload "my photo (2).jpg"',
        "./eventloom logs",
        'echo "a;b && c"',
        "./eventloom logs | head",
    }


def test_commands_of_help_are_in_example_blocks() -> None:
    text = (
        "Do it.\n\nWith ./eventloom it is done.\n\n\b\n  ./eventloom up --port 4567\n  EMBEDDED_PORT=4567 "
        "./eventloom status\n\nMore."
    )
    assert of_help(text) == ["./eventloom up --port 4567", "EMBEDDED_PORT=4567 ./eventloom status"]


def test_commands_are_split_as_a_shell_splits_them() -> None:
    text = """A=1 ./eventloom dlq discard ID --reason 'costs $5; a day' | tee "a b" >out"""
    assert simple_commands(text) == [
        ["./eventloom", "dlq", "discard", "ID", "--reason", "costs $5; a day"],
        ["tee", "a b"],
    ]
    assert parts(text) == [text]
    assert parts("source <(./eventloom completion bash) # it's one line; nothing else") == [
        "source <(./eventloom completion bash)"
    ]
    assert eventloom_arguments("source <(./eventloom completion bash)") == [["completion", "bash"]]


def test_placeholders_and_environments_are_replaced_for_the_tests() -> None:
    text = "./eventloom dlq discard ID 01234567 --env prod --reason 'an IDEA'"
    local = "./eventloom dlq discard ID 01234567 --env local --reason 'an IDEA'"
    assert documented.on_local(text) == local
    assert documented.on_local("make plan ENV=staging") == "make plan ENV=local"
    assert (
        documented.with_id(local, MESSAGE_ID)
        == f"./eventloom dlq discard {MESSAGE_ID} {MESSAGE_ID[:8]} --env local --reason 'an IDEA'"
    )
