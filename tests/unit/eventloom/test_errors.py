"""If the user can fix a problem, every command prints a sentence that says how."""

import os
import re
import socket
from collections.abc import Iterator

import boto3
import click
import pytest
from botocore import exceptions
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from click.testing import CliRunner, Result

from eventloom import clouds
from eventloom.cli import ENTRIES, Entry, Eventloom, main
from eventloom.errors import UserError

# For each command that needs a cloud, arguments with which it sends a request
COMMANDS = {
    "demo": "",
    "upload": __file__,
    "open": "",
    "preflight": "",
    "plan": "",
    "deploy": "",
    "apply-saved": "",
    "saved-plan": f"get --run 1 --sha256 {64 * '0'} --version-id 1",
    "destroy": "--yes",
    "unlock": "",
    "outputs": "",
    "state-bucket": "",
    "github-roles": "--repository octo-org/octo-repo --owner-id 1 --repository-id 2",
    "example": "deploy cron-job",
    "logs": "digest",
    "trace": "holiday.jpg",
    "dev": "digest",
    "debug": "digest",
    "watch": "--once",
    "report": "",
    "invoke": "digest --event manual",
    "dlq": "list",
    "backfill": "",
    "audit": "",
    "upgrade-catalog": "",
    "restore-items": "restored --into activity",
    "replay": f"--file {__file__}",
    "simulate": "measure",
}
# These commands work without a cloud, or report about the emulator itself.
WITHOUT_CLOUD = {
    "thumbnail",
    "build",
    "new-function",
    "remove-function",
    "up",
    "down",
    "restart",
    "status",
    "completion",
}
NO_ENVIRONMENT = {"example"}
ON_AWS = [name for name in COMMANDS if name not in {"demo", "debug"}]


@pytest.fixture(autouse=True)
def nothing_set_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Provide neither credentials nor a region, and an embedded LocalStack that is not running."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CLOUD", raising=False)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setitem(clouds.CLOUDS, "embedded", clouds.Cloud("embedded", free.getsockname()[1], "LocalStack"))
    clouds.choose(None)
    clouds.forget_clients()
    yield
    clouds.choose(None)
    clouds.forget_clients()


def typed(name: str, *options: str) -> Result:
    """Type a command of COMMANDS with these options."""
    return CliRunner().invoke(main, [name, *COMMANDS[name].split(), *options])


def test_every_command_is_tested_here_or_needs_no_cloud() -> None:
    assert COMMANDS.keys() | WITHOUT_CLOUD == ENTRIES.keys()


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "demo"])
def test_without_an_emulator_the_message_says_how_to_start_one(name: str) -> None:
    result = typed(name, "--cloud", "embedded")
    assert result.exit_code == 1, result.output
    endpoint = clouds.CLOUDS["embedded"].endpoint
    assert f"Error: no LocalStack answers at {endpoint}; start it with ./eventloom up" in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("name", ON_AWS)
def test_without_a_region_the_message_says_how_to_set_it(name: str) -> None:
    result = typed(name, "--cloud", "aws", *([] if name in NO_ENVIRONMENT else ["--env", "dev"]))
    assert result.exit_code == 1, result.output
    assert "Set AWS_REGION." in result.stderr


@pytest.mark.parametrize("name", ON_AWS)
def test_without_credentials_the_message_says_how_to_set_them(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    result = typed(name, "--cloud", "aws", *([] if name in NO_ENVIRONMENT else ["--env", "dev"]))
    assert result.exit_code == 1, result.output
    assert "AWS_PROFILE" in result.stderr


def failing(error: BaseException, *, resumes: bool = False, monkeypatch: pytest.MonkeyPatch) -> Result:
    """Run a command that raises this error, in the project's command tree."""

    @click.command("tool")
    def tool() -> None:
        raise error

    class Tool(Entry):
        def load(self) -> click.Command:
            return tool

    monkeypatch.setitem(ENTRIES, "tool", Tool("", "", resumes))
    return CliRunner().invoke(Eventloom("eventloom"), ["tool"])


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (UserError("no such file"), "Error: no such file"),
        (PermissionError(13, "Permission denied", "a.jpg"), "Error: [Errno 13] Permission denied: 'a.jpg'"),
        (ClientError({"Error": {"Code": "ExpiredToken", "Message": "expired"}}, "GetCallerIdentity"), "AWS_PROFILE"),
        (
            ClientError({"Error": {"Code": "NoSuchBucket", "Message": "gone"}}, "PutObject"),
            "Error: AWS answered: An error occurred (NoSuchBucket)",
        ),
        (exceptions.ProfileNotFound(profile="mine"), "(mine) could not be found\nSet AWS credentials"),
        (exceptions.ConnectTimeoutError(endpoint_url="http://127.0.0.1"), "no LocalStack answers"),
        (ResponseParserError("Unable to parse response"), "is not LocalStack; stop it, or choose another port"),
    ],
)
def test_a_problem_that_the_user_can_fix_is_one_sentence(
    error: Exception, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = failing(error, monkeypatch=monkeypatch)
    assert result.exit_code == 1
    assert message in result.stderr


def test_an_unreachable_account_is_not_reported_as_a_stopped_emulator(monkeypatch: pytest.MonkeyPatch) -> None:
    clouds.choose("aws")
    error = exceptions.EndpointConnectionError(endpoint_url="https://sts.eu-nowhere-1.amazonaws.com/")
    result = failing(error, monkeypatch=monkeypatch)
    assert re.fullmatch(r"Error: Could not connect .*nowhere.*that AWS_REGION is a region\.\n", result.stderr)


@pytest.mark.parametrize(
    ("code", "is_region"),
    [("InvalidClientTokenId", True), ("UnrecognizedClientException", True), ("ExpiredToken", False)],
)
def test_a_region_that_is_not_enabled_is_mentioned(code: str, is_region: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    error = ClientError({"Error": {"Code": code, "Message": "The security token is invalid."}}, "GetCallerIdentity")
    result = failing(error, monkeypatch=monkeypatch)
    assert ("the account has enabled the region" in result.stderr) is is_region


def test_an_unforeseen_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(failing(ZeroDivisionError(), monkeypatch=monkeypatch).exception, ZeroDivisionError)


@pytest.mark.parametrize("resumes", [True, False])
def test_ctrl_c_ends_with_130_and_says_whether_the_command_resumes(
    resumes: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = failing(KeyboardInterrupt(), resumes=resumes, monkeypatch=monkeypatch)
    assert result.exit_code == 130
    assert result.stderr == ("interrupted; the same command continues where it stopped\n" if resumes else "")
