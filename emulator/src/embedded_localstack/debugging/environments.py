"""Define the execution environment of a debugged function for LocalStack.

Only a running server can import this module, because the base class belongs to LocalStack.
"""
# mypy: disable-error-code="import-not-found, misc"

from typing import Any

from localstack.services.lambda_.invocation.execution_environment import ExecutionEnvironment
from localstack.services.lambda_.invocation.lambda_models import InitializationType

from embedded_localstack.debugging.sessions import Session

WEEK_SECONDS = 7 * 24 * 60 * 60


class DebuggedEnvironment(ExecutionEnvironment):
    """An environment that waits for its debugger and has no timeout."""

    session: Session

    @property
    def version(self) -> str:
        """Return the ARN of the version that this environment runs."""
        return str(self.function_version.qualified_arn)

    def stop(self) -> None:
        """End the processes in any state of the environment."""
        self.keepalive_timer.cancel()
        self.runtime_executor.stop()

    def is_usable(self) -> bool:
        """Return whether the function is loaded and its process runs."""
        return bool(self.runtime_executor.is_running)

    def processes(self) -> list[int]:
        """Return the ids of the function's processes."""
        return list(self.runtime_executor.processes)

    def invoke(self, invocation: Any) -> Any:
        """Run the function on an event."""
        self.session.event = invocation.request_id
        return super().invoke(invocation)

    def release(self) -> None:
        """Make the environment available to the next event."""
        super().release()
        self.keepalive_timer.cancel()
        self.session.give()

    def keepalive_passed(self) -> None:
        """Keep an idle environment instead of stopping it."""

    def _get_startup_timeout_seconds(self) -> int:
        return WEEK_SECONDS


def debugged(manager: Any, session: Session) -> DebuggedEnvironment:
    """Return a new environment of a version. The caller starts it."""
    environment = DebuggedEnvironment(
        function_version=manager.function_version,
        initialization_type=InitializationType.on_demand,
        on_timeout=lambda *_: None,
        version_manager_id=manager.id,
    )
    environment.session = session
    environment.runtime_executor.debugger = session.debugger
    return environment
