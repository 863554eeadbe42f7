"""Push the saved code of functions to Lambda, and report the results."""

import base64
import hashlib
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from eventloom.deployment import build
from eventloom.development.bytecode import Compiler
from eventloom.development.changes import Changes
from eventloom.development.import_check import ImportCheck
from eventloom.development.push import Target, package
from eventloom.errors import UserError

THREADS = 4

type Say = Callable[[str], None]


@dataclass(frozen=True)
class Workshop:
    """The inputs of builds: the folder of the functions, the folder of their zips, and Lambda's architecture."""

    functions: Path
    out: Path
    arch: str

    def sources(self, name: str) -> dict[str, Path]:
        """Return the files of a function's code, by path in the zip."""
        return build.sources(name, self.functions).included

    def archive(self, name: str) -> bytes:
        """Return a function's zip, which is built first if its inputs changed. Raises UserError if the build fails."""
        build.build_all([name], self.arch, self.out, self.functions)
        return (self.out / f"{name}.zip").read_bytes()


class Worker:
    """Pushes the code of one function.

    While a new version is published, its import is checked. Events reach the version only if the import works.
    """

    def __init__(
        self, name: str, workshop: Workshop, target: Target, make_check: Callable[[], ImportCheck | None], say: Say
    ) -> None:
        """Take the function's name, the build inputs, the target, and functions that make a check and print a text.

        `make_check` returns None if this machine cannot check imports.
        """
        self.name = name
        self._workshop = workshop
        self._target = target
        self._make_check = make_check
        self._say = say
        self._compiler = Compiler()
        self._base = b""
        self._check: ImportCheck | None = None

    def begin(self) -> None:
        """Build the function if necessary, and push it if the deployed code differs from the saved code."""
        self._prepare()
        version, digest = self._target.runs()
        if digest == base64.b64encode(hashlib.sha256(self._base).digest()).decode():
            self._say(f"{self.name}: version {version} runs the saved code")
        else:
            self._push(self._base)

    def push(self, *, dependencies: bool) -> None:
        """Push the saved code. With `dependencies`, install the requirements again first.

        Problems are printed, and the old code keeps running.
        """
        try:
            sources = self._workshop.sources(self.name)
            bytecode = self._compiler.compile(sources)
            if dependencies:
                self._say(f"{self.name}: installing its dependencies")
                self._prepare()
            self._push(package(self._base, sources, bytecode))
        except (UserError, ClientError, BotoCoreError, OSError) as error:
            self._say(f"{self.name}: {error}; the old code keeps running")

    def _prepare(self) -> None:
        self._base = self._workshop.archive(self.name)
        if self._check:
            self._check.close()
        self._check = self._make_check()

    def _push(self, content: bytes) -> None:
        began = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            answer = pool.submit(self._check.problem) if self._check else None
            version = self._target.publish(content)
            problem = answer.result() if answer else ""
        if problem:
            self._say(f"{self.name}: the import fails; the old code keeps running\n{problem}")
            return
        self._target.use(version)
        self._say(f"{self.name}: version {version} runs from the next event on ({time.monotonic() - began:.2f} s)")

    def end(self) -> None:
        """End the import check, and delete the versions that are no longer used."""
        if self._check:
            self._check.close()
        self._target.tidy()


def push(changes: Changes, workers: Iterable[Worker]) -> None:
    """Push the code of all changed functions, several at a time."""
    chosen = [worker for worker in workers if worker.name in changes.code | changes.dependencies]
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda worker: worker.push(dependencies=worker.name in changes.dependencies), chosen))
