"""Provide services of moto that LocalStack Community lacks. The entry points are in pyproject.toml."""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from typing import Any

from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import Service, aws_provider


@aws_provider(api="elbv2")
def elbv2() -> Any:
    """Return Elastic Load Balancing. It runs in the process of moto's EC2, so it finds subnets and security groups."""
    return _service("elbv2")


@aws_provider(api="cognito-idp")
def cognito_idp() -> Any:
    """Return the user pools of Cognito. iam/user_pools.py verifies their tokens."""
    return _service("cognito-idp")


@aws_provider(api="ecr")
def ecr() -> Any:
    """Return ECR's repositories. Images cannot be pushed, because Docker's protocol is not implemented.

    Some tools list repositories even for projects without images. The Serverless Framework does so when it removes a
    service.
    """
    return _service("ecr")


@aws_provider(api="organizations")
def organizations() -> Any:
    """Return AWS Organizations. Until one is created, the account belongs to no organization, as on AWS."""
    return _service("organizations")


def _service(name: str) -> Any:
    def forward(context: Any, _request: Any) -> Any:
        return call_moto(context)

    api = load_service(name)
    return Service(name, skeleton=Skeleton(api, dict.fromkeys(api.operation_names, forward)))
