"""What LocalStack loads when it starts (entry points in pyproject.toml)."""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import os
from importlib import import_module

from localstack.runtime import hooks

from embedded_localstack.settings import iam_enforced

PATCHES = (
    "embedded_localstack.patches.backends",
    "embedded_localstack.patches.storage",
)


@hooks.on_infra_start(should_load=lambda: bool(os.environ.get("EMBEDDED_LOCALSTACK_HOME")))
def install() -> None:
    """Put everything of this package in place before the first request. A patch that no longer fits stops the start."""
    for name in PATCHES:
        import_module(name).install()
    if iam_enforced():
        import_module("embedded_localstack.iam.handler").install()
