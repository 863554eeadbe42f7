"""What LocalStack loads when it starts (entry points in pyproject.toml)."""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import os
from importlib import import_module

from localstack.runtime import hooks

from embedded_localstack.settings import iam_enforced

PATCHES = (
    "embedded_localstack.patches.backends",
    "embedded_localstack.patches.storage",
    "embedded_localstack.patches.s3_events",
    "embedded_localstack.patches.event_sources",
    "embedded_localstack.patches.alarms",
    "embedded_localstack.patches.aliases",
    "embedded_localstack.patches.api_gateway",
    "embedded_localstack.patches.archives",
    "embedded_localstack.patches.async_invocations",
    "embedded_localstack.patches.configurations",
    "embedded_localstack.patches.distributed_maps",
    "embedded_localstack.patches.listings",
    "embedded_localstack.patches.logs",
    "embedded_localstack.patches.payloads",
    "embedded_localstack.patches.presigned",
    "embedded_localstack.load_balancers.gateway",
    "embedded_localstack.snapshot.control",
)
ENFORCEMENT = ("embedded_localstack.iam.handler", "embedded_localstack.patches.function_urls")


@hooks.on_infra_start(should_load=lambda: bool(os.environ.get("EMBEDDED_LOCALSTACK_HOME")))
def install() -> None:
    """Put everything of this package in place before the first request. A patch that no longer fits stops the start."""
    for name in PATCHES + (ENFORCEMENT if iam_enforced() else ()):
        import_module(name).install()


@hooks.on_infra_ready(should_load=lambda: bool(os.environ.get("EMBEDDED_LOCALSTACK_HOME")))
def resume() -> None:
    """Go on with the state that the server before left: its services need the gateway to be up."""
    import_module("embedded_localstack.snapshot.control").resume()
