"""Every tool acts on the environment that is named and on no other; what only looks makes nothing."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto import mock_aws

import clouds
import deploy
import state_bucket
from clouds import client
from operations import console
from pipeline import PipelineError

BUCKET = "eventloom-state-123456789012-eu-central-1"


class Terraform:
    """Stands for Terraform: the outputs in each workspace's state, and the commands that it was given."""

    def __init__(self) -> None:
        self.states: dict[str, dict[str, Any]] = {
            name: {"environment": name, "uploads_bucket": f"{name}-uploads"} for name in ("dev", "prod")
        }
        self.ran: list[tuple[str, ...]] = []

    def apply(self, name: str, **outputs: str) -> None:
        """Change a state, as if it were deployed from elsewhere."""
        self.states[name] |= outputs
        for key in (state_bucket.KEY, f"{state_bucket.KEY}.tflock"):
            client("s3").put_object(Bucket=BUCKET, Key=f"env:/{name}/{key}", Body=json.dumps(self.states[name]).encode())

    def __call__(self, *arguments: str, capture: bool = False, workspace: str | None = None) -> str:
        self.ran.append(arguments)
        if arguments == ("output", "-json"):
            assert workspace in self.states, "Terraform makes a workspace that it is sent to"
            return json.dumps({name: {"value": value} for name, value in self.states[workspace].items()})
        return ""


@pytest.fixture
def terraform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Terraform]:
    """An account with a state bucket, and no outputs kept."""
    for name, value in {"LANE": "aws", "AWS_REGION": "eu-central-1", "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}.items():
        monkeypatch.setenv(name, value)
    made = Terraform()
    monkeypatch.setattr(deploy, "terraform", made)
    monkeypatch.setattr(deploy, "BUILD", tmp_path)
    clouds.lane.cache_clear()
    clouds.client.cache_clear()
    with mock_aws():
        client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
        for name in made.states:
            made.apply(name)
        yield made
    clouds.lane.cache_clear()
    clouds.client.cache_clear()


def test_each_environment_has_outputs_of_its_own(terraform: Terraform, tmp_path: Path) -> None:
    for _ in range(2):
        assert console.environment("prod")["uploads_bucket"] == "prod-uploads"
        assert console.environment("dev")["uploads_bucket"] == "dev-uploads"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["outputs.aws.dev.json", "outputs.aws.prod.json"]
    assert terraform.ran.count(("output", "-json")) == 2, "the second time they are kept"


def test_what_is_deployed_elsewhere_is_found_in_its_state_and_the_selected_workspace_stays(terraform: Terraform) -> None:
    for bucket in ("dev-uploads", "another"):
        terraform.apply("dev", uploads_bucket=bucket)
        assert console.environment("dev")["uploads_bucket"] == bucket
    assert [arguments for arguments in terraform.ran if arguments[:2] == ("workspace", "select")] == []


def test_a_mistyped_environment_is_told_with_those_there_are_and_makes_nothing(terraform: Terraform, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=rf"'dve' .*{BUCKET} has the state of dev, prod; make deploy ENV=dve"):
        console.environment("dve")
    assert terraform.ran == []
    assert list(tmp_path.iterdir()) == []


def test_an_account_without_state_is_told_and_gets_none(terraform: Terraform) -> None:
    for found in client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]:
        client("s3").delete_object(Bucket=BUCKET, Key=found["Key"])
    client("s3").delete_bucket(Bucket=BUCKET)
    with pytest.raises(PipelineError, match=f"there is no bucket {BUCKET}"):
        console.environment("dev")
    assert client("s3").list_buckets()["Buckets"] == []
    assert terraform.ran == []


def test_an_environment_that_was_destroyed_leaves_no_outputs(terraform: Terraform, tmp_path: Path) -> None:
    terraform.states["dev"] = {}
    with pytest.raises(PipelineError, match="its state is empty"):
        console.environment("dev")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("action", ["destroy", "output"])
def test_what_is_not_there_cannot_be_destroyed_or_shown(terraform: Terraform, action: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["deploy.py", action, "--env", "dve"])
    with pytest.raises(PipelineError, match="nothing is deployed in 'dve'"):
        deploy.main()
    assert terraform.ran == []


@pytest.mark.usefixtures("terraform")
def test_on_aws_an_environment_has_to_be_named() -> None:
    with pytest.raises(PipelineError, match=r"--env dev\|staging\|prod"):
        console.environment(None)


def test_an_emulator_that_was_started_anew_has_nothing_of_what_was_deployed_before(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(deploy, "BUILD", tmp_path)
    monkeypatch.setattr(state_bucket, "bucket_name", lambda: BUCKET)
    monkeypatch.setattr(state_bucket, "exists", lambda _: False)
    deploy.outputs_file("local").write_text(json.dumps({"state": "before", "outputs": {"environment": "local"}}))
    with pytest.raises(PipelineError, match=f"there is no bucket {BUCKET}; make demo deploys it"):
        console.environment("local")


TOOLS = "upload invoke logs watch report plan deploy apply-saved destroy dlq backfill audit replay simulate"


@pytest.mark.parametrize("target", TOOLS.split())
def test_make_hands_the_environment_on(target: str) -> None:
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MAKE") and name not in {"LANE", "ENV"}}
    command = ["make", "-n", target, "ENV=staging", "FN=digest", "EVENT=manual", "FILE=a.jpg"]
    shown = subprocess.run(command, cwd=clouds.ROOT, env=variables, check=True, capture_output=True, text=True).stdout
    (line,) = [line for line in shown.splitlines() if "--env" in line]
    assert "--env staging" in line
