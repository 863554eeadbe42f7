"""The processor time of a step includes everything that it starts, and the page shows what was recorded."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from eventloom.clouds import ROOT
from scripts import measured, step_times

# This program uses the processor for 0.3 s.
BURN = "import time\nwhile time.process_time() < 0.3: pass"
# A child that no process waits for, like the emulator's server
ORPHAN = """
import subprocess, sys
subprocess.Popen([sys.executable, *sys.argv[1:]], stdout=-3, stderr=-3, start_new_session=True)  # -3: DEVNULL
"""


def measure(file: Path, *command: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "scripts.measured", "--into", str(file), "step", *command]
    return subprocess.run(arguments, cwd=ROOT, check=False, text=True, capture_output=True)


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def test_a_step_keeps_its_output_and_its_exit_code(tmp_path: Path) -> None:
    file = tmp_path / "new" / "times.jsonl"
    process = measure(file, "sh", "-c", "echo said; exit 3")
    assert (process.returncode, process.stdout, process.stderr) == (3, "said\n", "")
    assert [(line["name"], line["code"]) for line in lines(file)] == [("step", 3)]


def test_a_step_that_a_signal_ends_has_the_exit_code_of_a_shell(tmp_path: Path) -> None:
    assert measure(tmp_path / "times.jsonl", "sh", "-c", "kill -9 $$").returncode == 128 + 9


def test_the_time_of_a_process_that_nobody_waits_for_counts(tmp_path: Path) -> None:
    """The orphan ends before the step, like a server that the step stops."""
    file, marker = tmp_path / "times.jsonl", tmp_path / "ended"
    code = f"{BURN}\nopen({str(marker)!r}, 'w').close()"
    wait = f'"$0" -c "$1" -c "$2"; until [ -e {marker} ]; do sleep 0.05; done'
    measure(file, "sh", "-c", wait, sys.executable, ORPHAN, code)
    (line,) = lines(file)
    assert line["cpu"] >= 0.3
    assert line["left"] == []


def test_a_server_that_a_step_leaves_running_counts_for_the_next_one_from_then_on(tmp_path: Path) -> None:
    file, go, done = tmp_path / "times.jsonl", tmp_path / "go", tmp_path / "done"
    server = f"""{BURN}
import pathlib
while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.05)
while time.process_time() < 1: pass
pathlib.Path({str(done)!r}).touch()
time.sleep(600)
"""
    measure(file, sys.executable, "-c", ORPHAN, "-c", server, "embedded_localstack.server")
    (pid, _ticks), *others = lines(file)[0]["left"]
    assert not others
    try:
        measure(file, "sh", "-c", f"sleep 1; touch {go}; until [ -e {done} ]; do sleep 0.05; done; sleep 1")
    finally:
        subprocess.run(["kill", str(pid)], check=True)
    second = lines(file)[1]
    assert second["kinds"]["emulator"] >= 0.5, "what it used after its first sample"
    assert second["cpu"] < 1.5
    assert second["left"] == []


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        ("/x/eventloom/build/bin/terraform -chdir=/x apply", "terraform"),
        ("/opt/plugins/terraform-provider-aws_v5.100.0_x5", "provider"),
        ("python -m embedded_localstack.server", "emulator"),
        ("python supervisor.py python -m awslambdaric handler.lambda_handler", "functions"),
        ("python -m pytest -q tests/integration", "pytest"),
        ("python -P -m eventloom deploy", "eventloom"),
        ("/x/site-packages/playwright/driver/node /x/cli.js run-driver", "browser"),
        ("bash scripts/test.sh", "others"),
        ("", "others"),
    ],
)
def test_the_command_line_decides_the_kind_of_a_process(line: str, kind: str) -> None:
    assert measured.kind(line.split(" ")) == kind


def test_the_program_is_known_if_the_command_line_is_one_argument() -> None:
    assert measured.kind(["/usr/lib/chromium/chromium --type=renderer --database=/x/Crash Reports", ""]) == "browser"


def step(name: str, cpu: float, **kinds: float) -> dict[str, Any]:
    return {"name": name, "code": 0, "seconds": cpu / 2, "cpu": cpu, "kinds": kinds, "left": []}


def test_the_table_begins_with_the_most_expensive_step_and_keeps_what_was_not_measured_again() -> None:
    empty = f"# Title\n{step_times.BEGIN}\nold\n{step_times.END}\nrest\n"
    page = step_times.with_steps(empty, [step("gone", 10), step("unit", 300)])
    page = step_times.with_steps(page, [step("unit", 200, a=150), step("gone", 30) | {"code": 1}])
    assert step_times.recorded(page) == {"unit": ["unit", "200", "100", "a 150"], "gone": ["gone", "10", "5", ""]}
    assert list(step_times.recorded(page)) == ["unit", "gone"]
    assert page.startswith(f"# Title\n{step_times.BEGIN}\n")
    assert page.endswith(f"{step_times.END}\nrest\n")


def test_the_table_in_the_docs_can_be_recorded_again() -> None:
    page = step_times.PAGE.read_text()
    assert "integration" in step_times.recorded(page)
    assert step_times.with_steps(page, []) == page


def test_the_steps_of_all_lanes_are_printed_with_their_kinds(tmp_path: Path) -> None:
    (tmp_path / "cloud.jsonl").write_text(json.dumps(step("integration", 400, emulator=200.4, others=0.2)) + "\n")
    (tmp_path / "checks.jsonl").write_text("".join(json.dumps(step(name, 5)) + "\n" for name in ("lint", "docs")))
    printed = step_times.text(step_times.steps(tmp_path)).splitlines()
    assert [line.split()[0] for line in printed] == ["step", "integration", "lint", "docs"]
    assert printed[1].split()[1:] == ["200", "400", "emulator", "200"]
