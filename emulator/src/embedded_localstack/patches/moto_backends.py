"""Run DynamoDB and Kinesis as moto server processes instead of DynamoDB Local (Java) and kinesis-mock (Node).

LocalStack implements DynamoDB Streams with Kinesis, so they use moto as well.
"""
# mypy: disable-error-code="import-not-found, misc, untyped-decorator"

import os
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from localstack.constants import DEFAULT_AWS_ACCOUNT_ID
from localstack.utils.common import TMP_THREADS, get_free_tcp_port
from localstack.utils.serving import Server
from localstack.utils.threads import FuncThread
from requests import Session
from requests.adapters import HTTPAdapter


class MotoThread(FuncThread):
    """A moto server process. It ends when its standard input closes: by `stop`, or when this process ends."""

    def __init__(self, service: str, port: int) -> None:
        super().__init__(self._run, name=f"moto-{service}")
        states = [str(_file(folder, service)) for folder in _state_folders]
        self._command = [sys.executable, "-m", "embedded_localstack.moto_server", service, str(port), *states]
        self.process: subprocess.Popen[bytes] | None = None

    def _run(self, *_: Any) -> int:
        self.process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ), start_new_session=True
        )
        return self.process.wait()

    def stop(self, quiet: bool = False) -> None:
        """Stop the process."""
        super().stop(quiet)
        if self.process and self.process.stdin:
            self.process.stdin.close()

    def save(self, file: Path) -> None:
        """Make the process write its state to a file.

        Raises:
            RuntimeError: the process does not run, or it failed to write the file.
        """
        self._tell(os.fsencode(file))

    def forget(self) -> None:
        """Make the process empty its state.

        Raises:
            RuntimeError: the process does not run, or it failed.
        """
        self._tell(b"")

    def _tell(self, line: bytes) -> None:
        if not self.process or not self.process.stdin or not self.process.stdout:
            raise RuntimeError(f"{self.name} does not run")
        self.process.stdin.write(line + b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if answer != b"\n":
            raise RuntimeError(f"{self.name}: {answer.decode(errors='replace').strip() or 'it ended'}")


_running: dict[str, MotoThread] = {}
_state_folders: list[Path] = []


def save(folder: Path) -> None:
    """Write the state of every running backend to the folder."""
    for service, thread in _running.items():
        thread.save(_file(folder, service))


def forget() -> None:
    """Empty every running backend."""
    for thread in _running.values():
        thread.forget()


def begin_with(folder: Path) -> None:
    """Let the backends read the state that `save` wrote to the folder when they start."""
    _state_folders.append(folder)


def start_kinesis() -> None:
    """Start Kinesis if there is a saved state for it. LocalStack starts it only with the first call."""
    from localstack.services.plugins import SERVICE_PLUGINS  # noqa: PLC0415 - only a running server has it

    if any(_file(folder, "kinesis").exists() for folder in _state_folders):
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
        """Start the process. `start` calls this method."""
        return _start("kinesis", self.port)


# As many threads as LocalStack's gateway has: each may wait for a backend at the same time.
_CONNECTIONS = 1000


_answers = threading.local()


def last_answer() -> Mapping[str, str]:
    """Return the headers of the last answer of a backend in this thread."""
    headers: Mapping[str, str] = getattr(_answers, "headers", {})
    return headers


def _remember(response: Any, *_: Any, **__: Any) -> None:
    _answers.headers = response.headers


def kept_connections() -> Session:
    """Return a session that keeps its connections, and that looks for no proxies and no .netrc."""
    session = Session()
    session.hooks["response"].append(_remember)
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=_CONNECTIONS))
    return session


def _keep_connections() -> None:
    """Make one proxy for each backend. LocalStack makes one, and with it a connection, for each request."""
    from localstack.aws import forwarder  # noqa: PLC0415 - only a running server has it
    from localstack.utils.patch import Patch  # noqa: PLC0415
    from rolo.client import SimpleRequestsClient  # noqa: PLC0415

    make = forwarder.AwsRequestProxy

    @cache
    def proxy(endpoint_url: str) -> Any:
        made = make(endpoint_url)
        made.proxy.client = SimpleRequestsClient(kept_connections())
        return made

    Patch(forwarder, "AwsRequestProxy", proxy).apply()


def install() -> None:
    """Replace both backends."""
    _keep_connections()
    from localstack.services.dynamodb.server import DynamodbServer  # noqa: PLC0415 - only a running server has them
    from localstack.services.kinesis.kinesis_mock_server import KinesisServerManager  # noqa: PLC0415
    from localstack.utils.patch import Patch, patch  # noqa: PLC0415

    Patch(DynamodbServer, "do_start_thread", lambda self: _start("dynamodb", self.port)).apply()
    Patch(KinesisServerManager, "_create_kinesis_mock_server", lambda _self, _account: KinesisServer()).apply()

    @patch(DynamodbServer.__init__)
    def on_loopback(original: Callable[..., None], self: Any, port: int | None = None, *_: Any, **__: Any) -> None:
        original(self, port, "127.0.0.1")

    @patch(KinesisServerManager.get_server_for_account)
    def get_server_for_account(original: Callable[..., Any], self: Any, account: str) -> Any:
        """Return the server of an account.

        Without the lock, LocalStack lets a second request through while the first one still starts the server.
        """
        with self._lock:
            return original(self, account)
