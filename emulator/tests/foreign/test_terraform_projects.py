"""Deploy Terraform projects: examples of terraform-aws-lambda, and serverless patterns with Node.js functions."""

from pathlib import Path
from typing import Any

import pytest

from foreign.projects import LAMBDA_MODULE, PATTERNS, Project
from foreign.terraform import Terraform
from foreign.workspace import Workspace
from support import eventually

NODE = "nodejs22.x"


def module(example: str) -> Any:
    source = Project(*LAMBDA_MODULE, f"examples/{example}", whole=True)
    return pytest.mark.project(f"terraform-aws-lambda 7.21.1: {example}", source=source, tool="Terraform")


def pattern(name: str) -> Any:
    return pytest.mark.project(f"serverless-patterns: {name}", source=Project(*PATTERNS, name), tool="Terraform")


def logged(space: Workspace, function: str) -> str:
    """Wait until a function has logged the end of an invocation, and return its log."""
    logs = space.client("logs")

    def messages() -> str:
        try:
            events = logs.filter_log_events(logGroupName=f"/aws/lambda/{function}")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return ""
        text = "".join(event["message"] for event in events)
        return text if "REPORT" in text else ""

    return eventually(messages, 60)


@module("simple")
def test_the_example_simple(space: Workspace, folder: Path):
    terraform = Terraform(space, folder)
    terraform.apply()
    function = terraform.outputs()["lambda_function_name"]
    assert space.invoke(function, {"a": 1}, region="eu-west-1") == {"a": 1}
    terraform.destroy()
    assert space.client("lambda", "eu-west-1").list_functions()["Functions"] == []


@module("triggers")
def test_the_example_triggers(space: Workspace, folder: Path):
    terraform = Terraform(space, folder)
    terraform.apply()
    terraform.expect_no_changes()
    function = terraform.outputs()["lambda_function_name"]
    assert space.invoke(function, {"a": 1}, region="eu-west-1")
    terraform.destroy()
    assert space.client("events", "eu-west-1").list_rules()["Rules"] == []


@pattern("eventbridge-lambda-terraform")
def test_an_event_reaches_a_node_function(space: Workspace, folder: Path):
    terraform = deployed(space, folder, {"lambda_function": NODE})
    entry = {"Source": "custom.myApp", "DetailType": "transaction", "Detail": '{"location":"EUR-"}'}
    assert space.client("events").put_events(Entries=[entry])["FailedEntryCount"] == 0
    assert "EUR-" in logged(space, "ConsumerFunction")
    terraform.destroy()


@pattern("kinesis-lambda-terraform")
def test_a_record_reaches_a_node_function(space: Workspace, folder: Path):
    terraform = deployed(space, folder)
    space.client("kinesis").put_record(StreamName="sample-stream", Data=b"a record", PartitionKey="1")
    assert "a record" in logged(space, "sample-lambda")
    terraform.destroy()


@pattern("s3-lambda-terraform")
def test_an_object_reaches_a_node_function(space: Workspace, folder: Path):
    terraform = deployed(space, folder, random=">= 3")
    bucket = terraform.outputs()["name_of_bucket"]
    space.client("s3").put_object(Bucket=bucket, Key="a key", Body=b"1")
    assert "a+key" in logged(space, "process-s3-new-objects")
    space.client("s3").delete_object(Bucket=bucket, Key="a key")
    terraform.destroy()


@pattern("dynamodb-streams-lambda-terraform")
def test_a_change_of_a_table_reaches_a_node_function(space: Workspace, folder: Path):
    terraform = deployed(space, folder, {"lambda_dynamodb_stream_handler": NODE})
    space.client("dynamodb").put_item(TableName="UsersIds", Item={"UserId": {"S": "42"}})
    assert '"42"' in logged(space, "process-usersids-records")
    terraform.destroy()


@pattern("lambda-sqs-terraform")
def test_a_node_function_sends_to_a_queue(space: Workspace, folder: Path):
    terraform = deployed(space, folder, {"lambda_function": NODE}, aws=">= 5")
    space.invoke("QueuePublisherFunction")
    (queue,) = space.client("sqs").list_queues()["QueueUrls"]
    assert space.client("sqs").receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
    terraform.destroy()


@pattern("lambda-sns-terraform")
def test_a_node_function_publishes(space: Workspace, folder: Path):
    terraform = deployed(space, folder, {"lambda_function": NODE})
    space.invoke("TopicPublisherFunction")
    assert "MessageId" in logged(space, "TopicPublisherFunction")
    terraform.destroy()


@pattern("apigw-http-api-lambda-terraform")
def test_an_http_api_calls_a_function(space: Workspace, folder: Path):
    terraform = deployed(space, folder, {"app": "python3.13"}, aws=">= 5", random=">= 3", archive=">= 2")
    identifier = terraform.outputs()["apigwy_url"].split("//")[1].split(".")[0]
    (seen,) = space.fetch(identifier, "/hello").values()  # the key is "message " there
    assert (seen["method"], seen["rawPath"], seen["xForwardedFor"]) == ("GET", "/hello", "127.0.0.1")
    terraform.destroy()


def deployed(space: Workspace, folder: Path, runtimes: dict[str, str] | None = None, **versions: str) -> Terraform:
    """Apply a project with the given overrides, and check that a second plan changes nothing."""
    terraform = Terraform(space, folder)
    terraform.override(runtimes or {}, **versions)
    terraform.apply()
    terraform.expect_no_changes()
    return terraform
