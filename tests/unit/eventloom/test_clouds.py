"""Emulators never get real credentials, and AWS is never called by accident."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from botocore.exceptions import NoRegionError

from eventloom import clouds
from eventloom.errors import UserError


@pytest.fixture(autouse=True)
def new_clients() -> Iterator[None]:
    """Forget the clients of other tests."""
    clouds.forget_clients()
    yield
    clouds.forget_clients()


@pytest.mark.parametrize("name", ["embedded", "compose"])
def test_an_emulator_gets_dummy_credentials_whatever_the_environment_holds(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_ROLE_ARN"):
        monkeypatch.setenv(variable, "real")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.example.com")
    environment = clouds.CLOUDS[name].environment()
    assert "real" not in {value for key, value in environment.items() if key.startswith("AWS_")}
    assert "AWS_ENDPOINT_URL_S3" not in environment
    assert environment["AWS_ENDPOINT_URL"].startswith("http://127.0.0.1:")


def test_aws_keeps_the_callers_credentials_and_has_no_endpoint(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "mine")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    environment = clouds.CLOUDS["aws"].environment()
    assert environment["AWS_PROFILE"] == "mine"
    assert "AWS_ENDPOINT_URL" not in environment


def test_an_unknown_cloud_is_refused_with_the_known_ones_named() -> None:
    with pytest.raises(UserError, match="embedded, compose, aws"):
        clouds.chosen_cloud("azure")


def test_a_set_but_missing_terraform_configuration_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", "/nowhere/terraformrc")
    assert clouds.tool_environment()["TF_CLI_CONFIG_FILE"] == str(clouds.BUILD / "terraform.tfrc")


def test_a_client_of_an_emulator_signs_with_dummy_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "real")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")
    client = clouds.client("sqs", "embedded")
    credentials = client._request_signer._credentials.get_frozen_credentials()
    assert (credentials.access_key, credentials.secret_key, credentials.token) == ("test", "test", None)
    assert client.meta.endpoint_url.startswith("http://127.0.0.1:")


class Answer(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send all requests without an exception to a proxy, which does not answer."""
    for name in ("http_proxy", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)


def test_a_client_of_an_emulator_goes_through_no_proxy(proxied: None, monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), Answer) as emulator:
        monkeypatch.setitem(clouds.CLOUDS, "embedded", clouds.Cloud("embedded", emulator.server_port, ""))
        threading.Thread(target=emulator.handle_request, daemon=True).start()
        assert clouds.client("s3", "embedded").list_buckets()["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_commands_reach_an_emulator_without_a_proxy(proxied: None, monkeypatch: pytest.MonkeyPatch) -> None:
    assert clouds.CLOUDS["embedded"].environment()["no_proxy"] == "127.0.0.1,localhost"
    assert "no_proxy" not in clouds.CLOUDS["aws"].environment()
    monkeypatch.setenv("NO_PROXY", "intern")
    assert clouds.CLOUDS["embedded"].environment()["no_proxy"] == "127.0.0.1,localhost,intern"


@pytest.mark.parametrize(
    ("variables", "region"),
    [
        ({"AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "us-west-2"}, "eu-central-1"),
        ({"AWS_DEFAULT_REGION": "us-west-2"}, "us-west-2"),
        ({}, None),
    ],
)
@pytest.mark.parametrize("service", ["s3", "sts", "lambda"])
def test_a_client_of_an_account_is_in_the_region_that_terraform_takes(
    service: str, variables: dict[str, str], region: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in (variables | {"AWS_CONFIG_FILE": os.devnull}).items():
        monkeypatch.setenv(name, value)
    if region:
        assert clouds.client(service, "aws").meta.region_name == region
    else:
        with pytest.raises(NoRegionError):
            clouds.client(service, "aws")


REAL = {
    "AWS_ACCESS_KEY_ID": "AKIAREAL",
    "AWS_SECRET_ACCESS_KEY": "real-secret",
    "AWS_SESSION_TOKEN": "real-token",
    "AWS_PROFILE": "real-profile",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/real-token",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/real-uri",
}


def make(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run make with these arguments, in an environment with real credentials and without an endpoint.

    `test-show` stands for every target of that name: its recipe prints the environment that theirs get.
    """
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "MAKE", "MFLAGS", "GO")) and name not in {"CLOUD", "ENV"}
    }
    command = ["make", "--eval", "test-show: ; @env", *arguments]
    return subprocess.run(
        command, cwd=clouds.ROOT, env=inherited | REAL | variables, check=False, capture_output=True, text=True
    )


@pytest.mark.parametrize(
    "variables", [{}, {"CLOUD": "embedded"}, {"CLOUD": "compose"}, {"CLOUD": "embedded", "ENV": "dev"}]
)
def test_tests_run_by_make_see_no_real_credentials(variables: dict[str, str]) -> None:
    shown = make("test-show", **variables)
    assert shown.returncode == 0, shown.stderr
    aws_variables = dict(line.split("=", 1) for line in shown.stdout.splitlines() if line.startswith("AWS_"))
    assert aws_variables == {
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


@pytest.mark.parametrize("target", ["test", "test-unit", "test-terraform", "test-integration", "test-compose"])
def test_make_refuses_tests_in_a_real_account_that_is_only_implied(target: str) -> None:
    refused = make("-n", target, ENV="dev")
    assert refused.returncode == 2
    assert "add CLOUD=aws" in refused.stderr
    assert refused.stdout == ""


def test_make_runs_tests_in_a_real_account_on_request() -> None:
    shown = make("test-show", CLOUD="aws", ENV="dev")
    assert shown.returncode == 0, shown.stderr
    assert {f"{name}={value}" for name, value in REAL.items()} <= set(shown.stdout.splitlines())


@pytest.mark.parametrize(("name", "said"), [("no_proxy", "intern"), ("NO_PROXY", "intern, other"), ("NO_PROXY", "")])
def test_make_targets_reach_an_emulator_without_a_proxy(name: str, said: str) -> None:
    shown = make("test-show", **{"no_proxy": "", "NO_PROXY": "", name: said})
    seen = dict(line.split("=", 1) for line in shown.stdout.splitlines() if line.lower().startswith("no_proxy"))
    assert seen == dict.fromkeys(("no_proxy", "NO_PROXY"), "127.0.0.1,localhost" + (f",{said}" if said else ""))


def test_terraform_collects_garbage_less_often_in_tests_only() -> None:
    def settings(target: str, **variables: str) -> str:
        shown = make("--eval", f"{target}: ; @echo $${{GOGC-unset}} $${{GOMEMLIMIT-unset}}", target, **variables)
        return shown.stdout.strip()

    assert settings("test-show") == "400 2GiB"
    assert settings("test-show", GOGC="100", GOMEMLIMIT="1GiB") == "100 1GiB"
    assert settings("show") == "unset unset"


@pytest.mark.parametrize("port", ["x", "0", "65536", "-1"])
def test_a_port_that_is_none_is_refused_when_it_is_used(port: str) -> None:
    """The command runs in its own process, because the variable is read once."""
    variables = os.environ | {"EMBEDDED_PORT": port}
    command = [sys.executable, "-P", "-m", "eventloom", "outputs"]
    done = subprocess.run(command, env=variables, check=False, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (
        1,
        "Error: set EMBEDDED_PORT to a port from 1 to 65535, or unset it for 4566\n",
    )
