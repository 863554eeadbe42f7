"""The modules work in another repository, by git source, with a prefix, a region, functions and a separate key.

The other repository uses only the files that Terraform downloads: the modules' folder at a tag.
"""

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from eventloom import clouds
from eventloom.clouds import ROOT
from tests.integration.support import applies_for_tags, eventually

REGION = "us-west-2"
CONFIGURATION = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.100, < 7.0" }
  }
}

provider "aws" {
  s3_use_path_style = true
}

provider "aws" {
  alias             = "west"
  region            = "us-west-2"
  s3_use_path_style = true
}

resource "aws_kms_key" "own" {
  provider                = aws.west
  deletion_window_in_days = 7
}

resource "aws_iam_policy" "boundary" {
  name   = "acme-boundary"
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
}

# The functions have no kms_key_arn: LocalStack does not keep it, so that each plan would show a change.
locals {
  triggers = {
    order-reader = { sqs = { orders = { queue_arn = module.orders.arn, kms_key_arn = aws_kms_key.own.arn } } }
    report       = {}
  }
}

module "orders" {
  source             = "git::SOURCE//terraform/modules/queue?ref=v0.1.0&depth=1"
  providers          = { aws = aws.west }
  name               = "acme-orders"
  consumer_timeout_s = 10
  kms_key_arn        = aws_kms_key.own.arn
  tags               = { CostCenter = "orders" }
}

module "function" {
  for_each             = local.triggers
  source               = "git::SOURCE//terraform/modules/function?ref=v0.1.0&depth=1"
  providers            = { aws = aws.west }
  name                 = each.key
  prefix               = "acme"
  package              = "${path.root}/hello.zip"
  handler              = "hello.lambda_handler"
  environment          = { GREETING = "hello from ${each.key}" }
  permissions_boundary = aws_iam_policy.boundary.arn
  role_path            = "/acme/"
  tags                 = { CostCenter = "orders" }
  timeout_s            = 10
  triggers             = each.value
}

output "functions" {
  value = { for name, function in module.function : name => function.alias_arn }
}

output "queue_url" {
  value = module.orders.url
}
"""
CODE = """
import os

def lambda_handler(event, context):
    if event.get("Records"):
        print("records:", [record["body"] for record in event["Records"]])
        return {"batchItemFailures": []}
    return {"said": os.environ["GREETING"], "variables": sorted(name for name in os.environ if "POWERTOOLS" in name)}
"""


def git(folder: Path, *arguments: str) -> None:
    """Run git in a folder, whatever the user's configuration."""
    identity = {"GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@example.com"}
    identity |= {name.replace("AUTHOR", "COMMITTER"): value for name, value in identity.items()}
    variables = os.environ | identity | {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", "-C", str(folder), *arguments], env=variables, check=True, capture_output=True)


def terraform(folder: Path, *arguments: str) -> str:
    """Run Terraform in the other repository, and return what it prints."""
    environment = clouds.chosen_cloud().environment()
    process = subprocess.run(
        ["terraform", f"-chdir={folder}", *arguments], env=environment, check=False, capture_output=True, text=True
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def remote_client(service: str) -> Any:
    """Return a client for the region of the other repository."""
    variables = clouds.chosen_cloud().environment()
    return boto3.client(
        service,
        region_name=REGION,
        endpoint_url=clouds.chosen_cloud().endpoint,
        aws_access_key_id=variables.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=variables.get("AWS_SECRET_ACCESS_KEY"),
    )


@pytest.fixture(scope="module")
def outputs(cloud: clouds.Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """Apply the other repository and return its outputs; destroy it at the end."""
    published = tmp_path_factory.mktemp("published")
    shutil.copytree(ROOT / "terraform/modules", published / "terraform/modules", ignore=shutil.ignore_patterns(".*"))
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "modules"], ["tag", "v0.1.0"]):
        git(published, *arguments)
    folder = tmp_path_factory.mktemp("another")
    (folder / "main.tf").write_text(CONFIGURATION.replace("SOURCE", f"file://{published}"))
    with zipfile.ZipFile(folder / "hello.zip", "w") as package:
        package.writestr("hello.py", CODE)
    terraform(folder, "init", "-input=false")
    try:
        for _ in range(applies_for_tags()):
            terraform(folder, "apply", "-input=false", "-auto-approve", "-parallelism=20")
        content = json.loads(terraform(folder, "output", "-json"))
        messages = [json.loads(line) for line in terraform(folder, "plan", "-input=false", "-json").splitlines()]
        changes = [message["change"]["resource"]["addr"] for message in messages if message["type"] == "planned_change"]
        yield {name: output["value"] for name, output in content.items()} | {"changes": changes}
    finally:
        terraform(folder, "destroy", "-input=false", "-auto-approve", "-parallelism=20")
    names = [entry["FunctionName"] for entry in remote_client("lambda").list_functions()["Functions"]]
    queues = remote_client("sqs").list_queues(QueueNamePrefix="acme").get("QueueUrls", [])
    roles = remote_client("iam").list_roles(PathPrefix="/acme/")["Roles"]
    assert (names, queues, roles) == ([], [], [])


def test_every_function_of_the_other_repository_runs(outputs: dict[str, Any]) -> None:
    for name, arn in outputs["functions"].items():
        answer = json.load(remote_client("lambda").invoke(FunctionName=arn)["Payload"])
        # The modules add no environment variables to other people's functions.
        assert answer == {"said": f"hello from {name}", "variables": []}
        assert f":{REGION}:" in arn


def test_a_message_reaches_the_function_of_the_other_repository(outputs: dict[str, Any]) -> None:
    body = "order 1"
    remote_client("sqs").send_message(QueueUrl=outputs["queue_url"], MessageBody=body)

    def logged() -> bool:
        events = remote_client("logs").filter_log_events(logGroupName="/aws/lambda/acme-order-reader")["events"]
        return any(body in event["message"] for event in events)

    eventually(logged, "the message in the function's log")


def test_the_roles_have_the_boundary_the_path_and_the_tags(outputs: dict[str, Any]) -> None:
    role = remote_client("iam").get_role(RoleName="acme-report")["Role"]
    assert role["Path"] == "/acme/"
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"].endswith(":policy/acme-boundary")
    assert {"Key": "CostCenter", "Value": "orders"} in role["Tags"]
    configuration = remote_client("lambda").get_function(FunctionName="acme-report")
    assert configuration["Tags"] == {"CostCenter": "orders"}


def test_a_second_plan_changes_nothing(outputs: dict[str, Any]) -> None:
    assert outputs["changes"] == []
