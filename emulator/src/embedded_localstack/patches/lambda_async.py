"""Use the retries, age limit and destinations of an alias for its asynchronous invocations.

LocalStack uses the configuration of the version that the alias points to, so failures are lost.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import json
from collections.abc import Callable
from typing import Any


class Seen:
    """A view of an object in which some attributes are replaced."""

    def __init__(self, original: Any, **replaced: Any) -> None:
        self.__dict__.update(replaced)
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


def install() -> None:
    """Let the poller use the invoked alias's configuration in place of the version's."""
    from localstack.services.lambda_.invocation.event_manager import Poller  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(Poller.handle_message)
    def handle_message(original: Callable[..., None], self: Any, message: dict[str, Any]) -> None:
        manager = self.version_manager
        config = manager.function.event_invoke_configs.get(qualifier(json.loads(message["Body"])["invoked_arn"]))
        if config is None:
            original(self, message)
            return
        function = Seen(manager.function, event_invoke_configs={manager.function_version.id.qualifier: config})
        original(Seen(self, version_manager=Seen(manager, function=function)), message)


def qualifier(arn: str) -> str:
    """Return the version or alias in a function's ARN, or an empty string."""
    return arn.split(":", 7)[7] if arn.count(":") == 7 else ""
