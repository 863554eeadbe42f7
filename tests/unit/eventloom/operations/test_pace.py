"""A damaged checkpoint is an error, and a job runs once at a time."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from eventloom.clouds import ROOT
from eventloom.errors import UserError
from eventloom.operations.pace import Checkpoint, locked


@pytest.mark.parametrize("content", ["", '{"place": {"aft', "[1]", "null"])
def test_a_damaged_checkpoint_says_how_to_continue(content: str, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(content)
    with pytest.raises(UserError, match=r"c\.json.*--restart starts from the beginning"):
        Checkpoint(tmp_path / "c.json").load()


def test_a_job_runs_once_at_a_time_and_a_killed_process_releases_it(tmp_path: Path) -> None:
    path = tmp_path / "operations" / "job.json"
    code = "import pathlib, sys, time; from eventloom.operations.pace import locked\n"
    code += "with locked(pathlib.Path(sys.argv[1])): print(1, flush=True); time.sleep(60)"
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE, env=environment) as other:
        assert other.stdout
        assert other.stdout.readline() == b"1\n"
        with pytest.raises(UserError, match="the same command is running"), locked(path):
            pass
        other.send_signal(signal.SIGKILL)
    with locked(path):
        pass
