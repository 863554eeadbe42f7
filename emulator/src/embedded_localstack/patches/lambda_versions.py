"""Delete and update functions that never started.

LocalStack answers 500 for a version that it could not start, for example because its code cannot be unpacked.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable
from typing import Any


def install() -> None:
    """Let both operations work for a version that does not run."""
    from localstack.services.lambda_ import hooks  # noqa: PLC0415 - only a running server has it
    from localstack.services.lambda_.invocation.lambda_service import LambdaService  # noqa: PLC0415
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(LambdaService.stop_version)
    def stop_version(original: Callable[..., None], self: Any, qualified_arn: str) -> None:
        if qualified_arn in self.lambda_running_versions or qualified_arn in self.lambda_starting_versions:
            original(self, qualified_arn)
        else:
            hooks.delete_function_version.run(qualified_arn)

    @patch(LambdaService.update_version)
    def update_version(original: Callable[..., Any], self: Any, new_version: Any) -> Any:
        if new_version.qualified_arn in self.lambda_running_versions:
            return original(self, new_version)
        return self.create_function_version(function_version=new_version)
