"""Fixtures for an account of moto with a fake Terraform."""

import json
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from click.testing import CliRunner, Result
from moto import mock_aws

from eventloom import clouds
from eventloom.cli import main
from eventloom.clouds import client
from eventloom.deployment import outputs, state_bucket

BUCKET = "eventloom-state-123456789012-eu-central-1"
# A plan that deletes an API method, and the snapshot that still has it
PLAN = {
    "resource_changes": [
        {"address": "method", "type": "aws_api_gateway_method", "change": {"actions": ["delete"]}},
        {"address": "snapshot", "type": "aws_api_gateway_deployment", "change": {"actions": ["update"]}},
    ]
}


class FakeGateway:
    """API Gateway with a role for logs and APIs. moto's version needs packages that no other test uses."""

    def __init__(self) -> None:
        self.role = ""
        self.apis: list[str] = []
        boto3.setup_default_session()  # The next clients are of this session.
        boto3.DEFAULT_SESSION.events.register("before-call.api-gateway", self._answer)

    def _answer(self, model: Any, params: dict[str, Any], **_: Any) -> tuple[SimpleNamespace, dict[str, Any]]:
        """Return what boto3 takes for the response, so that no request is sent."""
        if model.name == "UpdateAccount":
            (change,) = json.loads(params["body"])["patchOperations"]
            assert (change["op"], change["path"]) == ("replace", "/cloudwatchRoleArn")
            self.role = change["value"]
        answers: dict[str, dict[str, Any]] = {
            "GetAccount": {"cloudwatchRoleArn": self.role},
            "GetRestApis": {"items": [{"name": name} for name in self.apis]},
            "UpdateAccount": {},
        }
        return SimpleNamespace(status_code=200), answers[model.name]


class FakeTerraform:
    """A fake Terraform executable that records its calls, with the states in the account."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.executable = folder / "terraform"
        script = Path(__file__).with_name("fake_terraform.py")
        self.executable.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(script))} "$@"\n')
        self.executable.chmod(0o755)
        (folder / "plan.json").write_text(json.dumps(PLAN))
        self.states: dict[str, dict[str, Any]] = {}
        self.gateway: FakeGateway

    def deploy(self, environment: str, **values: Any) -> None:
        """Change a state, as if somebody deployed from another machine."""
        state = self.states.setdefault(
            environment, {"environment": environment, "uploads_bucket": f"{environment}-uploads"}
        )
        state |= values
        (self.folder / f"{environment}.json").write_text(json.dumps(state))
        for key in (state_bucket.KEY, f"{state_bucket.KEY}.backup"):
            client("s3").put_object(Bucket=BUCKET, Key=f"env:/{environment}/{key}", Body=json.dumps(state).encode())

    def fail(self, subcommand: str, text: str) -> None:
        """Make a subcommand fail with this output."""
        (self.folder / f"fail-{subcommand}").write_text(text)

    def calls(self) -> list[dict[str, Any]]:
        """Return its calls, in order."""
        file = self.folder / "calls.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def count(self, *arguments: str) -> int:
        """Return the number of calls with these arguments."""
        return sum(call["arguments"] == list(arguments) for call in self.calls())


@pytest.fixture
def build_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Provide a folder for cached outputs."""
    folder = tmp_path / "build"
    folder.mkdir()
    monkeypatch.setattr(outputs, "BUILD", folder)
    return folder


@pytest.fixture
def terraform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, build_folder: Path) -> Iterator[FakeTerraform]:
    """Provide an account on AWS in which dev and prod are deployed."""
    folder = tmp_path / "terraform"
    folder.mkdir()
    fake = FakeTerraform(folder)
    variables = {
        "AWS_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "TERRAFORM": str(fake.executable),
        "FAKE_TERRAFORM": str(folder),
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CLOUD", raising=False)
    clouds.choose("aws")
    clouds.forget_clients()
    with mock_aws():
        fake.gateway = FakeGateway()
        client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        fake.deploy("dev")
        fake.deploy("prod")
        yield fake
    clouds.choose(None)
    clouds.forget_clients()
    boto3.setup_default_session()


def typed(*arguments: str) -> Result:
    """Run a command and return its output and exit code."""
    return CliRunner().invoke(main, list(arguments))
