"""Support AssociateKmsKey and DisassociateKmsKey for log groups. LocalStack lacks both operations.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_AssociateKmsKey.html
"""
# mypy: disable-error-code="import-not-found"

from typing import Any


def install() -> None:
    """Add the two operations to the provider of CloudWatch Logs."""
    from localstack.aws.api.logs import ResourceNotFoundException  # noqa: PLC0415 - only a running server has it
    from localstack.services.logs.models import get_moto_logs_backend  # noqa: PLC0415
    from localstack.services.logs.provider import LogsProvider  # noqa: PLC0415
    from localstack.utils.patch import Patch  # noqa: PLC0415

    def set_key(context: Any, log_group_name: str | None, resource_identifier: str | None, key: str | None) -> None:
        name = log_group_name or group_name(resource_identifier or "")
        group = get_moto_logs_backend(context.account_id, context.region).groups.get(name)
        if not group:
            raise ResourceNotFoundException("The specified log group does not exist.")
        group.kms_key_id = key

    def associate_kms_key(
        _self: Any,
        context: Any,
        kms_key_id: str,
        log_group_name: str | None = None,
        resource_identifier: str | None = None,
        **_options: Any,
    ) -> None:
        set_key(context, log_group_name, resource_identifier, kms_key_id)

    def disassociate_kms_key(
        _self: Any,
        context: Any,
        log_group_name: str | None = None,
        resource_identifier: str | None = None,
        **_options: Any,
    ) -> None:
        set_key(context, log_group_name, resource_identifier, None)

    Patch(LogsProvider, "associate_kms_key", associate_kms_key).apply()
    Patch(LogsProvider, "disassociate_kms_key", disassociate_kms_key).apply()


def group_name(resource_identifier: str) -> str:
    """Return the name of a log group from its ARN, such as arn:aws:logs:us-east-1:000000000000:log-group:NAME."""
    return resource_identifier.partition(":log-group:")[2].removesuffix(":*")
