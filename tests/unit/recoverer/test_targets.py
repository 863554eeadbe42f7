"""botocore's stubs accept the requests to AWS. They check every parameter."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import boto3
import pytest
from botocore.stub import Stubber

from recoverer.decisions import Action, EventSource, Queue, Release, State, Unversioned
from recoverer.rules import Redrive, Relieve, Rollback
from recoverer.targets import Targets

ARN = "arn:aws:sqs:us-east-1:123456789012:uploads-dlq"
MAPPING = "0d4f7a52-7b0c-4f0e-8c59-9b2d3f1a6e01"
URL = "https://sqs.us-east-1.amazonaws.com/123456789012/uploads-dlq"


@pytest.fixture
def sqs() -> Any:
    return Stubber(boto3.client("sqs"))


@pytest.fixture
def functions() -> Any:
    return Stubber(boto3.client("lambda"))


@pytest.fixture
def targets(sqs: Stubber, functions: Stubber) -> Any:
    with sqs, functions:
        yield Targets(sqs.client, functions.client)
        sqs.assert_no_pending_responses()
        functions.assert_no_pending_responses()


def act(value: int) -> Action:
    return Action("verb", value, "", State(), State())


@pytest.mark.parametrize(
    ("status", "moving"),
    [("RUNNING", True), ("CANCELLING", True), ("CREATED", True), ("COMPLETED", False), ("FAILED", False)],
)
def test_the_facts_of_a_queue_are_its_messages_and_its_redrive(
    targets: Targets, sqs: Stubber, status: str, moving: bool
) -> None:
    sqs.add_response("list_message_move_tasks", {"Results": [{"Status": status}]}, {"SourceArn": ARN, "MaxResults": 1})
    sqs.add_response(
        "get_queue_url", {"QueueUrl": URL}, {"QueueName": "uploads-dlq", "QueueOwnerAWSAccountId": "123456789012"}
    )
    request = {"QueueUrl": URL, "AttributeNames": ["ApproximateNumberOfMessages"]}
    sqs.add_response("get_queue_attributes", {"Attributes": {"ApproximateNumberOfMessages": "7"}}, request)
    assert targets.facts(Redrive(ARN)) == Queue(7, moving)


def test_a_redrive_starts_a_message_move_task(targets: Targets, sqs: Stubber) -> None:
    sqs.add_response(
        "start_message_move_task", {"TaskHandle": "t"}, {"SourceArn": ARN, "MaxNumberOfMessagesPerSecond": 10}
    )
    targets.act(Redrive(ARN), act(10))


@pytest.mark.parametrize(("answer", "concurrency"), [({"ScalingConfig": {"MaximumConcurrency": 50}}, 50), ({}, None)])
def test_the_facts_of_a_mapping_are_its_concurrency(
    targets: Targets, functions: Stubber, answer: dict[str, Any], concurrency: int | None
) -> None:
    functions.add_response("get_event_source_mapping", answer, {"UUID": MAPPING})
    assert targets.facts(Relieve(MAPPING, 50)) == EventSource(concurrency)


def test_relieving_sets_the_concurrency_of_the_mapping(targets: Targets, functions: Stubber) -> None:
    functions.add_response(
        "update_event_source_mapping", {}, {"UUID": MAPPING, "ScalingConfig": {"MaximumConcurrency": 20}}
    )
    targets.act(Relieve(MAPPING, 50), act(20))


@pytest.mark.parametrize(
    ("routing", "canary", "newest"),
    [({}, None, "10"), ({"RoutingConfig": {"AdditionalVersionWeights": {"11": 0.1}}}, 11, "11")],
)
def test_the_facts_of_an_alias_are_its_release(
    targets: Targets, functions: Stubber, routing: dict[str, Any], canary: int | None, newest: str
) -> None:
    functions.add_response(
        "get_alias", {"FunctionVersion": "10", "RevisionId": "r"} | routing, {"FunctionName": "f", "Name": "live"}
    )
    published = {"$LATEST": "12", "9": "09", "10": "10", "11": "11"}
    versions = [{"Version": name, "LastModified": f"2026-11-23T09:{at}:00.000+0000"} for name, at in published.items()]
    functions.add_response("list_versions_by_function", {"Versions": versions}, {"FunctionName": "f"})
    published_at = datetime.fromisoformat(f"2026-11-23T09:{newest}:00+00:00").timestamp()
    assert targets.facts(Rollback("f")) == Release(10, canary, published_at, (9, 10, 11), "r")


def test_an_alias_on_latest_is_unversioned(targets: Targets, functions: Stubber) -> None:
    functions.add_response("get_alias", {"FunctionVersion": "$LATEST", "RevisionId": "r"})
    assert targets.facts(Rollback("f")) == Unversioned()


def test_a_rollback_points_the_alias_to_the_version_before(targets: Targets, functions: Stubber) -> None:
    expected = {
        "FunctionName": "f",
        "Name": "live",
        "FunctionVersion": "9",
        "RoutingConfig": {"AdditionalVersionWeights": {}},
        "RevisionId": "r",
    }
    functions.add_response("update_alias", {}, expected)
    targets.act(Rollback("f"), replace(act(9), only_at="r"))
