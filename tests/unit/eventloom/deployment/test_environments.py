"""Every tool acts on the environment that is named and on no other; what only looks makes nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest
from moto import mock_aws

from eventloom import clouds, terminal
from eventloom.clouds import client
from eventloom.deployment import apply as deploy
from eventloom.deployment import state_bucket
from eventloom.errors import UserError

BUCKET = "eventloom-state-123456789012-eu-central-1"


class Terraform:
    """Stands for Terraform: the outputs in each workspace's state, and the commands that it was given, the last one's workspace by kind."""

    # An API method that goes, and the snapshot that still holds it
    plan: ClassVar = {
        "resource_changes": [
            {"address": "method", "type": "aws_api_gateway_method", "change": {"actions": ["delete"]}},
            {"address": "snapshot", "type": "aws_api_gateway_deployment", "change": {"actions": ["update"]}},
        ]
    }

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {
            name: {"environment": name, "uploads_bucket": f"{name}-uploads"} for name in ("dev", "prod")
        }
        self.ran: list[tuple[str, ...]] = []
        self.workspaces: dict[str, str | None] = {}

    def apply(self, name: str, **outputs: str) -> None:
        """Change a state, as if it were deployed from elsewhere."""
        self.states[name] |= outputs
        for key in (state_bucket.KEY, f"{state_bucket.KEY}.tflock"):
            client("s3").put_object(Bucket=BUCKET, Key=f"env:/{name}/{key}", Body=json.dumps(self.states[name]).encode())

    def __call__(self, *arguments: str, capture: bool = False, workspace: str | None = None) -> str:
        self.ran.append(arguments)
        self.workspaces[arguments[0]] = workspace
        if arguments[0] == "show":
            return json.dumps(self.plan)
        if arguments == ("output", "-json"):
            assert workspace in self.states, "Terraform makes a workspace that it is sent to"
            return json.dumps({name: {"value": value} for name, value in self.states[workspace].items()})
        return ""


@pytest.fixture
def terraform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Terraform]:
    """An account with a state bucket, and no outputs kept."""
    for name, value in {"CLOUD": "aws", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)
    made = Terraform()
    monkeypatch.setattr(deploy, "terraform", made)
    monkeypatch.setattr(deploy, "BUILD", tmp_path)
    clouds.chosen_cloud.cache_clear()
    clouds.client.cache_clear()
    with mock_aws():
        client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        for name in made.states:
            made.apply(name)
        yield made
    clouds.chosen_cloud.cache_clear()
    clouds.client.cache_clear()


def test_each_environment_has_outputs_of_its_own(terraform: Terraform, tmp_path: Path) -> None:
    for _ in range(2):
        assert terminal.environment("prod")["uploads_bucket"] == "prod-uploads"
        assert terminal.environment("dev")["uploads_bucket"] == "dev-uploads"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outputs.aws.dev.json", "outputs.aws.prod.json"]
    assert terraform.ran.count(("output", "-json")) == 2, "the second time they are kept"


def test_what_is_deployed_elsewhere_is_found_in_its_state_and_the_selected_workspace_stays(terraform: Terraform) -> None:
    for bucket in ("dev-uploads", "another"):
        terraform.apply("dev", uploads_bucket=bucket)
        assert terminal.environment("dev")["uploads_bucket"] == bucket
    assert [arguments for arguments in terraform.ran if arguments[:2] == ("workspace", "select")] == []


def test_a_mistyped_environment_is_told_with_those_there_are_and_makes_nothing(terraform: Terraform, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=rf"'dve' .*{BUCKET} has the state of dev, prod; make deploy ENV=dve"):
        terminal.environment("dve")
    assert terraform.ran == []
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def no_bucket(terraform: Terraform) -> Terraform:
    """The same account before anything was deployed there."""
    for found in client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]:
        client("s3").delete_object(Bucket=BUCKET, Key=found["Key"])
    client("s3").delete_bucket(Bucket=BUCKET)
    return terraform


def test_an_account_without_state_is_told_and_gets_none(no_bucket: Terraform) -> None:
    with pytest.raises(UserError, match=f"there is no bucket {BUCKET}"):
        terminal.environment("dev")
    assert client("s3").list_buckets()["Buckets"] == []
    assert no_bucket.ran == []


def test_an_environment_that_was_destroyed_leaves_no_outputs(terraform: Terraform, tmp_path: Path) -> None:
    terraform.states["dev"] = {}
    with pytest.raises(UserError, match="its state is empty"):
        terminal.environment("dev")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("action", ["destroy", "output"])
def test_what_is_not_there_cannot_be_destroyed_or_shown(terraform: Terraform, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["deploy.py", action, "--env", "dve"])
    with pytest.raises(UserError, match="nothing is deployed in 'dve'"):
        deploy.main()
    assert terraform.ran == []


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ("dve", "there is no environment 'dve'; terraform/environments.json has: local, dev, staging, prod"),
        ("local", "'local' may only be in account 000000000000, and these credentials are of account 123456789012"),
    ],
)
@pytest.mark.parametrize("action", ["plan", "apply", "apply-saved"])
def test_an_environment_that_does_not_belong_there_makes_nothing(
    no_bucket: Terraform, action: str, environment: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["deploy.py", action, "--env", environment])
    with pytest.raises(UserError, match=why):
        deploy.main()
    assert client("s3").list_buckets()["Buckets"] == []
    assert no_bucket.ran == []


def test_what_is_deployed_in_another_region_is_not_deployed_again_by_mistake(terraform: Terraform, monkeypatch: pytest.MonkeyPatch) -> None:
    client("s3").put_object(Bucket=BUCKET, Key=f"env:/dev/{state_bucket.KEY}", Body=b'{"resources": [{}]}')
    client("s3").put_object(Bucket=BUCKET, Key=f"env:/prod/{state_bucket.KEY}", Body=b'{"resources": []}')  # destroyed
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    clouds.client.cache_clear()
    with pytest.raises(UserError, match=rf"'dev' is deployed in another region, its state is in {BUCKET}"):
        deploy.prepare("dev")
    assert [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]] == [BUCKET]
    assert terraform.ran == []
    deploy.prepare("prod")


def test_another_run_that_selects_another_workspace_changes_nothing_for_this_one(terraform: Terraform, tmp_path: Path) -> None:
    (tmp_path / "dev.tfplan").touch()
    deploy.apply("dev", tmp_path / "dev.tfplan")
    assert terraform.workspaces == dict.fromkeys(("plan", "show", "apply", "taint", "output"), "dev")


@pytest.mark.usefixtures("terraform")
def test_on_aws_an_environment_has_to_be_named() -> None:
    with pytest.raises(UserError, match=r"--env dev\|staging\|prod"):
        terminal.environment(None)


def test_an_emulator_that_was_started_anew_has_nothing_of_what_was_deployed_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(deploy, "BUILD", tmp_path)
    monkeypatch.setattr(state_bucket, "bucket_name", lambda: BUCKET)
    monkeypatch.setattr(state_bucket, "exists", lambda _: False)
    deploy.outputs_file("local").write_text(json.dumps({"state": "before", "outputs": {"environment": "local"}}))
    with pytest.raises(UserError, match=f"there is no bucket {BUCKET}; make demo deploys it"):
        terminal.environment("local")


TOOLS = "upload invoke logs watch report plan deploy apply-saved destroy dlq backfill audit replay simulate"


@pytest.mark.parametrize("target", TOOLS.split())
def test_make_hands_the_environment_on(target: str) -> None:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name not in {"CLOUD", "ENV"}}
    command = ["make", "-n", target, "ENV=staging", "FN=digest", "EVENT=manual", "FILE=a.jpg"]
    shown = subprocess.run(command, cwd=clouds.ROOT, env=variables, check=True, capture_output=True, text=True).stdout
    (line,) = [line for line in shown.splitlines() if "--env" in line]
    assert "--env staging" in line
