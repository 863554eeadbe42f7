"""Type the commands of a page's section in the page's order, with real values instead of placeholders."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from eventloom import clouds
from eventloom.clouds import BUILD, ROOT
from tests import documented
from tests.documented import COMMAND, Documented

AWS_CLI = BUILD / "venv" / "aws-cli" / "bin"


@dataclass
class Procedure:
    """A section's commands that are not typed yet, in order. `launcher` replaces ./eventloom."""

    commands: list[str]
    launcher: str

    def type(self, beginning: str, **placeholders: str) -> Any:
        """Type the next command, and return its JSON output, or its text if it is not JSON.

        Fails if the next command does not begin with `beginning`, lacks a placeholder, or fails.
        """
        command = self.commands.pop(0)
        assert command.startswith(beginning), f"the page has {command!r} where the test types {beginning!r}"
        for placeholder, value in placeholders.items():
            assert placeholder in command, f"{command!r} has no {placeholder}"
            command = command.replace(placeholder, value)
        command = documented.on_local(command).replace(COMMAND, self.launcher)
        variables = clouds.chosen_cloud().environment()
        variables |= {"PATH": f"{AWS_CLI}{os.pathsep}{variables['PATH']}", "AWS_PAGER": ""}
        process = subprocess.run(
            ["bash", "-c", command], cwd=ROOT, env=variables, check=False, capture_output=True, text=True
        )
        assert process.returncode == 0, f"{command}\n{process.stdout}{process.stderr}"
        try:
            return json.loads(process.stdout)
        except ValueError:
            return process.stdout

    def leave_out(self, beginning: str) -> None:
        """Leave out the next command. Another test types it, which tests/elsewhere.py names."""
        command = self.commands.pop(0)
        assert command.startswith(beginning), command
        assert Documented(command, "").elsewhere, f"no test types {command!r}"


@contextmanager
def procedure(page: str, heading: str, launcher: str = COMMAND) -> Iterator[Procedure]:
    """Yield the aws and ./eventloom commands in a section of a page. Fail at the end if some were not typed."""
    section = documented.sections((ROOT / page).read_text(encoding="utf-8"))[heading]
    steps = Procedure([text for text in documented.of_page(section) if text.split()[0] in {"aws", COMMAND}], launcher)
    yield steps
    assert not steps.commands, f"{page}, {heading}: nothing types {steps.commands}"
