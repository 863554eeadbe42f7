"""LocalStack on the host without Docker, with IAM enforced.

For tests in Python: `cloud`, `Cloud` and `LocalStackProcess`, which are imported at their first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedded_localstack.testing import Cloud, LocalStackProcess, cloud

__all__ = ["Cloud", "LocalStackProcess", "cloud"]


def __getattr__(name: str) -> Any:
    """Return a name of embedded_localstack.testing, because the server needs none of them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module("embedded_localstack.testing"), name)
