"""Control the embedded LocalStack through its command line."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from eventloom import terminal
from eventloom.clouds import BUILD, DEFAULT_PORT, chosen_cloud
from eventloom.errors import UserError

PYTHON = BUILD / "venv/localstack/bin/python"
# Functions use the boto3 version in scripts/requirements/lambda-runtime.txt. LocalStack itself needs an older version.
RUNTIME = {"LAMBDA_PROCESS_PYTHON3_13": str(BUILD / "venv/lambda-runtime/bin/python")}
_PREFIX = "embedded LocalStack: "


@dataclass(frozen=True)
class Emulator:
    """The embedded LocalStack on one port. `home` is the only folder that it writes to."""

    port: int
    home: Path
    python: Path = PYTHON

    def run(self, name: str, *options: str, doing: str) -> str:
        """Run a command of the emulator until it ends, even if this process is interrupted, and return its output.

        If Ctrl-C ended a start, a server could remain that does not respond yet. So the command finishes first.

        Raises:
            UserError: the command failed. The text is the command's error message.
        """
        with terminal.stderr.status(doing):
            code, output, errors = self._finish(name, *options)
        if code:
            raise UserError(
                errors.strip().removeprefix(_PREFIX) or f"the embedded LocalStack's command '{name}' failed"
            )
        return output

    def report(self) -> dict[str, Any]:
        """Return the JSON that the emulator's command `status --json` prints, which includes "state".

        Raises:
            UserError: the command printed no JSON.
        """
        _, output, errors = self._finish("status", "--json")
        try:
            facts: dict[str, Any] = json.loads(output)
        except ValueError:
            raise UserError(
                f"the embedded LocalStack does not say how it is: {errors.strip() or output.strip()}"
            ) from None
        return facts

    def _finish(self, name: str, *options: str) -> tuple[int, str, str]:
        """Run a command in a separate process group, so that Ctrl-C in the terminal does not interrupt it."""
        command = [
            str(self.python),
            "-P",
            "-m",
            "embedded_localstack",
            name,
            "--port",
            str(self.port),
            "--home",
            str(self.home),
            *options,
        ]
        with subprocess.Popen(
            command,
            env=RUNTIME | os.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            process_group=0,
        ) as process:
            try:
                output, errors = process.communicate()
            except KeyboardInterrupt:
                terminal.note(f"interrupted: the embedded LocalStack's command '{name}' finishes first")
                process.communicate()
                raise
        return process.returncode, output, errors


def embedded() -> Emulator:
    """Return the embedded LocalStack of this checkout, on the port of --port or EMBEDDED_PORT."""
    port = chosen_cloud("embedded").port or DEFAULT_PORT
    return Emulator(port, BUILD / ("localstack" if port == DEFAULT_PORT else f"localstack-{port}"))
