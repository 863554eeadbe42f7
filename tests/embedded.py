"""Start and stop the embedded LocalStack of this checkout for the tests."""

import os
import subprocess
from pathlib import Path

from eventloom.clouds import BUILD, DEFAULT_PORT
from eventloom.emulator import RUNTIME

LAUNCHER = [str(BUILD / "venv/localstack/bin/python"), "-m", "embedded_localstack"]


def home(port: int | None) -> Path:
    """Return the folder of the server on a port."""
    return BUILD / ("localstack" if port in (None, DEFAULT_PORT) else f"localstack-{port}")


def launch(command: str, port: int | None, *options: str, quiet: bool = False, **environment: str) -> None:
    """Run a command of the emulator with additional environment variables."""
    arguments = [*LAUNCHER, command, "--port", str(port or DEFAULT_PORT), "--home", str(home(port)), *options]
    subprocess.run(arguments, check=True, capture_output=quiet, env=RUNTIME | os.environ | environment)
