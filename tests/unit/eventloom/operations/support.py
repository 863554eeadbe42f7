"""Run the commands of an operator as a person types them, with the clients of a test."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from eventloom.cli import main
from eventloom.operations.target import Target

RUNNER = CliRunner(env={"CLOUD": "embedded", "EVENTLOOM_ENV": None})


def make_target(folder: Path, outputs: dict[str, Any], client: Callable[[str], Any], **options: Any) -> Target:
    """Return a target whose commands never wait for AWS."""
    waits = {"receive_wait_s": 0, "poll_s": 0, "patience_s": 0}
    return Target("local", outputs, "embedded", client, folder / "operations", **(waits | options))


def run(target: Target | None, *arguments: str, answer: str | None = None) -> Result:
    """Run ./eventloom with these arguments. `answer` is what the person types."""
    return RUNNER.invoke(main, arguments, obj=target, input=answer, catch_exceptions=False)


def json_lines(result: Result) -> list[dict[str, Any]]:
    """Return the JSON objects on stdout."""
    return [json.loads(line) for line in result.stdout.splitlines()]


class Override:
    """A client with some operations replaced."""

    def __init__(self, client: Any, **operations: Callable[..., Any]) -> None:
        self._client = client
        self._operations = operations

    def __getattr__(self, name: str) -> Any:
        return self._operations.get(name) or getattr(self._client, name)


def fail_with(error: BaseException) -> Callable[..., Any]:
    """Return an operation that raises an error."""

    def operation(**_: Any) -> None:
        raise error

    return operation
