"""Put changed code into a deployed function: a new version, and the alias that events use."""

import io
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from eventloom.deployment.build import TIMESTAMP
from eventloom.deployment.package_files import PLAIN, mode
from eventloom.errors import UserError

ALIAS = "live"
POLL_S = 0.02
TIMEOUT_S = 120.0


def package(base: bytes, sources: dict[str, Path], bytecode: dict[str, bytes] | None = None) -> bytes:
    """Return a zip with the dependencies of `base` and the code of `sources`, which are files by their path in the zip.

    Only the code is compressed. The entries of the old code leave the zip's directory, and its bytes stay unused.
    `bytecode` are the contents of .pyc files by their path in the zip.
    """
    content = io.BytesIO(base)
    own = {path.split("/", 1)[0] + "/" for path in sources}
    with zipfile.ZipFile(content, "a") as bundle:
        old = [entry for entry in bundle.filelist if entry.filename.startswith(tuple(own))]
        bundle.filelist[:] = [entry for entry in bundle.filelist if entry not in old]
        for entry in old:
            bundle.NameToInfo.pop(entry.filename, None)
        for path, file in sources.items():
            entry = zipfile.ZipInfo(path, TIMESTAMP)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = mode(file) << 16
            bundle.writestr(entry, file.read_bytes(), compresslevel=1)
        for path, compiled in (bytecode or {}).items():
            entry = zipfile.ZipInfo(path, TIMESTAMP)
            entry.external_attr = PLAIN << 16
            bundle.writestr(entry, compiled)
    return content.getvalue()


class Target:
    """A deployed function whose code is replaced."""

    def __init__(self, lambda_: Any, name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        """Take a low-level client and Lambda's name of the function."""
        self._lambda = lambda_
        self._name = name
        self._sleep = sleep
        self._published: list[str] = []

    def publish(self, content: bytes) -> str:
        """Publish a zip as a new version, and return its number when it can be used. No event reaches it yet.

        Raises UserError if Lambda cannot use it.
        """
        answer = self._lambda.update_function_code(FunctionName=self._name, ZipFile=content, Publish=True)
        version = str(answer["Version"])
        self._published.append(version)
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            facts = self._lambda.get_function_configuration(FunctionName=self._name, Qualifier=version)
            states = facts.get("State", "Active"), facts.get("LastUpdateStatus", "Successful")
            if states == ("Active", "Successful") and self._is_settled():
                return version
            if "Failed" in states:
                reason = facts.get("LastUpdateStatusReason") or facts.get("StateReason") or "Lambda gives no reason"
                raise UserError(f"the new code of {self._name} cannot be used: {reason}")
            self._sleep(POLL_S)
        raise UserError(f"the new code of {self._name} was not ready within {TIMEOUT_S:g} s; save the file again")

    def _is_settled(self) -> bool:
        """Return whether Lambda has finished the current update. Until then it refuses another one."""
        facts = self._lambda.get_function_configuration(FunctionName=self._name)
        return str(facts.get("LastUpdateStatus", "Successful")) != "InProgress"

    def use(self, version: str) -> None:
        """Send events to a version from now on. Environments in flight finish with the code that they started with."""
        self._lambda.update_alias(FunctionName=self._name, Name=ALIAS, FunctionVersion=version)

    def runs(self) -> tuple[str, str]:
        """Return the number of the version that events reach, and its code's SHA-256 in base64."""
        facts = self._lambda.get_alias(FunctionName=self._name, Name=ALIAS)
        version = str(facts["FunctionVersion"])
        code = self._lambda.get_function_configuration(FunctionName=self._name, Qualifier=version)
        return version, str(code["CodeSha256"])

    def tidy(self) -> None:
        """Delete the versions that were published here and that events do not reach."""
        current, _ = self.runs()
        for version in self._published:
            if version != current:
                self._lambda.delete_function(FunctionName=self._name, Qualifier=version)
        self._published = [current] if current in self._published else []
