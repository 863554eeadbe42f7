"""Name the missing service or operation in the error message, and suggest what to use instead.

LocalStack requests a catalog from its vendor's server to find the licence that includes a service, and its message is
about licences. The request would reveal which services a project uses.
"""
# mypy: disable-error-code="import-not-found"

from typing import Any

INSTEAD = {
    "cloudcontrol": "call the operations of the resource's own service",
    "xray": "turn tracing off in this environment",
    "pipes": "connect the source with an event source mapping of Lambda, or with a rule of EventBridge",
}
OTHERWISE = "leave it out of what you deploy here, and test it on AWS"


def install() -> None:
    """Use this message for calls of missing services and operations, and contact no other server.

    The status stays 501.
    """
    from localstack.aws import skeleton  # noqa: PLC0415 - only a running server has it
    from localstack.aws.catalog_exceptions import AwsServiceAvailabilityException  # noqa: PLC0415
    from localstack.aws.handlers import service as handlers  # noqa: PLC0415
    from localstack.aws.spec import load_service  # noqa: PLC0415
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415
    from localstack.utils.catalog.catalog_loader import RemoteCatalogLoader  # noqa: PLC0415
    from localstack.utils.patch import Patch  # noqa: PLC0415

    def no_catalog(_: object) -> None:
        raise OSError("the embedded LocalStack asks no other server")

    def unavailable(service: str, operation: str | None, _status: Any) -> Any:
        missing = None if not SERVICE_PLUGINS.exists(service) else operation
        title = str(load_service(service).metadata["serviceFullName"])
        return AwsServiceAvailabilityException(message(service, title, missing), error_code=4)

    Patch(RemoteCatalogLoader, "get_remote_catalog", no_catalog).apply()
    for module in (handlers, skeleton):  # the modules that handle a missing service and a missing operation
        Patch(module, "get_service_availability_exception", unavailable).apply()


def message(service: str, title: str, operation: str | None) -> str:
    """Return the message about a service, or about one operation of it.

    Args:
        service: LocalStack's name of the service, such as "pipes".
        title: AWS's name of the service, such as "Amazon EventBridge Pipes".
        operation: the operation that is missing; None if the whole service is.
    """
    missing = f"{title} has no operation {operation} here" if operation else f"{title} is not there"
    return f"{missing}: the embedded LocalStack cannot emulate it; {INSTEAD.get(service, OTHERWISE)}"
