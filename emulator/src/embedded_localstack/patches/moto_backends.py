"""Run DynamoDB and Kinesis as moto server processes instead of DynamoDB Local (Java) and kinesis-mock (Node).

LocalStack implements DynamoDB Streams with Kinesis, so DynamoDB Streams uses moto as well.
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

from botocore.serialize import create_serializer
from localstack.constants import DEFAULT_AWS_ACCOUNT_ID
from localstack.utils.common import TMP_THREADS, get_free_tcp_port
from localstack.utils.serving import Server
from localstack.utils.threads import FuncThread
from urllib3 import connection_from_url


class MotoThread(FuncThread):
    """A moto server process, which ends when its standard input closes (in `stop`, or when this process ends)."""

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
    """Start Kinesis if there is a saved state for it. LocalStack starts it at the first call."""
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
    """The moto server of Kinesis, which listens on a free port."""

    def __init__(self) -> None:
        super().__init__(get_free_tcp_port(), "127.0.0.1")

    def do_start_thread(self) -> MotoThread:
        """Start the process. `start` calls this method."""
        return _start("kinesis", self.port)


_answers = threading.local()


def last_answer() -> Mapping[str, str]:
    """Return the headers of the last response that a backend sent to this thread."""
    headers: Mapping[str, str] = getattr(_answers, "headers", {})
    return headers


# The number of threads in LocalStack's gateway. All of them may wait for a backend at the same time.
CONNECTIONS = 1000
# OF_TRANSFER has the headers that urllib3 sets itself. FORM is the header for the media type of a body.
OF_TRANSFER = {"content-length", "transfer-encoding"}
FORM = "content-type"


class Backend:
    """A client that passes requests on to a backend over persistent connections.

    It replaces LocalStack's AwsRequestProxy, which signs, copies and opens a connection for each request.
    """

    def __init__(self, endpoint_url: str) -> None:
        self._connections = connection_from_url(endpoint_url, maxsize=CONNECTIONS, retries=False)

    def __call__(self, context: Any, service_request: Any = None) -> Any:
        """Return the backend's answer to a request."""
        return self.forward(context, service_request)

    def forward(self, context: Any, service_request: Any = None) -> Any:
        """Return the backend's response to a request, or to other parameters of the same operation.

        Raises:
            ServiceException: the backend refuses the request.
        """
        from localstack.aws.client import parse_response, raise_service_exception  # noqa: PLC0415 - see install
        from localstack.http import Response  # noqa: PLC0415

        answer = self._connections.urlopen(*message(context, service_request), decode_content=False)
        _answers.headers = answer.headers
        response = Response(answer.data, answer.status, answer.headers.items())
        parsed = parse_response(context.operation, context.protocol, response, include_response_metadata=False)
        raise_service_exception(response, parsed)
        return parsed


def message(context: Any, service_request: Any = None) -> tuple[str, str, bytes, dict[str, str]]:
    """Return the method, the path, the body and the headers of a request to a backend."""
    request = context.request
    headers = {name: value for name, value in request.headers.items() if name.lower() not in OF_TRANSFER}
    if service_request is None:
        return request.method, request.path, request.get_data(), headers
    serializer = create_serializer(context.protocol, include_validation=False)
    made = serializer.serialize_to_request(service_request, context.operation)
    body = made["body"].encode() if isinstance(made["body"], str) else made["body"]
    others = {name: value for name, value in headers.items() if name.lower() != FORM}
    names = {name.lower() for name in others}
    own = {name: value for name, value in made["headers"].items() if name.lower() not in names}
    return made["method"], made["url_path"], body, own | others


def _pass_requests_on() -> None:
    """Replace LocalStack's proxy objects, one for each request, by one Backend for each backend."""
    from localstack.aws import forwarder  # noqa: PLC0415 - only a running server has it
    from localstack.services.dynamodb import server  # noqa: PLC0415
    from localstack.utils.patch import Patch  # noqa: PLC0415

    backend = cache(Backend)
    for module in (forwarder, server):
        Patch(module, "AwsRequestProxy", backend).apply()


def install() -> None:
    """Replace both backends."""
    _pass_requests_on()
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

        Without the lock, a second request passes while the first one is still starting the server.
        """
        with self._lock:
            return original(self, account)
