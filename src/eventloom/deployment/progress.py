"""Show the progress and the errors of `terraform plan -json` and `terraform apply -json`.

Format of the messages: https://developer.hashicorp.com/terraform/internals/machine-readable-ui
"""

import json
from contextlib import AbstractContextManager
from types import TracebackType
from typing import Any

from rich.status import Status

from eventloom import terminal

# After an interruption Terraform reports this error for each resource that it did not begin to change.
_HALTED = "execution halted"
_DONE = {"apply_complete", "apply_errored"}


class Progress(AbstractContextManager["Progress"]):
    """Shows Terraform's progress on stderr and remembers its summary."""

    def __init__(self, action: str) -> None:
        """Take the word to show for Terraform's action, such as "applying"."""
        self._action = action
        self._done = 0
        self._status = Status(action, console=terminal.stderr)
        self.total = 0
        self.changes: dict[str, int] = {}

    def __enter__(self) -> "Progress":
        """Start the spinner if stderr is a terminal."""
        self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop the spinner."""
        self._status.stop()

    def line(self, line: str) -> None:
        """Process one line of Terraform's output."""
        try:
            message = json.loads(line)
        except ValueError:
            message = None
        if not isinstance(message, dict):  # Terraform crashed, or a provider printed text.
            terminal.note(line.rstrip())
            return
        kind = message.get("type")
        if kind == "change_summary":
            self.changes = {name: count for name, count in message["changes"].items() if isinstance(count, int)}
        elif (
            kind == "diagnostic"
            and message["diagnostic"]["severity"] == "error"
            and message["diagnostic"]["summary"] != _HALTED
        ):
            terminal.stderr.print(_diagnostic(message["diagnostic"]), markup=False, soft_wrap=True, style="red")
        elif kind in _DONE:
            self._done += 1
            total = f" of {self.total}" if self.total else ""
            self._status.update(f"{self._action}: {self._done}{total} resources")

    def summary(self) -> str:
        """Return the changes in words, such as "3 to add, 1 to change" or "no changes"."""
        parts = [f"{count} to {name.replace('remove', 'destroy')}" for name, count in self.changes.items() if count]
        return ", ".join(parts) or "no changes"


def _diagnostic(diagnostic: dict[str, Any]) -> str:
    """Return the text of an error: its summary, the address and place, and the details."""
    place = diagnostic.get("range") or {}
    where = [diagnostic.get("address"), f"{place['filename']} line {place['start']['line']}" if place else None]
    lines = [f"Error: {diagnostic['summary']}", ", ".join(filter(None, where)), diagnostic.get("detail", "")]
    return "\n  ".join(filter(None, lines))
