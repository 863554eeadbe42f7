"""Run LocalStack on the host without Docker, with IAM enforced.

Tests in Python use `cloud`, `Cloud` and `LocalStackProcess`, which are imported at their first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedded_localstack.testing import Cloud, LocalStackProcess, cloud

__all__ = ["Cloud", "LocalStackProcess", "cloud"]


def __getattr__(name: str) -> Any:
    """Import a name of embedded_localstack.testing at its first use, because the server does not need that module."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("embedded_localstack.testing"), name)
