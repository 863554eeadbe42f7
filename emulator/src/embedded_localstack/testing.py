"""Provide a cloud for tests in Python, as a context manager and as a class in the style of testcontainers.

    with embedded_localstack.cloud() as cloud:
        boto3.client("s3").create_bucket(Bucket="copies")
        cloud.reset()

The pytest plugin (pytest_plugin.py) uses the same class.
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from embedded_localstack.endings import end, sweep
from embedded_localstack.settings import OWNER_VARIABLE
from embedded_localstack.state import DEFAULT_PORT, Home, LaunchError
from embedded_localstack.status import Denial, group, parse

REGION = "us-east-1"
UP = (sys.executable, "-m", "embedded_localstack", "up")
RESET_SECONDS = 60
RESET = "/_localstack/state/reset"
MISLEADING = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS")
"""Variables that would lead the SDKs to another account or address.

https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
"""


class LocalStackProcess:
    """A server for tests. Use `start` and `stop`, or a `with` block.

    The default port is a free one. The default `home` is a temporary folder, which `stop` removes. `settings` are the
    variables of `embedded-localstack up`, such as `IAM_ENFORCE="0"`.
    """

    def __init__(
        self, *, port: int | None = None, home: Path | None = None, region_name: str = REGION, **settings: str
    ) -> None:
        self.region_name = region_name
        self._port, self._folder = port, home
        self._settings = settings
        self._home: Home | None = None
        self._started = False

    def with_services(self, *_services: str) -> Self:
        """Return the process itself. All services are always available."""
        return self

    def with_env(self, name: str, value: str) -> Self:
        """Set a variable of `embedded-localstack up`, and return the process."""
        self._settings[name] = value
        return self

    @property
    def home(self) -> Home:
        """Return the folder of the server.

        Raises:
            LaunchError: the server was not started.
        """
        if not self._home:
            raise LaunchError("the cloud is not started: call start(), or use it in a `with` block")
        return self._home

    def start(self) -> Self:
        """Start the server, wait until it answers, and return the process.

        Raises:
            LaunchError: the server did not start. The message says why.
        """
        folder = self._folder or Path(tempfile.mkdtemp(prefix="embedded-localstack-"))
        self._home = Home(self._port or _free_port(), folder)
        self._started = True
        try:
            self._up()
        except LaunchError:
            self.stop()
            raise
        return self

    def attach(self) -> Self:
        """Use a server that `embedded-localstack up` started. `stop` leaves it running.

        Raises:
            LaunchError: the server does not run.
        """
        home = Home(self._port or DEFAULT_PORT, self._folder)
        run = home.load()
        if not run or not run.running():
            raise LaunchError(
                f"no server runs in {home.path}; start it with: embedded-localstack up --port {home.port} "
                f"--home {home.path}"
            )
        self._home = Home(run.port, home.path)
        return self

    def stop(self) -> None:
        """Stop the server, and remove what is deployed in it. A server that was started elsewhere keeps running."""
        if not self._started:
            return
        self._started = False
        with self.home.locked():
            run = self.home.load()
            if run and run.running():
                end(self.home, run)
            else:
                sweep(self.home, run)
            self.home.clean()
        if not self._folder:
            shutil.rmtree(self.home.path, ignore_errors=True)

    def __enter__(self) -> Self:
        """Start the server."""
        return self.start()

    def __exit__(self, *_: object) -> None:
        """Stop the server."""
        self.stop()

    def get_url(self) -> str:
        """Return the endpoint of all services."""
        return f"http://127.0.0.1:{self.home.port}"

    def get_client(self, name: str, **options: Any) -> Any:
        """Return a boto3 client of the deployer, who has all permissions. `options` are passed to boto3.client."""
        import boto3  # noqa: PLC0415 - takes a second, and tests may use another SDK

        make: Any = boto3.client
        defaults = {
            "endpoint_url": self.get_url(),
            "region_name": self.region_name,
            "aws_access_key_id": "test",
            "aws_secret_access_key": "test",
        }
        return make(name, **{**defaults, **options})

    def reset(self) -> None:
        """Remove everything that is deployed. The server keeps running.

        Raises:
            LaunchError: the server does not answer, or could not empty a service.
        """
        request = urllib.request.Request(self.get_url() + RESET, method="POST")  # noqa: S310 - always http://127.0.0.1
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            opener.open(request, timeout=RESET_SECONDS).close()
        except (urllib.error.URLError, TimeoutError) as error:
            raise LaunchError(f"the cloud was not reset ({error}); see {self.home.log}") from error

    def denials(self, since: int = 0) -> list[Denial]:
        """Return the calls that IAM refused, without the first `since` lines of the record."""
        return group(parse(self._denial_lines()[since:]))

    def denials_so_far(self) -> int:
        """Return the number of calls that IAM refused, for a later call of `denials`."""
        return len(self._denial_lines())

    def _denial_lines(self) -> list[str]:
        try:
            return self.home.denials.read_text().splitlines()
        except OSError:
            return []

    def variables(self) -> dict[str, str]:
        """Return the environment variables that point the AWS SDKs, the AWS CLI and Terraform to this cloud."""
        return {
            "AWS_ENDPOINT_URL": self.get_url(),
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": self.region_name,
            "AWS_DEFAULT_REGION": self.region_name,
            "no_proxy": ",".join(filter(None, [os.environ.get("no_proxy"), "127.0.0.1,localhost"])),
        }

    @contextmanager
    def environment(self) -> Iterator[None]:
        """Set the variables and discard boto3's default session, and restore the previous variables at the end."""
        before = dict(os.environ)
        for name in list(os.environ):
            if name in MISLEADING or name.startswith("AWS_ENDPOINT_URL_"):
                del os.environ[name]
        changed = self.variables()
        os.environ.update(changed)
        _forget_default_session()
        try:
            yield
        finally:
            for name in {*changed, *MISLEADING, *(name for name in before if name.startswith("AWS_ENDPOINT_URL_"))}:
                if name in before:
                    os.environ[name] = before[name]
                else:
                    os.environ.pop(name, None)
            _forget_default_session()

    def _up(self) -> None:
        variables = {name: value for name, value in os.environ.items() if name not in MISLEADING}
        done = subprocess.run(
            [*UP, "--port", str(self.home.port), "--home", str(self.home.path)],
            env={**variables, **self._settings, OWNER_VARIABLE: str(os.getpid())},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise LaunchError(done.stderr.strip().removeprefix("embedded LocalStack: "))


Cloud = LocalStackProcess


@contextmanager
def cloud(**options: Any) -> Iterator[LocalStackProcess]:
    """Start a cloud, and point the AWS SDKs to it. The options are those of LocalStackProcess.

    Raises:
        LaunchError: the server did not start.
    """
    with LocalStackProcess(**options) as process, process.environment():
        yield process


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _forget_default_session() -> None:
    """Make boto3.client read the region and endpoint again. Otherwise it keeps those of its first call."""
    if boto3 := sys.modules.get("boto3"):
        vars(boto3)["DEFAULT_SESSION"] = None
