"""Fixtures that start a server for the live tests."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from embedded_localstack import lambda_runtime, processes
from embedded_localstack.state import Home
from embedded_localstack.testing import LocalStackProcess
from rest_apis import ECHO, JUDGE, Api, permit
from support import LOGS, Cloud, free_port, launcher, package


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that contains the folders of servers."""
    return tmp_path_factory.mktemp("servers")


@pytest.fixture(scope="session")
def interpreter(base: Path) -> Path:
    """Return the Python interpreter that runs functions."""
    return lambda_runtime.interpreter(Home(path=base).cache)


@pytest.fixture(scope="session")
def public_layer(base: Path) -> tuple[str, Path]:
    """Return the ARN pattern of another account's layer, and the path of its content. A test writes the content."""
    return "arn:aws:lambda:us-east-1:770693421928:layer:Klayers-p313-public:*", base / "public.zip"


@pytest.fixture(scope="session")
def home(base: Path, public_layer: tuple[str, Path]) -> Iterator[Home]:
    """Yield the folder of a running server."""
    home = Home(free_port(), base / "home")
    layers = "=".join(map(str, public_layer))
    started = launcher("up", home, IAM_AUDIT="1", LAMBDA_PROCESS_PYTHON3_10="/bin/false", LAMBDA_LAYERS=layers)
    assert started.returncode == 0, started.stderr
    yield home
    family = processes.belonging_to(home.path)
    if keep := os.environ.get("KEEP_LOG"):
        Path(keep).write_bytes(home.log.read_bytes())
    assert launcher("down", home, "--forget").returncode == 0
    assert processes.wait_gone(family, 0) == []
    assert launcher("status", home).returncode == 3


@pytest.fixture(scope="session")
def cloud(home: Home) -> Cloud:
    cloud = Cloud(home)
    cloud.s3.create_bucket(Bucket="out")
    return cloud


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """Return a name for the resources that the test creates."""
    text = (
        request.node.name.removeprefix("test_").replace("[", "-").replace("]", "").replace("_", "-").replace(" ", "-")
    )
    return str(text)[:40].strip("-")


@pytest.fixture(scope="module")
def functions(request: pytest.FixtureRequest, cloud: Cloud) -> Mapping[str, str]:
    """Return the ARNs of the functions behind the APIs and of their authorizers.

    Each module creates its own functions, because another module may have emptied the server.
    """
    prefix = request.path.stem.replace("_", "-")
    role = cloud.role(f"{prefix}-functions", *LOGS)
    return {
        name: cloud.function(f"{prefix}-{name}", role=role, Code={"ZipFile": package(code)})
        for name, code in (("echo", ECHO), ("judge", JUDGE))
    }


@pytest.fixture
def api(cloud: Cloud, name: str, functions: Mapping[str, str]) -> Api:
    api = Api(cloud, name, functions["echo"])
    permit(cloud, functions["echo"], f"{api.arn}/*/POST/*")
    return api


@pytest.fixture(scope="session")
def emptied() -> Iterator[LocalStackProcess]:
    """Yield a separate server for tests that empty it."""
    with LocalStackProcess() as process:
        yield process
    assert not process.home.path.exists()
