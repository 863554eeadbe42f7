"""Services of moto as LocalStack's providers (entry points in pyproject.toml). LocalStack Community has none."""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from typing import Any

from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import Service, aws_provider


@aws_provider(api="elbv2")
def elbv2() -> Any:
    """Return Elastic Load Balancing. It shares the process with moto's EC2, so it knows subnets and security groups."""
    return _service("elbv2")


@aws_provider(api="cognito-idp")
def cognito_idp() -> Any:
    """Return the user pools of Cognito. iam/user_pools.py verifies their tokens."""
    return _service("cognito-idp")


@aws_provider(api="ecr")
def ecr() -> Any:
    """Return ECR's repositories. Images cannot be pushed: nothing here answers Docker's protocol.

    Tools ask for repositories although a project has no images: the Serverless Framework when it removes a service.
    """
    return _service("ecr")


@aws_provider(api="organizations")
def organizations() -> Any:
    """Return AWS Organizations. The account is in none until one is created, as a new account of AWS is."""
    return _service("organizations")


def _service(name: str) -> Any:
    def forward(context: Any, _request: Any) -> Any:
        return call_moto(context)

    api = load_service(name)
    return Service(name, skeleton=Skeleton(api, dict.fromkeys(api.operation_names, forward)))
