"""A new function of every trigger is sound as it is written; names that would break something are refused."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from eventloom.clouds import ROOT, chosen_cloud
from eventloom.scaffold import new_function

NAMES = {trigger: f"{'aa' if index % 2 else 'zz'}_by_{trigger}" for index, trigger in enumerate(new_function.TRIGGERS)}


def copy_project(target: Path) -> Path:
    """The parts of the project that a new function is written into, or is built on."""
    without_caches = shutil.ignore_patterns(".terraform", "__pycache__")
    for part in ("terraform", "functions/shared", "functions/notifier"):
        shutil.copytree(ROOT / part, target / part, ignore=without_caches)
    shutil.copyfile(ROOT / "pyproject.toml", target / "pyproject.toml")
    for folder in ("src", "tests/unit"):
        (target / folder).mkdir(parents=True)
    return target


def contents(project: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}


def run(project: Path, *command: str, environment: dict[str, str] | None = None) -> str:
    """The command's output; fails the test with it if the command does."""
    done = subprocess.run(command, cwd=project, env=environment, check=False, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that got a function of every trigger."""
    target = copy_project(tmp_path_factory.mktemp("project"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(new_function, "ROOT", target)
        for trigger, name in NAMES.items():
            new_function.create(name, trigger)
    return target


@pytest.fixture
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project without new functions, which new_function writes into."""
    target = copy_project(tmp_path)
    monkeypatch.setattr(new_function, "ROOT", target)
    return target


def test_every_kind_of_trigger_that_the_module_knows_has_a_template() -> None:
    kinds = {path.stem.removeprefix("trigger_") for path in (ROOT / "terraform/modules/function").glob("trigger_*.tf")}
    assert set(new_function.TRIGGERS) == kinds


def test_new_functions_pass_the_linters(project: Path) -> None:
    run(project, sys.executable, "-m", "ruff", "check", ".")
    run(project, sys.executable, "-m", "ruff", "format", "--check", ".")
    run(project, sys.executable, "-m", "mypy", *(f"functions/{name}" for name in NAMES.values()))


def test_new_functions_pass_their_tests(project: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POWERTOOLS_"))}
    output = run(project, sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/unit", environment=environment)
    assert "failed" not in output


def test_new_terraform_is_formatted_and_valid(project: Path, tmp_path: Path) -> None:
    environment = chosen_cloud("embedded").environment() | {"TF_DATA_DIR": str(tmp_path / "data")}
    terraform = ("terraform", f"-chdir={project / 'terraform'}")
    run(project, *terraform, "fmt", "-check", "-recursive", environment=environment)
    run(project, *terraform, "init", "-backend=false", "-input=false", "-no-color", environment=environment)
    run(project, *terraform, "validate", "-no-color", environment=environment)


def test_a_new_api_waits_for_the_account_s_role_for_its_logs(project: Path) -> None:
    assert "depends_on = [aws_api_gateway_account.this]" in (project / f"terraform/{NAMES['api']}.tf").read_text()


def test_a_new_stream_is_the_cheapest_without_records(project: Path) -> None:
    text = (project / f"terraform/{NAMES['kinesis']}.tf").read_text()
    assert "shard_count      = 1" in text
    assert "ON_DEMAND" not in text


@pytest.mark.parametrize("trigger", new_function.TRIGGERS)
def test_nothing_is_left_to_fill_in(project: Path, trigger: str) -> None:
    name = NAMES[trigger]
    folder = project / "functions" / name
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    expected = {"__init__.py", "handler.py", "logic.py", "README.md", "requirements.in", "requirements.txt", f"events/{trigger}.json"}
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
    once = new_function.register((empty / "terraform/functions.tf").read_text(), "hello")
    assert once.count("module.hello\n") == 1
    assert new_function.register(once, "hello") == once


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("", "no name"),
        ("h", "no name"),
        ("Hello", "no name"),
        ("hello-world", "no name"),
        ("9lives", "no name"),
        ("../hello", "no name"),
        ("h" * 32, "no name"),
        ("hello\n", "no name"),
        ("lambda", "Python's own"),
        ("match", "Python's own"),
        ("json", "another Python module"),
        ("shared", "another Python module"),
        ("test", "another Python module"),
        ("boto3", "another Python module"),
        ("pil", "another Python module"),
        ("aws_lambda_powertools", "another Python module"),
        ("notifier", "taken: there is functions/notifier"),
        ("network", "taken: there is terraform/network.tf"),
        ("thumbnails", "taken: terraform/ has module"),
        ("notices", "taken: terraform/ has .*aws_sns_topic"),
    ],
)
def test_names_are_refused_and_nothing_is_written(empty: Path, name: str, reason: str) -> None:
    before = contents(empty)
    with pytest.raises(new_function.Refused, match=reason):
        new_function.create(name, "sns")
    assert contents(empty) == before


def test_a_name_is_taken_by_what_would_be_declared_beside_the_function(empty: Path) -> None:
    (empty / "terraform/other.tf").write_text('module "hello_queue" {\n  source = "./modules/queue"\n}\n')
    with pytest.raises(new_function.Refused, match="hello_queue"):
        new_function.create("hello", "sqs")
    assert not (empty / "functions/hello").exists()


@pytest.mark.parametrize("trigger", ["", "cron", "common", "http", "../sqs"])
def test_unknown_triggers_are_refused_with_the_known_ones_named(empty: Path, trigger: str) -> None:
    before = contents(empty)
    with pytest.raises(new_function.Refused, match="alarm, alb, api, dynamodb_stream, event, kinesis, s3, schedule, sns, sqs, url"):
        new_function.create("hello", trigger)
    assert contents(empty) == before


def test_two_functions_behind_the_load_balancer_have_their_own_priorities(empty: Path) -> None:
    there = {priority for file in (empty / "terraform").glob("*.tf") for priority in new_function.PRIORITY.findall(file.read_text())}
    for name in ("hello", "goodbye"):
        new_function.create(name, "alb")
    (first,), (second,) = (new_function.PRIORITY.findall((empty / f"terraform/{name}.tf").read_text()) for name in ("hello", "goodbye"))
    assert len({first, second} - there) == 2


def test_the_command_says_what_was_refused() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "eventloom.scaffold.new_function", "json", "sqs"], check=False, text=True, capture_output=True
    )
    assert done.returncode == 1
    assert "Nothing was written" in done.stderr
