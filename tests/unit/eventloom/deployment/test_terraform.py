"""Terraform is never killed, so that no interruption loses its state."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eventloom.clouds import ROOT
from eventloom.deployment.terraform import Terraform
from eventloom.errors import UserError
from tests.unit.eventloom.deployment.conftest import FakeTerraform

# Runs Terraform as every command does, with the exit code of __main__.py.
COMMAND = """
import sys
from pathlib import Path
from eventloom import clouds
from eventloom.deployment.terraform import Terraform
clouds.choose("embedded")
try:
    terraform = Terraform(Path("."), Path("data"))
    terraform("apply", "-input=false", workspace="local", on_line=lambda line: print(line, end="", flush=True))
except KeyboardInterrupt:
    sys.exit(130)
"""


def start(terraform: FakeTerraform) -> subprocess.Popen[str]:
    """Start an apply that takes long, and return when it works."""
    (terraform.folder / "wait-apply").touch()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "working\n"
    return process


def kinds(terraform: FakeTerraform) -> list[str]:
    return [call["kind"] for call in terraform.calls()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_apply_saves_its_state(terraform: FakeTerraform, number: signal.Signals) -> None:
    process = start(terraform)
    process.send_signal(number)
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 130
    assert kinds(terraform) == ["called", "interrupted", "saved"]
    assert "Terraform finishes its requests and saves its state" in errors


def test_ctrl_c_reaches_terraform_once(terraform: FakeTerraform) -> None:
    """A terminal sends SIGINT to the whole process group. Terraform must not get it twice, or it stops at once."""
    (terraform.folder / "wait-apply").touch()
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout
    assert process.stdout.readline() == "working\n"
    os.killpg(process.pid, signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 130
    assert kinds(terraform) == ["called", "interrupted", "saved"]


def test_a_second_ctrl_c_is_passed_on(terraform: FakeTerraform) -> None:
    process = start(terraform)
    for _ in range(2):
        process.send_signal(signal.SIGINT)
        time.sleep(0.2)
    _, errors = process.communicate(timeout=30)
    assert kinds(terraform).count("interrupted") == 2
    assert "Terraform stops at once" in errors


LOCKED = """Error: Error acquiring the state lock

Lock Info:
  ID:        9db590f1-b6fe-c5f2-2678-8804f089deba
  Path:      bucket/env:/dev/eventloom.tfstate
  Operation: OperationTypeApply
  Who:       ada@laptop
  Created:   2026-11-30 09:00:00.1 +0000 UTC
"""


@pytest.mark.parametrize("text", [LOCKED, LOCKED.replace("\n", "\\n")], ids=["plain", "json"])
def test_a_locked_state_names_its_holder_and_the_command_that_removes_the_lock(
    terraform: FakeTerraform, text: str
) -> None:
    terraform.fail("plan", text)
    run = Terraform(ROOT, terraform.folder / "data")
    with pytest.raises(
        UserError, match=r"locked by ada@laptop since 2026-11-30 .*; ./eventloom unlock --env dev shows the lock"
    ):
        run("plan", workspace="dev")


def test_a_failure_shows_what_terraform_printed(terraform: FakeTerraform, capsys: pytest.CaptureFixture[str]) -> None:
    terraform.fail("plan", "Error: no such thing")
    with pytest.raises(UserError, match="terraform plan failed; its messages are above"):
        Terraform(ROOT, Path("data"))("plan")
    assert "Error: no such thing" in capsys.readouterr().err
