"""The README's first steps, from `make demo` to `make clean`, work in a checkout that was never set up."""

import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import BotoCoreError
from PIL import Image

from embedded_localstack import processes
from embedded_localstack.state import Home
from eventloom import clouds
from eventloom.clouds import BUILD, ROOT
from tests.integration.checkouts import PARTS, SHARED, another_checkout, command, environment, make, run, run_command
from tests.integration.support import eventually

# The emulators of other tests use other ports.
PORT = int(os.environ.get("FIRST_STEPS_PORT", "4593"))
# The cache already has the packages that the setup installs, so PyPI is not needed.
VARIABLES = environment() | {"CLOUD": "embedded", "EMBEDDED_PORT": str(PORT), "UV_OFFLINE": "1"}
PHOTOS = [path for path in (ROOT / "examples/photos").iterdir() if path.suffix != ".md"]


def run_make(checkout: Path, *arguments: str) -> str:
    """Run make in the checkout and return what it prints."""
    return make(checkout, *arguments, variables=VARIABLES)


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """Yield the checkout that all tests share, one after the other.

    The folder is always the same, so that the emulator of a killed run is stopped first.
    """
    folder = BUILD / "first-steps"
    if folder.exists():
        run(folder, "down", variables=VARIABLES)
        shutil.rmtree(folder)
    yield another_checkout(folder)
    run_make(folder, "down")


def refused(checkout: Path, *arguments: str) -> str:
    """Return the message of a command that fails."""
    process = run_command(checkout, *arguments, variables=VARIABLES)
    assert process.returncode == 1, process.stdout + process.stderr
    return " ".join(process.stderr.split())


def emulated(service: str) -> Any:
    """Return a client of the emulator."""
    return boto3.client(  # type: ignore[call-overload]
        service,
        endpoint_url=f"http://127.0.0.1:{PORT}",
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )


def role_names() -> set[str]:
    """Return the roles of the deployment so far."""
    iam = emulated("iam")
    try:
        return {
            role["RoleName"] for role in iam.list_roles()["Roles"] if role["RoleName"].startswith("eventloom-local-")
        }
    except BotoCoreError:  # the emulator is not running yet
        return set()


@pytest.fixture(scope="module")
def interrupted(checkout: Path) -> subprocess.CompletedProcess[str]:
    """Interrupt a first demo with Ctrl-C while Terraform creates resources."""
    process = subprocess.Popen(
        ["make", "demo"],
        cwd=checkout,
        env=VARIABLES,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # its own process group, as a shell gives each command
    )
    try:
        eventually(role_names, "the first role of the deployment", 300)
    finally:
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does for Ctrl-C
    output, _ = process.communicate(timeout=120)
    return subprocess.CompletedProcess(process.args, process.returncode, output)


@pytest.fixture(scope="module")
def demo(checkout: Path, interrupted: subprocess.CompletedProcess[str]) -> str:
    """Return the output of `make demo` after an interrupted demo."""
    return run_make(checkout, "demo")


def test_an_interrupted_demo_saves_its_state(checkout: Path, interrupted: subprocess.CompletedProcess[str]) -> None:
    assert interrupted.returncode != 0
    assert "interrupted: Terraform finishes its requests and saves its state" in interrupted.stdout
    assert "Traceback" not in interrupted.stdout
    assert '"locked": false' in command(checkout, "unlock", "--json", variables=VARIABLES)


@pytest.mark.usefixtures("demo")
def test_every_resource_of_the_interrupted_demo_is_in_the_state(checkout: Path) -> None:
    outputs = json.loads(command(checkout, "outputs", variables=VARIABLES))
    assert role_names() >= {function["role_name"] for function in outputs["functions"].values()}
    terraform = checkout / "build/bin/terraform"
    variables = VARIABLES | clouds.Cloud("embedded", PORT, "").environment() | {"TF_WORKSPACE": "local"}
    variables["TF_DATA_DIR"] = str(checkout / "build" / "terraform" / f"embedded-{PORT}")
    show = [str(terraform), f"-chdir={checkout / 'terraform'}", "state", "pull"]
    state = json.loads(subprocess.run(show, env=variables, check=True, capture_output=True, text=True).stdout)
    managed = {
        instance["attributes"]["name"]
        for resource in state["resources"]
        if resource["type"] == "aws_iam_role"
        for instance in resource["instances"]
    }
    assert role_names() == managed


def test_the_demo_shows_every_photo(checkout: Path, demo: str) -> None:
    table = demo.partition("3. results")[2]
    assert len(re.findall(r"  READY  ", table)) == len(PHOTOS) - 1
    assert re.findall(r"^(\S+) +REJECTED  ", table, re.MULTILINE) == ["corrupt.jpg"]
    folder = checkout / "build" / "demo"
    with Image.open(folder / "contact-sheet.png") as sheet:
        assert sheet.width > sheet.height
    pictures = re.findall(r'<img src="([^"]+)"', (folder / "index.html").read_text())
    assert len(pictures) == len(PHOTOS) - 1
    assert [name for name in pictures if not (folder / name).is_file()] == []


@pytest.mark.usefixtures("demo")
def test_another_up_changes_nothing(checkout: Path) -> None:
    assert f"http://127.0.0.1:{PORT}" in command(checkout, "up", variables=VARIABLES)
    output = command(checkout, "status", variables=VARIABLES)
    assert f"http://127.0.0.1:{PORT}" in output


@pytest.mark.usefixtures("demo")
def test_a_restart_loses_nothing(checkout: Path) -> None:
    """The following tests use the environment that the restart restored."""
    command(checkout, "restart", variables=VARIABLES)
    assert "thumbnailer" in command(checkout, "status", variables=VARIABLES)


@pytest.mark.usefixtures("demo")
def test_a_plan_that_changes_nothing_is_saved_and_applied(checkout: Path) -> None:
    assert "No changes." in run_make(checkout, "plan")
    assert "nothing to change" in command(checkout, "apply-saved", variables=VARIABLES)
    assert "nothing to change" in run_make(checkout, "deploy")


def code_hashes() -> dict[str, str]:
    """Return the hash of each function's code."""
    functions = emulated("lambda").list_functions()["Functions"]
    return {function["FunctionName"]: function["CodeSha256"] for function in functions}


@pytest.mark.usefixtures("demo")
def test_one_function_is_deployed_without_the_changes_of_another(checkout: Path) -> None:
    before = code_hashes()
    for name in ("digest", "notifier"):
        handler = checkout / "functions" / name / "handler.py"
        handler.write_text(handler.read_text() + "# changed\n")
    command(checkout, "deploy", "--only", "digest", variables=VARIABLES)
    after = code_hashes()
    assert {name for name in after if after[name] != before.get(name)} == {"eventloom-local-digest"}
    handler = checkout / "functions" / "notifier" / "handler.py"
    handler.write_text(handler.read_text().removesuffix("# changed\n"))


@pytest.mark.usefixtures("demo")
def test_a_plan_that_somebody_replaced_is_not_applied(checkout: Path) -> None:
    """The plan job saves a plan and its receipt. Then somebody with write access to the bucket replaces the plan."""
    plan = checkout / "build" / "local.tfplan"
    run_make(checkout, "plan")
    reviewed = plan.read_bytes()
    sent = command(checkout, "saved-plan", "put", "--run", "17", variables=VARIABLES)
    receipt = dict(line.split("=", 1) for line in sent.splitlines())
    waiting = {"Bucket": "eventloom-state-000000000000-us-east-1", "Key": "plans/17/local.tfplan"}
    replaced = emulated("s3").put_object(**waiting, Body=b"another plan")["VersionId"]
    options = ("saved-plan", "get", "--run", "17", "--sha256", receipt["sha256"], "--version-id")
    assert "is not the plan that was reviewed" in refused(checkout, *options, replaced)
    plan.write_bytes(b"another plan")
    assert "is not the plan that was reviewed" in refused(checkout, "apply-saved", "--sha256", receipt["sha256"])
    command(checkout, *options, receipt["version_id"], variables=VARIABLES)
    assert plan.read_bytes() == reviewed
    assert plan.stat().st_mode & 0o777 == 0o600
    applied = command(checkout, "apply-saved", "--sha256", receipt["sha256"], variables=VARIABLES)
    assert "nothing to change" in applied


@pytest.mark.usefixtures("demo")
def test_the_load_is_simulated_with_the_demos_times(checkout: Path) -> None:
    assert f"{len(PHOTOS) - 1} photos" in command(checkout, "simulate", "measure", variables=VARIABLES)
    assert "10,000" in command(checkout, "simulate", variables=VARIABLES)


def test_generating_the_documentation_changes_nothing(checkout: Path) -> None:
    run_make(checkout, "docs")
    run_make(checkout, "capabilities")
    pages = [
        page
        for folder in ("docs", "terraform/modules")
        for page in (checkout / folder).rglob("*.*")
        if page.suffix in {".md", ".svg"}
    ]
    assert [page for page in pages if page.read_bytes() != (ROOT / page.relative_to(checkout)).read_bytes()] == []


@pytest.mark.usefixtures("demo")
def test_down_leaves_nothing_running(checkout: Path) -> None:
    home = Home(PORT, checkout / "build" / f"localstack-{PORT}")
    server = home.load()
    assert server
    assert server.running()
    assert processes.belonging_to(home.path), "the emulator runs processes for its functions"
    run_make(checkout, "down")
    assert not server.running()
    assert processes.belonging_to(home.path) == []
    stopped = run_command(checkout, "status", variables=VARIABLES)
    assert "not running" in stopped.stdout + stopped.stderr
    assert stopped.returncode == 3


@pytest.mark.usefixtures("demo")
def test_up_restores_what_was_deployed_before_down(checkout: Path) -> None:
    run_make(checkout, "up")
    assert "No changes." in run_make(checkout, "plan")


@pytest.mark.usefixtures("demo")
def test_clean_leaves_only_the_cloned_files(checkout: Path) -> None:
    run_make(checkout, "clean")
    assert sorted(path.name for path in checkout.iterdir()) == sorted(PARTS)
    generated = [
        path
        for path in checkout.rglob("*")
        if path.name in {"build", ".terraform", "__pycache__"} or path.suffix == ".egg-info"
    ]
    assert generated == []
    assert all((BUILD / name).exists() for name in SHARED), "the targets of the links still exist"
