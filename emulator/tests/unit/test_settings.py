import sys
from pathlib import Path

import pytest

from embedded_localstack.settings import interpreter_variable, server_environment
from embedded_localstack.state import Home


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> dict[str, str]:
    for name in (
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_ENDPOINT_URL",
        "HTTPS_PROXY",
        "PYTHONPATH",
        "LOCALSTACK_AUTH_TOKEN",
    ):
        monkeypatch.setenv(name, "the caller's")
    monkeypatch.setenv("IAM_AUDIT", "1")
    return server_environment(Home(4599, tmp_path))


def test_no_variable_of_the_caller_reaches_the_server(environment: dict[str, str]):
    assert "the caller's" not in environment.values()


def test_the_switches_of_the_emulator_are_passed(environment: dict[str, str]):
    assert environment["IAM_AUDIT"] == "1"


def test_it_listens_on_loopback_and_writes_into_its_folder(environment: dict[str, str], tmp_path: Path):
    assert environment["GATEWAY_LISTEN"] == "127.0.0.1:4599"
    for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "CONFIG_DIR", "FILESYSTEM_ROOT"):
        assert Path(environment[name]).is_relative_to(tmp_path), name


def test_a_setting_names_the_interpreter_of_a_runtime(environment: dict[str, str]):
    assert interpreter_variable("python3.13") == "LAMBDA_PROCESS_PYTHON3_13"
    assert environment["LAMBDA_PROCESS_PYTHON3_13"] == sys.executable


def test_each_port_has_a_folder():
    assert Home(4566).path.name == ".embedded-localstack"
    assert Home(4570).path.name == ".embedded-localstack-4570"
    assert Home(4570).cache == Home(4566).cache
