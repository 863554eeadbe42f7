"""The roles of the delivery pipeline allow what the workflow does, and nothing else.

The workflow's commands run against an emulator that enforces IAM, with the credentials of each role's session. The
commands plan, apply the saved plan, plan once more and destroy.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from tests.embedded import home, launch
from tests.integration.checkouts import another_checkout

pytestmark = pytest.mark.timeout(1800)

PORT = int(os.environ.get("DELIVERY_PORT", "4588"))
ENDPOINT = f"http://127.0.0.1:{PORT}"
BUCKET = "eventloom-state-000000000000-us-east-1"
STATE = "env:/local/eventloom.tfstate"
GITHUB = ("--repository", "octo-org/octo-repo", "--owner-id", "1", "--repository-id", "2")
ADMINISTRATOR = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


class Pipeline:
    """A checkout whose commands run with the credentials of a role, as the jobs of the workflow do."""

    def __init__(self, checkout: Path) -> None:
        self.checkout = checkout
        self.sessions: dict[str, dict[str, str]] = {"administrator": ADMINISTRATOR}

    def assume(self, kind: str) -> None:
        """Get credentials for a role. The emulator lets LocalStack's own key assume any role."""
        arn = f"arn:aws:iam::000000000000:role/github-eventloom-local-{kind}"
        session = self.client("sts").assume_role(RoleArn=arn, RoleSessionName="workflow")["Credentials"]
        self.sessions[kind] = {
            "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
            "AWS_SESSION_TOKEN": session["SessionToken"],
        }

    def client(self, service: str, role: str = "administrator") -> Any:
        """Return a client with the credentials of a role."""
        credentials = {name.lower(): value for name, value in self.sessions[role].items()}
        return boto3.client(service, endpoint_url=ENDPOINT, region_name="us-east-1", **credentials)  # type: ignore[call-overload]

    def run(self, role: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run ./eventloom as on AWS. AWS_ENDPOINT_URL directs its requests to the emulator."""
        variables = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTEST"))}
        variables |= self.sessions[role] | {
            "AWS_ENDPOINT_URL": ENDPOINT,
            "AWS_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "CLOUD": "aws",
            "TF_VAR_s3_use_path_style": "true",
        }
        command = ["./eventloom", *arguments, "--env", "local"]
        return subprocess.run(
            command, cwd=self.checkout, env=variables, check=False, text=True, capture_output=True, timeout=900
        )

    def succeed(self, role: str, *arguments: str) -> str:
        """Run ./eventloom and return its stdout. Fails if the command fails."""
        process = self.run(role, *arguments)
        assert process.returncode == 0, process.stdout[-3000:] + process.stderr[-3000:]
        return process.stdout

    def denied(self) -> set[tuple[str, str]]:
        """Return the kind of role and the action of every request that IAM denied so far."""
        lines = (home(PORT) / "denials.jsonl").read_text(encoding="utf-8").splitlines()
        return {
            (record["who"].rpartition("/")[0].rpartition("-")[2], record["action"]) for record in map(json.loads, lines)
        }

    def deployed(self) -> list[str]:
        """Return the functions, roles and buckets of the environment."""
        functions = [entry["FunctionName"] for entry in self.client("lambda").list_functions()["Functions"]]
        roles = [entry["RoleName"] for entry in self.client("iam").list_roles()["Roles"]]
        buckets = [entry["Name"] for entry in self.client("s3").list_buckets()["Buckets"]]
        return [name for name in (*functions, *roles, *buckets) if name.startswith("eventloom-local-")]


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pipeline]:
    """Yield a checkout with an account in which an administrator created the state bucket and both roles."""
    launch("up", PORT)
    try:
        made = Pipeline(another_checkout(tmp_path_factory.mktemp("delivery") / "checkout", "venv"))
        made.succeed("administrator", "state-bucket")
        made.succeed("administrator", "github-roles", *GITHUB, "--create")
        for kind in ("plan", "deploy"):
            made.assume(kind)
        yield made
    finally:
        launch("down", PORT, "--forget")


@pytest.fixture(scope="module")
def receipt(pipeline: Pipeline) -> list[str]:
    """Return the options that name the plan of the plan job."""
    pipeline.succeed("plan", "plan")
    sent = pipeline.succeed("plan", "saved-plan", "put", "--run", "17")
    values = dict(line.split("=", 1) for line in sent.splitlines())
    return ["--sha256", values["sha256"], "--version-id", values["version_id"]]


@pytest.fixture(scope="module")
def applied(pipeline: Pipeline, receipt: list[str]) -> str:
    """Apply that plan as the apply job does, and return the output."""
    pipeline.succeed("deploy", "saved-plan", "get", "--run", "17", *receipt)
    return pipeline.succeed("deploy", "apply-saved", *receipt[:2], "--yes")


def test_the_role_that_plans_changes_nothing(pipeline: Pipeline, receipt: list[str]) -> None:
    """The role wrote its plan and the lock. The same session may write nothing else, above all no state."""
    s3 = pipeline.client("s3", "plan")
    attempts = {
        "state": lambda: s3.put_object(Bucket=BUCKET, Key=STATE, Body=b"{}"),
        "another environment's plan": lambda: s3.put_object(Bucket=BUCKET, Key="plans/17/prod.tfplan", Body=b""),
        "deletion of the plan": lambda: s3.delete_object(Bucket=BUCKET, Key="plans/17/local.tfplan"),
        "protections": lambda: s3.delete_bucket_policy(Bucket=BUCKET),
        "role": lambda: pipeline.client("iam", "plan").create_role(
            RoleName="eventloom-local-mine", AssumeRolePolicyDocument="{}"
        ),
        "queue": lambda: pipeline.client("sqs", "plan").create_queue(QueueName="eventloom-local-mine"),
    }
    for name, attempt in attempts.items():
        with pytest.raises(ClientError, match=r"is not authorized to perform") as refused:
            attempt()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403, name
    process = pipeline.run("plan", "saved-plan", "get", "--run", "17", *receipt)
    assert "is not authorized to perform: s3:GetObjectVersion" in process.stderr
    process = pipeline.run("plan", "apply-saved", *receipt[:2], "--yes")
    assert process.returncode == 1
    assert pipeline.deployed() == []


def test_the_role_that_deploys_applies_the_plan(pipeline: Pipeline, applied: str) -> None:
    assert " added" in applied
    assert "eventloom-local-thumbnailer" in pipeline.deployed()


@pytest.mark.usefixtures("applied")
def test_the_role_that_plans_reads_all_that_is_deployed(pipeline: Pipeline) -> None:
    assert "No changes." in pipeline.succeed("plan", "plan")


@pytest.mark.usefixtures("applied")
def test_the_role_that_deploys_stays_in_its_environment(pipeline: Pipeline) -> None:
    iam, s3 = pipeline.client("iam", "deploy"), pipeline.client("s3", "deploy")
    administrator = "arn:aws:iam::aws:policy/AdministratorAccess"
    attempts = {
        "its own policy": lambda: iam.put_role_policy(
            RoleName="github-eventloom-local-deploy", PolicyName="more", PolicyDocument="{}"
        ),
        "administration": lambda: iam.attach_role_policy(RoleName="eventloom-local-digest", PolicyArn=administrator),
        "another state": lambda: s3.put_object(Bucket=BUCKET, Key="env:/prod/eventloom.tfstate", Body=b"{}"),
        "a plan": lambda: s3.put_object(Bucket=BUCKET, Key="plans/17/local.tfplan", Body=b""),
        "another environment": lambda: pipeline.client("sqs", "deploy").create_queue(QueueName="eventloom-prod-mine"),
    }
    for name, attempt in attempts.items():
        with pytest.raises(ClientError, match=r"is not authorized to perform") as refused:
            attempt()
        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403, name


@pytest.mark.usefixtures("applied")
def test_the_role_that_deploys_destroys_the_environment(pipeline: Pipeline) -> None:
    """This test is the last, so it also checks that IAM denied nothing in the commands that succeeded."""
    before = pipeline.denied()
    pipeline.succeed("deploy", "destroy", "--yes")
    assert pipeline.deployed() == []
    assert pipeline.denied() == before
