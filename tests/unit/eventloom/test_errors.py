"""What users do wrong first ends in a line that says what to do, whichever command they typed."""

import importlib
import os
import re
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import boto3
import pytest
from botocore import exceptions
from botocore.exceptions import ClientError

from eventloom import cli, clouds, errors
from eventloom.deployment import apply
from eventloom.errors import UserError

# Each command that goes to a cloud, as make types it
COMMANDS = {
    "deploy": "plan",
    "state_bucket": None,
    "upload": __file__,
    "invoke": "digest manual",
    "logs": "digest",
    "watch": "--once",
    "report": "",
    "dlq": "list",
    "backfill": "",
    "audit": "",
    "replay": f"--file {__file__}",
    "simulate": "measure",
    "example": None,
    "demo": None,
}


def module(name: str) -> str:
    """What runs the command, by its own name."""
    return f"eventloom.{cli.COMMANDS[name.replace('_', '-')]}"


ON_AWS = [name for name in COMMANDS if name != "demo"]


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """No credentials, no region, nothing deployed; and an embedded LocalStack that is not running."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    monkeypatch.setattr(apply, "BUILD", tmp_path)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setitem(clouds.CLOUDS, "embedded", clouds.Cloud("embedded", free.getsockname()[1], "LocalStack"))
    clouds.chosen_cloud.cache_clear()
    clouds.client.cache_clear()
    yield
    clouds.chosen_cloud.cache_clear()
    clouds.client.cache_clear()


def ended(name: str, main: Callable[[], int | None], **how: bool) -> object:
    """How a command ends: its exit code, or the message that it ends with 1 for."""
    with pytest.raises(SystemExit) as end:
        errors.run(name, main, **how)
    return end.value.code


def typed(name: str, monkeypatch: pytest.MonkeyPatch, environment: str) -> object:
    """How a command of COMMANDS ends."""
    options = COMMANDS[name]
    arguments = {"state_bucket": "", "example": "apply cron-job", "demo": ""}[name] if options is None else f"{options} --env {environment}"
    monkeypatch.setattr(sys, "argv", [f"{name}.py", *arguments.split()])
    return ended(name, importlib.import_module(module(name)).main)


@pytest.mark.parametrize("name", COMMANDS)
def test_without_an_emulator_it_is_said_how_to_start_one(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD", "embedded")
    said = f"{name}: no LocalStack answers at {clouds.CLOUDS['embedded'].endpoint}; make up starts one, make demo deploys to it as well"
    assert typed(name, monkeypatch, "local") == said


@pytest.mark.parametrize("name", ON_AWS)
def test_without_a_region_it_is_said_how_to_set_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD", "aws")
    assert "Set AWS_REGION." in str(typed(name, monkeypatch, "dev"))


@pytest.mark.parametrize("name", ON_AWS)
def test_without_credentials_it_is_said_how_to_give_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD", "aws")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    assert "AWS_PROFILE" in str(typed(name, monkeypatch, "dev"))


def test_every_command_that_make_types_ends_so() -> None:
    """All but those that work without a cloud."""
    makefile = (clouds.ROOT / "Makefile").read_text()
    by_make = set(re.findall(r"-m (eventloom\.[\w.]+) .*\$\(ENV\)", makefile))
    assert by_make
    assert by_make < {module(name) for name in COMMANDS}
    for name in COMMANDS:
        source = clouds.ROOT / "src" / f"{module(name).replace('.', '/')}.py"
        assert f'errors.run("{name}", main' in source.read_text()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (UserError("no such file"), "tool: no such file"),
        (PermissionError(13, "Permission denied", "a.jpg"), "tool: [Errno 13] Permission denied: 'a.jpg'"),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "expired"}}, "GetCallerIdentity"), "AWS_PROFILE"),
        (
            ClientError({"Error": {"Code": "NoSuchBucket", "Message": "gone"}}, "PutObject"),
            "tool: AWS said: An error occurred (NoSuchBucket)",
        ),
        (exceptions.ProfileNotFound(profile="mine"), "(mine) could not be found\nGive credentials"),
        (exceptions.ConnectTimeoutError(endpoint_url="http://127.0.0.1"), "no LocalStack answers"),
    ],
)
def test_what_can_be_mended_is_told(error: Exception, said: str) -> None:
    def fails() -> int:
        raise error

    assert said in str(ended("tool", fails))


def test_an_account_that_cannot_be_reached_is_no_emulator_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUD", "aws")

    def fails() -> int:
        raise exceptions.EndpointConnectionError(endpoint_url="https://sts.eu-nowhere-1.amazonaws.com/")

    assert re.fullmatch(r"tool: Could not connect .*nowhere.*is AWS_REGION a region\?", str(ended("tool", fails)))


@pytest.mark.parametrize(("code", "told"), [("InvalidClientTokenId", True), ("UnrecognizedClientException", True), ("ExpiredToken", False)])
def test_a_region_that_is_not_enabled_knows_no_credentials(code: str, told: bool) -> None:
    """Opt-in regions: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_temp_enable-regions.html"""

    def fails() -> int:
        raise ClientError(
            {"Error": {"Code": code, "Message": "The security token included in the request is invalid."}}, "GetCallerIdentity"
        )

    assert ("Has the account enabled the region" in str(ended("tool", fails))) is told


def test_what_nobody_foresaw_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError):
        errors.run("tool", lambda: 1 // 0)


@pytest.mark.parametrize("resumes", [True, False])
def test_ctrl_c_is_no_failure(resumes: bool, capsys: pytest.CaptureFixture[str]) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    assert ended("tool", interrupted, resumes=resumes) == 130
    assert capsys.readouterr().err == ("tool: interrupted; the same command goes on where it stopped\n" if resumes else "")


def test_a_code_is_handed_on() -> None:
    assert ended("audit", lambda: 3) == 3
