"""DynamoDB and Kinesis: moto server processes instead of DynamoDB Local (a Java download) and kinesis-mock (an npm one).

DynamoDB Streams ride on Kinesis inside LocalStack, so they are served too.
"""
# mypy: disable-error-code="import-not-found, misc"

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from localstack.constants import DEFAULT_AWS_ACCOUNT_ID
from localstack.utils.common import TMP_THREADS, get_free_tcp_port
from localstack.utils.serving import Server
from localstack.utils.threads import FuncThread

STOP_SECONDS = 60


class MotoThread(FuncThread):
    """Runs one moto server. It ends when its standard input closes: with `stop`, or with this process, however that ends."""

    def __init__(self, service: str, port: int) -> None:
        super().__init__(self._run, name=f"moto-{service}")
        states = [str(_file(folder, service)) for folder in _kept]
        self._command = [sys.executable, "-m", "embedded_localstack.moto_server", service, str(port), *states]
        self.process: subprocess.Popen[bytes] | None = None

    def _run(self, *_: Any) -> int:
        self.process = subprocess.Popen(self._command, stdin=subprocess.PIPE, env=dict(os.environ), start_new_session=True)
        return self.process.wait()

    def stop(self, quiet: bool = False) -> None:
        """End the process."""
        super().stop(quiet)
        if self.process and self.process.stdin:
            self.process.stdin.close()

    def save(self, file: Path) -> None:
        """Have it write its state down, which ends it."""
        if not self.process:
            raise RuntimeError(f"{self.name} does not run")
        self.process.communicate(os.fsencode(file), STOP_SECONDS)
        if self.process.returncode:
            raise RuntimeError(f"{self.name} could not write its state down; see above")


_running: dict[str, MotoThread] = {}
_kept: list[Path] = []


def save(folder: Path) -> None:
    """Write the state of all into the folder."""
    for service, thread in _running.items():
        thread.save(_file(folder, service))


def begin_with(folder: Path) -> None:
    """Read what `save` wrote there when they start."""
    _kept.append(folder)


def start_kinesis() -> None:
    """LocalStack starts it when it is asked; a state that waits for it is to be read now."""
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415 - only a running server has it

    if any(_file(folder, "kinesis").exists() for folder in _kept):
        SERVICE_PLUGINS.get_service("kinesis")._provider.server_manager.get_server_for_account(DEFAULT_AWS_ACCOUNT_ID)


def _file(folder: Path, service: str) -> Path:
    return folder / f"{service}.pickle"


def _start(service: str, port: int) -> MotoThread:
    thread = _running[service] = MotoThread(service, port)
    TMP_THREADS.append(thread)
    thread.start()
    return thread


class KinesisServer(Server):
    """A moto server on a port of its own."""

    def __init__(self) -> None:
        super().__init__(get_free_tcp_port(), "127.0.0.1")

    def do_start_thread(self) -> MotoThread:
        """Called by `start`."""
        return _start("kinesis", self.port)


def install() -> None:
    """Replace both backends."""
    from localstack.services.dynamodb.server import DynamodbServer  # noqa: PLC0415 - only a running server has them
    from localstack.services.kinesis.kinesis_mock_server import KinesisServerManager  # noqa: PLC0415

    DynamodbServer.do_start_thread = lambda self: _start("dynamodb", self.port)
    DynamodbServer.__init__.__defaults__ = (None, "127.0.0.1", None)
    KinesisServerManager._create_kinesis_mock_server = lambda _self, _account: KinesisServer()
    original = KinesisServerManager.get_server_for_account

    def get_server_for_account(self: Any, account: str) -> Any:
        """LocalStack lets a second request through while the first one still starts the server."""
        with self._lock:
            return original(self, account)

    KinesisServerManager.get_server_for_account = get_server_for_account
