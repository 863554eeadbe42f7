"""Run Terraform so that an interruption never loses its state.

After SIGINT Terraform waits for the requests in progress and writes its state. So this process forwards each Ctrl-C,
SIGTERM and SIGHUP as a SIGINT, and waits until Terraform ends. A second Ctrl-C makes Terraform stop at once.
"""

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from eventloom import terminal
from eventloom.clouds import BUILD, ROOT, chosen_cloud
from eventloom.errors import UserError

ROOT_MODULE = ROOT / "terraform"
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# The subcommands that accept -no-color
_COLORED = {"apply", "destroy", "import", "init", "output", "plan", "show", "taint"}
_LOCKED = "Error acquiring the state lock"
_LOCK_FIELDS = re.compile(r"^\W*(ID|Who|Operation|Created):\s+(.+?)\W*$", re.MULTILINE)

type OnLine = Callable[[str], None]


class Interrupted(KeyboardInterrupt):
    """Raised when Terraform ended after an interruption. Its state is saved and its lock is released."""


@dataclass(frozen=True)
class Terraform:
    """The terraform command for one root module in the chosen cloud.

    Attributes:
        folder: the root module. data: the folder that `terraform init` writes to (TF_DATA_DIR).
    """

    folder: Path
    data: Path

    def __call__(self, *arguments: str, workspace: str | None = None, on_line: OnLine | None = None) -> str:
        """Run Terraform and return its output. Arguments and errors are those of `run`."""
        return self.run(*arguments, workspace=workspace, on_line=on_line)[1]

    def run(
        self,
        *arguments: str,
        workspace: str | None = None,
        on_line: OnLine | None = None,
        codes: tuple[int, ...] = (0,),
    ) -> tuple[int, str]:
        """Run Terraform and return its exit code and its output, stdout and stderr together.

        Args:
            arguments: the subcommand and its options. workspace: the workspace to use (TF_WORKSPACE), because a
            parallel run may select another one. on_line: receives each line of the output as soon as it is printed.
            codes: exit codes that are not failures.

        Raises:
            UserError: Terraform failed. Its output is printed to stderr, unless `on_line` received it.
            Interrupted: a signal interrupted Terraform.
        """
        environment = chosen_cloud().environment() | {"TF_DATA_DIR": str(self.data)}
        environment.pop("TF_WORKSPACE", None)
        if workspace:
            environment["TF_WORKSPACE"] = workspace
        subcommand, *options = arguments
        color = ["-no-color"] if subcommand in _COLORED and "-json" not in options and not terminal.has_color() else []
        command = [executable(), f"-chdir={self.folder}", subcommand, *color, *options]
        # Plans contain secrets, and so does the state file that Terraform writes here if the upload to S3 fails. Only
        # the owner may read them. `init` writes no secrets.
        umask = -1 if subcommand == "init" else 0o077
        code, output = _run(command, environment, on_line, umask)
        if code not in codes:
            if on_line is None:
                print(output, end="", file=sys.stderr)
            raise UserError(_failure(subcommand, workspace, output))
        return code, output


def executable() -> str:
    """Return the path of the Terraform executable: $TERRAFORM, or the one that bootstrap.sh found or downloaded."""
    return os.environ.get("TERRAFORM") or str(BUILD / "bin" / "terraform")


def root_module() -> Terraform:
    """Return Terraform for the root module terraform/.

    Each cloud has a separate data folder, so that clouds never share a backend.
    """
    return Terraform(ROOT_MODULE, BUILD / "terraform" / chosen_cloud().key)


def show(line: str) -> None:
    """Print a line of Terraform's output unchanged."""
    sys.stdout.write(line)
    sys.stdout.flush()


def _failure(subcommand: str, workspace: str | None, output: str) -> str:
    """Return the error message for a failure. For a locked state it includes the command that removes the lock."""
    if _LOCKED not in output:
        return f"terraform {subcommand} failed; its messages are above"
    fields = dict(_LOCK_FIELDS.findall(output.replace("\\n", "\n")))
    holder = f" by {fields['Who']} since {fields.get('Created', 'an unknown time')}" if "Who" in fields else ""
    environment = f" --env {workspace}" if workspace and workspace != "local" else ""
    return f"the state is locked{holder}; ./eventloom unlock{environment} shows the lock and removes it"


def _run(command: list[str], environment: dict[str, str], on_line: OnLine | None, umask: int = -1) -> tuple[int, str]:
    """Run a command until it ends, even if this process is interrupted. Returns its exit code and output.

    `umask` is the umask of the command; -1 keeps that of this process.

    Raises Interrupted if a signal was forwarded to the command.
    """
    lines: list[str] = []
    # In a separate process group Terraform gets each Ctrl-C once, from this process and not also from the terminal.
    with (
        subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            process_group=0,
            umask=umask,
        ) as process,
        _forwarded_signals(process) as received,
    ):
        for line in process.stdout or ():
            lines.append(line)
            if on_line:
                on_line(line)
        process.wait()
    if received:
        raise Interrupted
    return process.returncode, "".join(lines)


@contextmanager
def _forwarded_signals(process: subprocess.Popen[str]) -> Iterator[list[int]]:
    """Forward interruptions to a process as SIGINT. Yields a list to which each received signal is added."""
    received: list[int] = []

    def forward(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        about = (
            "Terraform finishes its requests and saves its state" if len(received) == 1 else "Terraform stops at once"
        )
        terminal.note(f"interrupted: {about}")
        process.send_signal(signal.SIGINT)

    if threading.current_thread() is not threading.main_thread():  # Only the main thread may set handlers.
        yield received
        return
    handlers = {number: signal.signal(number, forward) for number in _SIGNALS}
    try:
        yield received
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
