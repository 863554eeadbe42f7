"""moto's ECR as LocalStack's provider of `ecr` (entry point in pyproject.toml): repositories, without a registry.

Tools ask for repositories although a project has no images: the Serverless Framework when it removes a service. Images
cannot be pushed, because nothing here answers Docker's protocol, and functions are zip files only.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from typing import Any

from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import Service, aws_provider


@aws_provider(api="ecr")
def ecr() -> Any:
    """Return the service, whose operations are all moto's."""

    def forward(context: Any, _request: Any) -> Any:
        return call_moto(context)

    api = load_service("ecr")
    return Service("ecr", skeleton=Skeleton(api, dict.fromkeys(api.operation_names, forward)))
