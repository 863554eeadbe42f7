"""Read templates directly from their buckets, and refuse templates with unsupported resource types.

LocalStack first reads a template as an anonymous caller, which IAM refuses. iam/dependent.py checks that the caller of
CloudFormation may read the template. With CFN_IGNORE_UNSUPPORTED_RESOURCE_TYPES=0 (settings.py) LocalStack checks the
resource types, but it uses a catalog that it downloads.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlparse

PASSED_OVER = "AWS::CDK::Metadata"
"""The type that LocalStack does not make and that does not fail: CDK's own record."""


def install() -> None:
    """Replace the download of templates, and check resource types against the available resource providers."""
    _read_from_buckets()
    _know_own_resources()


def _read_from_buckets() -> None:
    from localstack.aws.connect import connect_to  # noqa: PLC0415 - only a running server has it
    from localstack.services.cloudformation import api_utils  # noqa: PLC0415
    from localstack.utils.patch import Patch  # noqa: PLC0415

    def read(url: str) -> str:
        # LocalStack converts every URL of an object to one with the path /bucket/key.
        bucket, _, key = urlparse(api_utils.convert_s3_to_local_url(url)).path.lstrip("/").partition("/")
        body: bytes = connect_to().s3.get_object(Bucket=bucket, Key=unquote(key))["Body"].read()
        return body.decode()

    original = api_utils.get_template_body

    def get_template_body(request: dict[str, Any]) -> Any:
        url = request.get("TemplateURL")
        return read(url) if url and not request.get("TemplateBody") else original(request)

    Patch(api_utils, "get_remote_template_body", read).apply()
    Patch(api_utils, "get_template_body", get_template_body).apply()


def _know_own_resources() -> None:
    from localstack.services.cloudformation.engine.v2 import (  # noqa: PLC0415 - only a running server has it
        change_set_model_executor,
        change_set_resource_support_checker,
    )
    from localstack.services.cloudformation.resource_provider import ResourceProviderExecutor  # noqa: PLC0415
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    def is_passed_over(resource_type: str, change_set_type: Any) -> bool:  # noqa: ARG001 - the names are LocalStack's
        return resource_type == PASSED_OVER

    for module in (change_set_model_executor, change_set_resource_support_checker):
        Patch(module, "should_ignore_unsupported_resource_type", is_passed_over).apply()

    @patch(change_set_resource_support_checker.ChangeSetResourceSupportChecker._resource_support_status)
    def status(original: Callable[..., Any], self: Any, resource_type: str) -> Any:
        if ResourceProviderExecutor.try_load_resource_provider(resource_type):
            return change_set_resource_support_checker.CloudFormationResourcesSupportAtRuntime.AVAILABLE
        return original(self, resource_type)
