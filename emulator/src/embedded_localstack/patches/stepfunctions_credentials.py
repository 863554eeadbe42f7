"""Assume the role in a task's Credentials with the state machine's role. LocalStack uses the service principal.

https://docs.aws.amazon.com/step-functions/latest/dg/concepts-access-cross-acct-resources.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable
from typing import Any


class TaskRole(str):
    """The ARN of the role in a task's Credentials. It also holds the ARN of the state machine's role."""

    __slots__ = ("machine_role",)

    machine_role: str


class Connect:
    """A client factory that assumes a TaskRole with a session of the state machine's role."""

    def __init__(self, original: Any) -> None:
        self._original = original

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)

    def with_assumed_role(self, *, role_arn: str, region_name: str, config: Any, **settings: Any) -> Any:
        """Return the clients of a session of the role."""
        if not isinstance(role_arn, TaskRole):
            return self._original.with_assumed_role(
                role_arn=role_arn, region_name=region_name, config=config, **settings
            )
        machine = self._original.with_assumed_role(
            role_arn=role_arn.machine_role, region_name=region_name, config=config, **settings
        )
        session = machine.get_client("sts").assume_role(RoleArn=str(role_arn), RoleSessionName="StepFunctions")
        keys = session["Credentials"]
        return self._original(
            region_name=region_name,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
            config=config,
        )


def install() -> None:
    """Keep the state machine's role for each task, and create the task's clients with both roles."""
    from localstack.services.stepfunctions.asl.component.state.state_execution.state_task import state_task  # noqa: PLC0415
    from localstack.services.stepfunctions.asl.utils import boto_client  # noqa: PLC0415
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    @patch(state_task.StateTask._eval_state_credentials)
    def credentials(original: Callable[..., Any], self: Any, env: Any) -> Any:
        evaluated = original(self, env)
        if self.credentials:
            role = TaskRole(evaluated.role_arn)
            role.machine_role = env.aws_execution_details.role_arn
            evaluated.role_arn = role
        return evaluated

    Patch(boto_client, "connect_to", Connect(boto_client.connect_to)).apply()
