"""Terraform refuses two triggers of one function on the same queue: in the plan if the queue's ARN is known.

modules/queue derives the ARN of its queue from the name, so the plan knows it. The ARN of a resource that the same
apply creates is unknown to the plan, so the apply refuses the triggers before it creates one.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from eventloom import clouds
from eventloom.clouds import client
from eventloom.deployment.terraform import ROOT_MODULE
from tests.integration.support import terraform
from tests.modules.test_triggers import packaged

NAME = "eventloom-shared"
CONFIGURATION = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 5.100, < 7.0" }
  }
}

provider "aws" {}

variable "package" {}

# Its output is unknown to the plan, like the ARN of a queue that the same apply creates.
resource "terraform_data" "queue" {
  input = "arn:aws:sqs:us-east-1:000000000000:eventloom-shared-other.fifo"
}

module "reader" {
  source   = "MODULES/function"
  name     = "reader"
  prefix   = "eventloom-shared"
  package  = var.package
  handler  = "probe.handler.lambda_handler"
  triggers = { sqs = { TRIGGERS } }
}
"""
TRIGGERS = """
a      = { queue_arn = QUEUE, batch_size = 10 }
b      = { queue_arn = QUEUE, batch_size = 10 }
window = { queue_arn = QUEUE, batch_size = 10, batch_window_s = 5 }
"""
# modules/queue derives the ARN from the name, so the plan knows the ARN.
JOBS = """
module "jobs" {
  source             = "MODULES/queue"
  name               = "eventloom-shared-jobs.fifo"
  consumer_timeout_s = 30
}
"""
EMPTY = f'{CONFIGURATION.partition("variable")[0]}variable "package" {{}}\n'
ERRORS = (
    "triggers.sqs.a and triggers.sqs.b and triggers.sqs.window use the queue",
    "Lambda reads FIFO queues without a batching window",
    "batch_size: triggers.sqs.window.",
)

Run = Callable[..., str]


@pytest.fixture
def refused(cloud: clouds.Cloud, tmp_path: Path) -> Run:
    """Return a function that runs Terraform with two triggers on one queue, and returns the errors in one line."""
    variables = {"TF_VAR_package": str(packaged(tmp_path / "probe.zip"))}

    def run(queue: str, *arguments: str, others: str = "") -> str:
        text = others + CONFIGURATION.replace("TRIGGERS", TRIGGERS.replace("QUEUE", queue))
        (tmp_path / "main.tf").write_text(text.replace("MODULES", f"{ROOT_MODULE}/modules"))
        begun = terraform("init", "-input=false", root=tmp_path, data=tmp_path / "data", **variables)
        assert begun.returncode == 0, begun.stderr
        process = terraform(*arguments, "-no-color", root=tmp_path, data=tmp_path / "data", **variables)
        assert process.returncode == 1, process.stdout
        return " ".join(process.stderr.replace("\u2502", " ").split())

    return run


def test_the_plan_refuses_triggers_that_share_a_queue_of_the_module(refused: Run) -> None:
    errors = refused("module.jobs.arn", "plan", "-input=false", others=JOBS)
    assert [error for error in ERRORS if error not in errors] == []


def test_the_apply_refuses_a_queue_that_only_it_knows_before_it_makes_a_trigger(refused: Run, tmp_path: Path) -> None:
    try:
        errors = refused("terraform_data.queue.output", "apply", "-auto-approve")
        assert [error for error in ERRORS if error not in errors] == []
        mappings = client("lambda").list_event_source_mappings()["EventSourceMappings"]
        assert [mapping["UUID"] for mapping in mappings if NAME in mapping["FunctionArn"]] == []
    finally:
        (tmp_path / "main.tf").write_text(EMPTY)
        variables = {"TF_VAR_package": str(tmp_path / "probe.zip")}
        process = terraform("apply", "-auto-approve", root=tmp_path, data=tmp_path / "data", **variables)
        assert process.returncode == 0, process.stderr
