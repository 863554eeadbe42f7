"""Run Terraform so that an interruption never loses its state.

After SIGINT Terraform waits for the requests in flight and writes its state. So Ctrl-C, SIGTERM
and SIGHUP are forwarded to it as one SIGINT each, and this process waits for it to end. A second Ctrl-C makes Terraform
stop at once.
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
# The subcommands that print colours, and have -no-color
_COLORED = {"apply", "destroy", "import", "init", "output", "plan", "show", "taint"}
_LOCKED = "Error acquiring the state lock"
_LOCK_FIELDS = re.compile(r"^\W*(ID|Who|Operation|Created):\s+(.+?)\W*$", re.MULTILINE)

type OnLine = Callable[[str], None]


class Interrupted(KeyboardInterrupt):
    """Terraform ended after an interruption. Its state is saved and its lock is released."""


@dataclass(frozen=True)
class Terraform:
    """Terraform in one folder, in the chosen cloud. `data` is the folder that `init` writes to."""

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
            arguments: the subcommand first. workspace: a command that changes an environment names its workspace,
            because another run may have selected another one. on_line: gets each line of the output as it comes. codes:
            exit codes that are not failures.

        Raises:
            UserError: Terraform failed; its output is on stderr, unless `on_line` has shown it.
            Interrupted: somebody interrupted it.
        """
        environment = chosen_cloud().environment() | {"TF_DATA_DIR": str(self.data)}
        environment.pop("TF_WORKSPACE", None)
        if workspace:
            environment["TF_WORKSPACE"] = workspace
        subcommand, *options = arguments
        color = ["-no-color"] if subcommand in _COLORED and "-json" not in options and not terminal.has_color() else []
        command = [executable(), f"-chdir={self.folder}", subcommand, *color, *options]
        # Plans, and the state that Terraform saves here if S3 refuses it, hold secrets. `init` writes none.
        umask = -1 if subcommand == "init" else 0o077
        code, output = _run(command, environment, on_line, umask)
        if code not in codes:
            if on_line is None:
                print(output, end="", file=sys.stderr)
            raise UserError(_failure(subcommand, workspace, output))
        return code, output


def executable() -> str:
    """Return the Terraform to run: the one that TERRAFORM names, or the one that bootstrap.sh found or fetched."""
    return os.environ.get("TERRAFORM") or str(BUILD / "bin" / "terraform")


def root_module() -> Terraform:
    """Return Terraform for terraform/.

    Each cloud has its own data folder, so that clouds never share a backend.
    """
    return Terraform(ROOT_MODULE, BUILD / "terraform" / chosen_cloud().key)


def show(line: str) -> None:
    """Print a line of Terraform's output unchanged."""
    sys.stdout.write(line)
    sys.stdout.flush()


def _failure(subcommand: str, workspace: str | None, output: str) -> str:
    """Return the sentence for a failure; a locked state gets the command that shows and removes the lock."""
    if _LOCKED not in output:
        return f"terraform {subcommand} failed; its messages are above"
    fields = dict(_LOCK_FIELDS.findall(output.replace("\\n", "\n")))
    holder = f" by {fields['Who']} since {fields.get('Created', 'an unknown time')}" if "Who" in fields else ""
    environment = f" --env {workspace}" if workspace and workspace != "local" else ""
    return f"the state is locked{holder}; ./eventloom unlock{environment} shows the lock and removes it"


def _run(command: list[str], environment: dict[str, str], on_line: OnLine | None, umask: int = -1) -> tuple[int, str]:
    """Run a command to its end, even if this process is interrupted. Returns its exit code and output.

    `umask` takes permissions away from the files that it creates; -1 keeps this process's.

    Raises Interrupted.
    """
    lines: list[str] = []
    # A separate process group: the terminal's SIGINT reaches Terraform once, through this process.
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
    """Forward interruptions to a process as SIGINT; yields the list of signals received so far."""
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
