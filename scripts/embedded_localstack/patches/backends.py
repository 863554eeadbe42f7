"""DynamoDB and Kinesis: moto server processes instead of DynamoDB Local (a Java download) and kinesis-mock (an npm one).

DynamoDB Streams ride on Kinesis inside LocalStack, so they are served too.
"""
# mypy: disable-error-code="import-not-found, misc"

import os
import subprocess
import sys
from typing import Any

from localstack.utils.common import TMP_THREADS, get_free_tcp_port
from localstack.utils.serving import Server
from localstack.utils.threads import FuncThread


class MotoThread(FuncThread):
    """Runs one moto server. It ends when its standard input closes: with `stop`, or with this process, however that ends."""

    def __init__(self, port: int) -> None:
        super().__init__(self._run, name=f"moto-{port}")
        self._command = [sys.executable, "-m", "embedded_localstack.moto_server", str(port)]
        self.process: subprocess.Popen[bytes] | None = None

    def _run(self, *_: Any) -> int:
        self.process = subprocess.Popen(self._command, stdin=subprocess.PIPE, env=dict(os.environ), start_new_session=True)
        return self.process.wait()

    def stop(self, quiet: bool = False) -> None:
        """End the process."""
        super().stop(quiet)
        if self.process and self.process.stdin:
            self.process.stdin.close()


def _start(server: Server) -> MotoThread:
    thread = MotoThread(server.port)
    TMP_THREADS.append(thread)
    thread.start()
    return thread


class MotoServer(Server):
    """A moto server on a port of its own."""

    def __init__(self) -> None:
        super().__init__(get_free_tcp_port(), "127.0.0.1")

    def do_start_thread(self) -> MotoThread:
        """Called by `start`."""
        return _start(self)


def install() -> None:
    """Replace both backends."""
    from localstack.services.dynamodb.server import DynamodbServer  # noqa: PLC0415 - only a running server has them
    from localstack.services.kinesis.kinesis_mock_server import KinesisServerManager  # noqa: PLC0415

    DynamodbServer.do_start_thread = _start
    DynamodbServer.__init__.__defaults__ = (None, "127.0.0.1", None)
    KinesisServerManager._create_kinesis_mock_server = lambda _self, _account: MotoServer()
