"""The commands that README and docs tell users to type, typed: `make ...` against what is deployed."""

import os
import subprocess
from pathlib import Path

import pytest
from photos import photo
from support import Deployment

import clouds

# Each is typed as it stands; the first word is what the documentation's table of commands refers to.
COMMANDS = {
    "help": ("", "Start here"),
    "build": ("NAMES=digest", "digest: unchanged"),
    "status": ("", "runs on"),
    "thumbnail": ("FILE={photo}", '"READY"'),
    "upload": ("FILE={photo}", "READY"),
    "invoke": ("FN=digest EVENT=manual", ""),
    "logs": ("FN=thumbnailer", "done"),
    "watch": ("ONCE=1", "uploads-dlq"),
    "report": ("MINUTES=10", "report.html"),
}
NEEDS = {"status": pytest.mark.needs("launcher")}


@pytest.mark.parametrize("target", [pytest.param(name, marks=NEEDS.get(name, [])) for name in COMMANDS])
def test_make(target: str, deployment: Deployment, tmp_path: Path) -> None:
    options, expected = COMMANDS[target]
    file = tmp_path / "photo.jpg"
    file.write_bytes(photo())
    command = ["make", target, *options.format(photo=file).split()]
    environment = os.environ | {"LANE": clouds.lane().name, "NO_COLOR": "1"}
    done = subprocess.run(command, cwd=clouds.ROOT, env=environment, check=False, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert expected in done.stdout
