"""Transient failures go back to the queue and, when they last, end in the dead-letter queue; nothing is lost."""

import json
from collections.abc import Iterator

import pytest
from photos import photo
from support import Deployment, eventually, unique

from clouds import client


@pytest.fixture
def impatient_queue(deployment: Deployment) -> Iterator[None]:
    """Messages come back after a second instead of minutes, so that retries can be seen.

    A long poll that began before keeps the old time-out: a harmless message ends it.
    """
    sqs, url = client("sqs"), deployment["uploads_queue_url"]
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"Service": "Amazon S3", "Event": "s3:TestEvent"}))
        deployment.settled()
    yield
    deployment.settled()
    sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def logged(deployment: Deployment, text: str) -> list[str]:
    """The thumbnailer's log lines that hold a text."""
    group = deployment["functions"]["thumbnailer"]["log_group"]
    pages = client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    return [event["message"] for page in pages for event in page["events"] if text in event["message"]]


@pytest.mark.usefixtures("impatient_queue")
def test_what_lasts_ends_in_the_dead_letter_queue_with_its_message(deployment: Deployment) -> None:
    record = deployment.record(unique("elsewhere.jpg"), "v1", "01")
    record["s3"]["bucket"]["name"] = "eventloom-no-such-bucket"
    deployment.send(record)
    (message,) = eventually(deployment.dlq_messages, "a message in the dead-letter queue")
    assert json.loads(message["Body"])["Records"][0]["s3"]["object"]["key"] == record["s3"]["object"]["key"]


@pytest.mark.usefixtures("impatient_queue")
def test_a_message_that_is_no_event_ends_in_the_dead_letter_queue(deployment: Deployment) -> None:
    client("sqs").send_message(QueueUrl=deployment["uploads_queue_url"], MessageBody="not { json")
    (message,) = eventually(deployment.dlq_messages, "a message in the dead-letter queue")
    assert message["Body"] == "not { json"


@pytest.mark.usefixtures("impatient_queue")
def test_a_transient_failure_is_retried_until_it_works(deployment: Deployment, cloud) -> None:
    """The thumbnailer may not write thumbnails for a while: IAM answers AccessDenied, which an operator can mend."""
    if cloud.name == "compose":
        pytest.skip("needs IAM enforcement, which LocalStack's free image does not have")
    iam, role = client("iam"), deployment["functions"]["thumbnailer"]["role_name"]
    deny = {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}
    iam.put_role_policy(RoleName=role, PolicyName="outage", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [deny]}))
    key = unique("outage.jpg")
    try:
        deployment.put(key, photo())
        eventually(lambda: any(key in line for line in logged(deployment, "AccessDenied")), "a failed attempt in the log")
        assert deployment.item(key) is None
    finally:
        iam.delete_role_policy(RoleName=role, PolicyName="outage")
    deployment.wait_for(key, status="READY")
