"""Refuse to download programs. LocalStack installs Java, OpenSearch and others from the internet when it needs them.

The server contacts only loopback addresses and the addresses that the user's resources name.
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

from collections.abc import Callable
from typing import Any


def install() -> None:
    """Raise a clear error instead of a download."""
    from localstack.packages.api import PackageException, PackageInstaller  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(PackageInstaller.install)
    def install_package(original: Callable[..., None], self: Any, *args: Any, **kwargs: Any) -> None:
        if not self.is_installed():
            raise PackageException(
                f"this needs {self.name} {self.version}, and the embedded LocalStack downloads nothing; "
                "see Limits in the README of the emulator"
            )
        original(self, *args, **kwargs)
