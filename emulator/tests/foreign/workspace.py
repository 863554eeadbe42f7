"""Run a project in a copy, with a home folder and the environment variables that a user of the emulator sets."""

import json
import os
import re
import subprocess
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from embedded_localstack.testing import LocalStackProcess
from foreign.tools import Tools

COMMAND_SECONDS = 420
# Turn off usage reports, because the tools would wait for addresses that cannot be reached.
QUIET = {
    "CDK_DISABLE_CLI_TELEMETRY": "1",
    "CHECKPOINT_DISABLE": "1",
    "SAM_CLI_TELEMETRY": "0",
    "SLS_NOTIFICATIONS_MODE": "off",
    "SLS_TELEMETRY_DISABLED": "1",
    "TF_IN_AUTOMATION": "1",
}


class CommandError(Exception):
    """Raised if a project's command failed. The text has the command and the lines of output that say why."""


@dataclass
class Workspace:
    """A folder for one project, and the cloud that it is deployed to."""

    folder: Path
    cloud: LocalStackProcess
    tools: Tools
    projects: Path | None
    facts: dict[str, str] = field(default_factory=dict)
    """What the table says of the project beside its result: `tool`, `changed`."""
    typed: list[str] = field(default_factory=list)
    """The commands that were run, as a user types them."""

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """Return a client with the deployer's credentials and the server's URL. For S3, it uses path-style URLs."""
        return self.cloud.get_client(service, region_name=region)

    def run(self, *command: str | Path, cwd: Path, path: Path | None = None, **variables: str) -> str:
        """Run a command of the project, and return what it prints.

        Args:
            command: the command and its arguments.
            cwd: the project's folder.
            path: a folder that comes first on the PATH.
            variables: environment variables in addition to the cloud's.

        Raises:
            CommandError: the command failed, or took too long.
        """
        self.typed.append(" ".join([Path(command[0]).name, *map(str, command[1:])]))
        home = self.folder / "home"
        (home / ".aws").mkdir(parents=True, exist_ok=True)
        (home / ".aws" / "config").write_text("[default]\nregion = us-east-1\n")
        (home / ".aws" / "credentials").write_text(
            "[default]\naws_access_key_id = test\naws_secret_access_key = test\n"
        )
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        environment = {**inherited, **self.cloud.variables(), **QUIET, "HOME": str(home), "CI": "1", **variables}
        if path:
            environment["PATH"] = f"{path}:{environment['PATH']}"
        done = subprocess.Popen(
            [str(part) for part in command],
            **{"cwd": cwd, "env": environment, "text": True, "stdin": subprocess.DEVNULL},
            **{"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "start_new_session": True},
        )
        try:
            output, _ = done.communicate(timeout=COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(done.pid, 9)
            output, _ = done.communicate()
            raise CommandError(f"{shown(command)} took more than {COMMAND_SECONDS} s\n{output}") from None
        if done.returncode:
            raise CommandError(f"{shown(command)}: {reason(output)}\n{output}")
        return str(output)

    def version(self, name: str, *command: str | Path, word: int = -1) -> None:
        """Record a tool and its version, which is a word in the first line of the command's output."""
        line = next(filter(None, self.run(*command, cwd=self.folder).splitlines()))
        number = line.split(" (")[0].split()[word].strip("v,")
        self.facts["tool"] = f"{name} {number}"

    def invoke(self, function: str, payload: Any = None, region: str = "us-east-1") -> Any:
        """Invoke a function, and return its answer. A function error is an AssertionError."""
        answer = self.client("lambda", region).invoke(FunctionName=function, Payload=json.dumps(payload or {}))
        content = answer["Payload"].read().decode()
        assert not answer.get("FunctionError"), content
        return json.loads(content)

    def fetch(self, api: str, path: str, body: Any = None) -> Any:
        """Send a request to an API by its host name, and return the answer. With a body, it is a POST of JSON."""
        host = f"{api}.execute-api.localhost.localstack.cloud:{self.cloud.home.port}"
        content = None if body is None else json.dumps(body).encode()
        headers = {"Host": host, "Content-Type": "application/json"}
        request = urllib.request.Request(self.cloud.get_url() + path, content, headers)
        with urllib.request.urlopen(request) as response:
            return json.loads(response.read())


def shown(command: tuple[str | Path, ...]) -> str:
    """Return a command as a user types it, without the folder of its program."""
    return " ".join([Path(command[0]).name, *map(str, command[1:3])])


def reason(output: str) -> str:
    """Return the line of a failed command's output that most likely gives the reason."""
    text = re.sub(r"(\berror:)\s+", r"\1 ", output, flags=re.IGNORECASE)
    lines = [line.strip(" │╷╵") for line in text.splitlines() if line.strip(" │╷╵")]
    said = [line for line in lines if "rror" in line or "FAILED" in line or "not supported" in line]
    return (said or lines or ["no output"])[0][:300]
