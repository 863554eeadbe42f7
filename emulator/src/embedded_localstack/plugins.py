"""Define the hooks that LocalStack calls when it starts. The entry points are in pyproject.toml."""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import os
from functools import partial
from importlib import import_module, metadata

from localstack.runtime import hooks

from embedded_localstack import garbage, later
from embedded_localstack.settings import iam_enforced
from embedded_localstack.state import Home

PATCHES = (
    "embedded_localstack.patches.moto_backends",
    "embedded_localstack.patches.no_downloads",
    "embedded_localstack.patches.missing_operations",
    "embedded_localstack.patches.request_bodies",
    "embedded_localstack.patches.dynamodb_records",
    "embedded_localstack.patches.s3_hostname",
    "embedded_localstack.patches.s3_temporary_folder",
    "embedded_localstack.patches.s3_events",
    "embedded_localstack.patches.kinesis_changes",
    "embedded_localstack.patches.lambda_event_sources",
    "embedded_localstack.patches.cloudwatch_alarms",
    "embedded_localstack.patches.cloudwatch_metrics",
    "embedded_localstack.patches.lambda_aliases",
    "embedded_localstack.patches.api_gateway",
    "embedded_localstack.patches.eventbridge_archives",
    "embedded_localstack.patches.eventbridge_targets",
    "embedded_localstack.patches.lambda_async",
    "embedded_localstack.patches.lambda_dead_letters",
    "embedded_localstack.patches.lambda_retries",
    "embedded_localstack.patches.lambda_client_context",
    "embedded_localstack.patches.lambda_code",
    "embedded_localstack.patches.lambda_versions",
    "embedded_localstack.patches.lambda_configurations",
    "embedded_localstack.patches.stepfunctions_credentials",
    "embedded_localstack.patches.idle_connections",
    "embedded_localstack.patches.stepfunctions_maps",
    "embedded_localstack.patches.stepfunctions_jsonata",
    "embedded_localstack.patches.s3_listings",
    "embedded_localstack.patches.lambda_keys",
    "embedded_localstack.patches.lambda_layers",
    "embedded_localstack.patches.lambda_logs",
    "embedded_localstack.patches.lambda_mappings",
    "embedded_localstack.patches.lambda_payload_limits",
    "embedded_localstack.patches.logs_filters",
    "embedded_localstack.patches.logs_keys",
    "embedded_localstack.patches.s3_presigned",
    "embedded_localstack.patches.s3_copies",
    "embedded_localstack.patches.s3_deletions",
    "embedded_localstack.patches.s3_websites",
    "embedded_localstack.patches.sqs_queries",
    "embedded_localstack.patches.sts_sessions",
    "embedded_localstack.patches.iam_boundaries",
    "embedded_localstack.patches.iam_inline_policies",
    "embedded_localstack.patches.cloudformation_templates",
    "embedded_localstack.patches.cloudformation_buckets",
    "embedded_localstack.patches.cloudformation_custom_resources",
    "embedded_localstack.patches.s3_lifecycles",
    "embedded_localstack.iam.api_methods",
    "embedded_localstack.http_apis.gateway",
    "embedded_localstack.load_balancers.gateway",
    "embedded_localstack.debugging",
    "embedded_localstack.snapshot.control",
)
ENFORCEMENT = (
    "embedded_localstack.iam.handler",
    "embedded_localstack.iam.function_urls",
    "embedded_localstack.iam.documents",
)
_MACHINES = "localstack.services.stepfunctions.provider"
_TEMPLATES = "localstack.services.cloudformation.v2.provider"
LATER = {
    "embedded_localstack.patches.stepfunctions_credentials": _MACHINES,
    "embedded_localstack.patches.stepfunctions_maps": _MACHINES,
    "embedded_localstack.patches.stepfunctions_jsonata": _MACHINES,
    "embedded_localstack.patches.cloudformation_templates": _TEMPLATES,
    "embedded_localstack.patches.cloudformation_buckets": _TEMPLATES,
    "embedded_localstack.patches.cloudformation_custom_resources": _TEMPLATES,
}
"""The patches of services that take long to import, and the module without which they are not needed."""


class PatchError(Exception):
    """A patch that does not fit the installed LocalStack."""


@hooks.on_infra_start(should_load=lambda: bool(os.environ.get("EMBEDDED_LOCALSTACK_HOME")))
def install() -> None:
    """Install every patch of this package before the first request, or before the first use of its service.

    Raises:
        PatchError: a patch does not fit this LocalStack, so the server does not start.
    """
    fits = later.mark(Home.of_this_server().cache, LATER)
    proven = fits.exists()
    for name in PATCHES + (ENFORCEMENT if iam_enforced() else ()):
        if proven and name in LATER:
            later.before_import.add(LATER[name], partial(install_patch, name))
        else:
            install_patch(name)
    if not proven:
        fits.parent.mkdir(parents=True, exist_ok=True)
        fits.touch()


def install_patch(name: str) -> None:
    """Install the patch of a module.

    Raises:
        PatchError: it does not fit this LocalStack.
    """
    try:
        import_module(name).install()
    except (AttributeError, ImportError, TypeError) as error:
        version = metadata.version("localstack-core")
        raise PatchError(f"the patch {name} does not fit LocalStack {version}: {error}") from error


@hooks.on_infra_ready(should_load=lambda: bool(os.environ.get("EMBEDDED_LOCALSTACK_HOME")))
def resume() -> None:
    """Restore the state that the previous server saved. This needs a running gateway."""
    try:
        import_module("embedded_localstack.snapshot.control").resume()
    finally:
        garbage.resume()
