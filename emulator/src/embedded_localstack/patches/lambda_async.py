"""Asynchronous invocations of an alias: its own retries, age limit and destinations count.

LocalStack looks for those of the version that the alias points to, so that failures of an alias go nowhere.
"""
# mypy: disable-error-code="import-not-found"

import json
from typing import Any


class Seen:
    """An object with some attributes of its own, the others those of the original."""

    def __init__(self, original: Any, **own: Any) -> None:
        self.__dict__.update(own)
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


def install() -> None:
    """Let the poller see the alias's configuration as that of its version."""
    from localstack.services.lambda_.invocation.event_manager import Poller  # noqa: PLC0415 - only a running server has it

    original = Poller.handle_message

    def handle_message(self: Any, message: dict[str, Any]) -> None:
        manager = self.version_manager
        config = manager.function.event_invoke_configs.get(qualifier(json.loads(message["Body"])["invoked_arn"]))
        if config is None:
            original(self, message)
            return
        function = Seen(manager.function, event_invoke_configs={manager.function_version.id.qualifier: config})
        original(Seen(self, version_manager=Seen(manager, function=function)), message)

    Poller.handle_message = handle_message


def qualifier(arn: str) -> str:
    """What a function's ARN ends in, after its name; empty if nothing."""
    return arn.split(":", 7)[7] if arn.count(":") == 7 else ""
