"""A new function with each trigger works without edits, and a name that would break something is refused."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from eventloom.cli import main
from eventloom.clouds import ROOT, chosen_cloud
from eventloom.errors import UserError
from eventloom.scaffold import new_function

NAMES = {trigger: f"{'aa' if index % 2 else 'zz'}_by_{trigger}" for index, trigger in enumerate(new_function.TRIGGERS)}


def copy_project(target: Path) -> Path:
    """Copy the parts of the project that new-function changes, or that a new function needs."""
    without_caches = shutil.ignore_patterns(".terraform", "__pycache__")
    for part in ("terraform", "functions/shared", "functions/notifier", "src", "scripts"):
        shutil.copytree(ROOT / part, target / part, ignore=without_caches)
    shutil.copyfile(ROOT / "pyproject.toml", target / "pyproject.toml")
    (target / "tests/unit").mkdir(parents=True)
    shutil.copyfile(ROOT / "tests/__init__.py", target / "tests/__init__.py")
    (target / "build").mkdir()
    return target


def contents(project: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}


def run(project: Path, *command: str, environment: dict[str, str] | None = None) -> str:
    """Run a command in the project and return its output. Fails the test with the output if the command fails."""
    done = subprocess.run(command, cwd=project, env=environment, check=False, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Provide a project with a new function of each trigger."""
    target = copy_project(tmp_path_factory.mktemp("project"))
    for trigger, name in NAMES.items():
        new_function.create(name, trigger, target)
    return target


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    """Provide a project without new functions."""
    return copy_project(tmp_path)


def command(project: Path, *arguments: str) -> str:
    """Run a command of the project's own copy of ./eventloom and return its output."""
    environment = {"PYTHONPATH": str(project / "src"), "UV_CACHE_DIR": str(ROOT / "build/cache/uv")}
    return run(project, sys.executable, "-P", "-m", "eventloom", *arguments, environment=os.environ | environment)


def without_cloud() -> dict[str, str]:
    """Return the environment variables without those that functions read."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POWERTOOLS_"))}


def test_every_kind_of_trigger_that_the_module_knows_has_a_template() -> None:
    kinds = {path.stem.removeprefix("trigger_") for path in (ROOT / "terraform/modules/function").glob("trigger_*.tf")}
    assert set(new_function.TRIGGERS) == kinds


def test_new_functions_pass_the_linters(project: Path) -> None:
    run(project, sys.executable, "-m", "ruff", "check", "functions", "tests")
    run(project, sys.executable, "-m", "ruff", "format", "--check", "functions", "tests")
    run(project, sys.executable, "-m", "mypy", *(f"functions/{name}" for name in NAMES.values()))


def test_new_functions_pass_their_tests(project: Path) -> None:
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit")
    assert "failed" not in run(project, *command, environment=without_cloud())


def test_new_terraform_is_formatted_and_valid(project: Path, tmp_path: Path) -> None:
    environment = chosen_cloud("embedded").environment() | {"TF_DATA_DIR": str(tmp_path / "data")}
    terraform = ("terraform", f"-chdir={project / 'terraform'}")
    run(project, *terraform, "fmt", "-check", "-recursive", environment=environment)
    run(project, *terraform, "init", "-backend=false", "-input=false", "-no-color", environment=environment)
    run(project, *terraform, "validate", "-no-color", environment=environment)


def test_a_new_api_is_created_after_the_account_s_role_for_its_logs(project: Path) -> None:
    assert "depends_on = [aws_api_gateway_account.this]" in (project / f"terraform/{NAMES['api']}.tf").read_text()


def test_a_new_stream_has_the_capacity_that_is_cheapest_while_idle(project: Path) -> None:
    text = (project / f"terraform/{NAMES['kinesis']}.tf").read_text()
    assert "shard_count      = 1" in text
    assert "ON_DEMAND" not in text


@pytest.mark.parametrize("trigger", new_function.TRIGGERS)
def test_no_placeholder_is_left(project: Path, trigger: str) -> None:
    name = NAMES[trigger]
    folder = project / "functions" / name
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    expected = {
        "__init__.py",
        "handler.py",
        "logic.py",
        "README.md",
        "requirements.in",
        "requirements.txt",
        f"events/{trigger}.json",
    }
    assert expected == {file for file in files if "__pycache__" not in file}
    assert json.loads((folder / f"events/{trigger}.json").read_text())
    for path in (*folder.glob("*.*"), project / f"terraform/{name}.tf"):
        assert "%" not in path.read_text(), path
    assert (folder / "requirements.txt").read_text() == (ROOT / "functions/notifier/requirements.txt").read_text()


def test_new_functions_are_in_the_map_of_functions_sorted(project: Path) -> None:
    lines = (project / "terraform/functions.tf").read_text().splitlines()
    names = [line.split()[0] for line in lines if " = module." in line]
    assert set(NAMES.values()) < set(names)
    assert names == sorted(names)


def test_a_function_is_registered_once(empty: Path) -> None:
    text = (empty / "terraform/functions.tf").read_text()
    once = new_function.with_functions(text, add="hello")
    assert once.count("module.hello\n") == 1
    assert new_function.with_functions(once, add="hello") == once
    assert new_function.with_functions(once, remove="hello") == text


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "not a valid name"),
        ("h", "not a valid name"),
        ("Hello", "not a valid name"),
        ("hello-world", "not a valid name"),
        ("9lives", "not a valid name"),
        ("../hello", "not a valid name"),
        ("h" * 32, "not a valid name"),
        ("hello\n", "not a valid name"),
        ("lambda", "keyword of Python"),
        ("match", "keyword of Python"),
        ("json", "Python module is named"),
        ("shared", "Python module is named"),
        ("test", "Python module is named"),
        ("boto3", "Python module is named"),
        ("pil", "Python module is named"),
        ("aws_lambda_powertools", "Python module is named"),
        ("notifier", "functions/notifier exists already"),
        ("network", r"terraform/network\.tf exists already"),
        ("thumbnails", "terraform/ has module"),
        ("notices", "terraform/ has .*aws_sns_topic"),
        ("eventloom", "Python module is named"),
        ("scripts", "Python module is named"),
        ("tests", "Python module is named"),
    ],
)
def test_names_are_refused_and_nothing_is_written(empty: Path, name: str, reason: str) -> None:
    before = contents(empty)
    with pytest.raises(UserError, match=reason):
        new_function.create(name, "sns", empty)
    assert contents(empty) == before


def test_a_name_that_terraform_already_declares_is_refused(empty: Path) -> None:
    (empty / "terraform/other.tf").write_text('module "hello_queue" {\n  source = "./modules/queue"\n}\n')
    with pytest.raises(UserError, match="hello_queue"):
        new_function.create("hello", "sqs", empty)
    assert not (empty / "functions/hello").exists()


def test_two_functions_behind_the_load_balancer_have_their_own_priorities(empty: Path) -> None:
    there = {
        priority
        for file in (empty / "terraform").glob("*.tf")
        for priority in new_function.PRIORITY.findall(file.read_text())
    }
    for name in ("hello", "goodbye"):
        new_function.create(name, "alb", empty)
    (first,), (second,) = (
        new_function.PRIORITY.findall((empty / f"terraform/{name}.tf").read_text()) for name in ("hello", "goodbye")
    )
    assert len({first, second} - there) == 2


# Names that a user may well choose, which were modules of scripts/ and tests/ or are folders that tools skip
PLAUSIBLE = ["report", "logs", "build", "invoke", "upload", "replay", "watch", "runner", "prices"]
PLAUSIBLE += ["pipeline", "demo", "audit", "simulation", "evidence", "results", "photos", "dist"]


def test_functions_with_plausible_names_pass_their_tests_and_build(empty: Path) -> None:
    for name in PLAUSIBLE:
        new_function.create(name, "schedule", empty)
        (empty / f"functions/{name}/requirements.in").unlink()
        # Installing the same wheels for each function would take minutes.
        (empty / f"functions/{name}/requirements.txt").unlink()
    (empty / "build/uv").symlink_to(ROOT / "build/uv")
    pytest_command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
    names = {
        re.sub(r"/test_.*", "", line)
        for line in run(empty, *pytest_command, "--collect-only", "tests/unit").splitlines()
    }
    assert names >= {f"tests/unit/{name}" for name in PLAUSIBLE}
    tests = run(empty, *pytest_command, *(f"tests/unit/{name}" for name in PLAUSIBLE), environment=without_cloud())
    assert re.search(rf"^{3 * len(PLAUSIBLE)} passed", tests, re.MULTILINE)
    assert json.loads(command(empty, "build", *PLAUSIBLE, "--json")).keys() == set(PLAUSIBLE)
    checked = run(empty, sys.executable, "-m", "ruff", "check", "--show-files", ".")
    assert all(f"functions/{name}/handler.py" in checked for name in PLAUSIBLE)
    assert "build/uv" not in checked
    run(empty, sys.executable, "-m", "mypy", *(f"functions/{name}" for name in PLAUSIBLE))


def test_the_command_writes_a_function_and_names_the_next_commands(empty: Path) -> None:
    facts = json.loads(command(empty, "new-function", "hello", "--trigger", "sqs", "--json"))
    assert all((empty / path).is_file() for path in facts["files"])
    assert facts["next"] == [
        "build/venv/dev/bin/python -m pytest tests/unit/hello",
        "./eventloom build hello",
        "./eventloom deploy",
        "./eventloom invoke hello --event sqs",
        "./eventloom logs hello",
    ]
    shown = command(empty, "remove-function", "hello", "--yes")
    assert "removed\n  functions/hello\n" in shown
    assert not (empty / "functions/hello").exists()
    text = command(empty, "new-function", "front", "--trigger", "alb")
    assert "  functions/front/handler.py\n" in text
    assert "Note: requests reach it in environments whose `alb` is true" in text


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("json", "--trigger", "sqs"), 1, "Error: a Python module is named 'json'"),
        (
            ("hello", "--trigger", "cron"),
            2,
            "'dynamodb_stream', 'event', 'kinesis', 's3', 'schedule', 'sns', 'sqs', 'url'",
        ),
        (("hello", "--trigger", "common"), 2, "'common' is not one of"),
        (("hello",), 2, "Missing option '--trigger'"),
    ],
)
def test_wrong_arguments_are_explained(arguments: tuple[str, ...], code: int, message: str) -> None:
    result = CliRunner().invoke(main, ["new-function", *arguments])
    assert result.exit_code == code
    assert message in result.stderr
