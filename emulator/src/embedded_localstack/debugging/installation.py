"""Make LocalStack send all events of a debugged function to one environment.

LocalStack gets the environment of each invocation from a "provisioner", so that an extension can debug functions. Its
community edition has no provisioner.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator, misc"

from collections.abc import Callable
from typing import Any

from embedded_localstack.debugging import route, visibility
from embedded_localstack.debugging.sessions import Sessions

NO_LIMIT_SECONDS = 24 * 60 * 60


def install() -> None:
    """Handle the requests that start and end debugging, and send events to the debugged environments."""
    from localstack.aws.connect import InternalClientFactory  # noqa: PLC0415 - only a running server has it
    from localstack.services.lambda_ import ldm  # noqa: PLC0415
    from localstack.services.lambda_.invocation.version_manager import LambdaVersionManager  # noqa: PLC0415
    from localstack.utils.patch import patch  # noqa: PLC0415

    from embedded_localstack.debugging.environments import debugged  # noqa: PLC0415

    sessions = Sessions()
    # Event source mappings wait this long for a response. LocalStack's own debugging uses the same settings.
    ldm.IS_LDM_ENABLED, ldm.DEFAULT_LDM_TIMEOUT_SECONDS = True, NO_LIMIT_SECONDS

    @patch(LambdaVersionManager.__init__)
    def __init__(original: Callable[..., None], self: Any, *arguments: Any, **more: Any) -> None:
        original(self, *arguments, **more)
        self.ldm_provisioner = Provisioner(sessions, self)

    @patch(InternalClientFactory.get_client)
    def get_client(original: Callable[..., Any], self: Any, service_name: str, *arguments: Any, **more: Any) -> Any:
        if service_name == "lambda" and not more.get("config"):
            more["config"] = patient()
        return original(self, service_name, *arguments, **more)

    visibility.install(sessions)
    route.install(sessions, lambda session, version: debugged(manager_of(version), session))


def patient() -> Any:
    """Return the settings of a client that waits for a function and never retries."""
    from botocore.config import Config  # noqa: PLC0415 - as above

    return Config(read_timeout=NO_LIMIT_SECONDS, retries={"total_max_attempts": 1}, tcp_keepalive=True)


class Provisioner:
    """The provisioner of one function version. LocalStack calls it before each invocation of the version."""

    def __init__(self, sessions: Sessions, manager: Any) -> None:
        self._sessions, self._manager = sessions, manager

    def get_execution_environment(self, qualified_lambda_arn: str, user_agent: str | None) -> Any:  # noqa: ARG002
        """Reserve and return the debugged environment, or return None for a normal one."""
        session = self._sessions.get(function_of(qualified_lambda_arn))
        environment = session.take(qualified_lambda_arn) if session else None
        if environment:
            environment.reserve()  # type: ignore[attr-defined]
        return environment


def function_of(version: str) -> str:
    """Return the ARN of the function to which a version's ARN belongs."""
    return ":".join(version.split(":")[:7])


def manager_of(version: str) -> Any:
    """Return LocalStack's manager of a version. Raises ValueError if there is no such version."""
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415 - only a running server has it

    return SERVICE_PLUGINS.get_service("lambda")._provider.lambda_service.get_lambda_version_manager(version)
