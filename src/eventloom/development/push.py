"""Publish changed code as a new version of a deployed function, and point its alias to that version."""

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
    """Return a zip with the dependencies of the zip `base` and the files in `sources`, which are by path in the zip.

    To save time, only the code is compressed. The old code is removed from the zip's directory, but its bytes remain in
    the file. `bytecode` are the contents of .pyc files, by path in the zip.
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
    """A deployed function to push code to."""

    def __init__(self, lambda_: Any, name: str, sleep: Callable[[float], None] = time.sleep) -> None:
        """Take a boto3 client and the function's name on Lambda."""
        self._lambda = lambda_
        self._name = name
        self._sleep = sleep
        self._published: list[str] = []

    def publish(self, content: bytes) -> str:
        """Publish a zip as a new version, wait until it is active, and return its number. No event reaches it yet.

        Raises UserError if the version fails, or is not active in time.
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
        """Return whether Lambda has finished the current update. It refuses other updates until then."""
        facts = self._lambda.get_function_configuration(FunctionName=self._name)
        return str(facts.get("LastUpdateStatus", "Successful")) != "InProgress"

    def use(self, version: str) -> None:
        """Point the alias to a version. Running invocations finish with the code that they started with."""
        self._lambda.update_alias(FunctionName=self._name, Name=ALIAS, FunctionVersion=version)

    def runs(self) -> tuple[str, str]:
        """Return the number of the alias's version, and the SHA-256 of its code in base64."""
        facts = self._lambda.get_alias(FunctionName=self._name, Name=ALIAS)
        version = str(facts["FunctionVersion"])
        code = self._lambda.get_function_configuration(FunctionName=self._name, Qualifier=version)
        return version, str(code["CodeSha256"])

    def tidy(self) -> None:
        """Delete the versions that this object published, except the alias's current version."""
        current, _ = self.runs()
        for version in self._published:
            if version != current:
                self._lambda.delete_function(FunctionName=self._name, Qualifier=version)
        self._published = [current] if current in self._published else []
