"""moto's ELBv2 as LocalStack's provider of `elbv2` (entry point in pyproject.toml)."""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from typing import Any

from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import Service, aws_provider


@aws_provider(api="elbv2")
def elbv2() -> Any:
    """Return the service, whose operations are all moto's.

    It shares the process with moto's EC2, so it knows subnets and security groups.
    """

    def forward(context: Any, _request: Any) -> Any:
        return call_moto(context)

    api = load_service("elbv2")
    return Service("elbv2", skeleton=Skeleton(api, dict.fromkeys(api.operation_names, forward)))
