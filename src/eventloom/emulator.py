"""Call the embedded LocalStack through its own command line."""

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
# Functions run with the boto3 that scripts/requirements/lambda-runtime.txt pins. LocalStack itself needs an older one.
RUNTIME = {"LAMBDA_PROCESS_PYTHON3_13": str(BUILD / "venv/lambda-runtime/bin/python")}
_PREFIX = "embedded LocalStack: "


@dataclass(frozen=True)
class Emulator:
    """The embedded LocalStack on one port. `home` is the only folder that it writes to."""

    port: int
    home: Path
    python: Path = PYTHON

    def run(self, name: str, *options: str, doing: str) -> str:
        """Run one of its commands to its end, even if this process is interrupted, and return its output.

        Ctrl-C halfway through a start would leave a server that does not answer yet, so the command finishes first.

        Raises:
            UserError: the command failed; the text is its message.
        """
        with terminal.stderr.status(doing):
            code, output, errors = self._finish(name, *options)
        if code:
            raise UserError(
                errors.strip().removeprefix(_PREFIX) or f"the embedded LocalStack's command '{name}' failed"
            )
        return output

    def report(self) -> dict[str, Any]:
        """Return the facts that its `status --json` prints, "state" among them.

        Raises:
            UserError: it printed none.
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
        """Run a command in its own process group, so that the terminal's Ctrl-C reaches this process only."""
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
    """Return the embedded LocalStack of this checkout, on the port that --port or EMBEDDED_PORT names."""
    port = chosen_cloud("embedded").port or DEFAULT_PORT
    return Emulator(port, BUILD / ("localstack" if port == DEFAULT_PORT else f"localstack-{port}"))
