"""Say what is not here. LocalStack asks its maker's server which licence has a service, and names licences.

The question would tell another machine which services a project uses.
"""
# mypy: disable-error-code="import-not-found"

from collections.abc import Collection

HINTS = {
    "sesv2": "Send mail with SES v1 (`ses`)",
    "xray": "Turn tracing off in this environment",
}


def message_of(service: str, operation: str, services: Collection[str]) -> str:
    """Return what a call to a service or an operation that is not here gets as its message."""
    missing = f"{operation} of {service}" if service in services else f"{service} service"
    hint = HINTS.get(service, "Test this call on AWS")
    return f"The embedded LocalStack has no {missing}. {hint}, or see Limits in the README of the emulator."


def install() -> None:
    """Replace the question and the messages."""
    from localstack.aws import catalog_exceptions, skeleton  # noqa: PLC0415 - only a running server has it
    from localstack.aws.handlers import service as handler  # noqa: PLC0415
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415
    from localstack.utils.catalog.catalog_loader import RemoteCatalogLoader  # noqa: PLC0415
    from localstack.utils.patch import Patch  # noqa: PLC0415

    def no_catalog(_: object) -> None:
        raise OSError("the embedded LocalStack asks no other server")

    def exception(service: str, operation: str, _status: object) -> Exception:
        message = message_of(service, operation, SERVICE_PLUGINS.list_available())
        error: Exception = catalog_exceptions.AwsServiceAvailabilityException(message, 4)
        return error

    Patch(RemoteCatalogLoader, "get_remote_catalog", no_catalog).apply()
    for module in (skeleton, handler):
        Patch(module, "get_service_availability_exception", exception).apply()
