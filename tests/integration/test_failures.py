"""A failed message is retried, and moves to the dead-letter queue if it fails again and again."""

import json

import pytest

from eventloom.clouds import client
from tests.integration.photos import photo
from tests.integration.support import Deployment, eventually, unique


@pytest.mark.usefixtures("impatient_queue")
def test_a_message_that_keeps_failing_ends_in_the_dead_letter_queue(deployment: Deployment) -> None:
    record = deployment.record(unique("elsewhere.jpg"), "v1", "01")
    record["s3"]["bucket"]["name"] = "eventloom-no-such-bucket"
    deployment.send(record)
    (message,) = eventually(deployment.dlq_messages, "a message in the dead-letter queue")
    assert json.loads(message["Body"])["Records"][0]["s3"]["object"]["key"] == record["s3"]["object"]["key"]


@pytest.mark.usefixtures("impatient_queue")
def test_a_message_without_an_event_ends_in_the_dead_letter_queue(deployment: Deployment) -> None:
    client("sqs").send_message(QueueUrl=deployment["uploads_queue_url"], MessageBody="not { json")
    (message,) = eventually(deployment.dlq_messages, "a message in the dead-letter queue")
    assert message["Body"] == "not { json"


@pytest.mark.needs("iam_enforcement")
@pytest.mark.proves("sqs:ChangeMessageVisibility", of=["thumbnailer"])
def test_a_transient_failure_is_retried_within_seconds(deployment: Deployment) -> None:
    """The queue hides a message for six minutes unless the thumbnailer returns it."""
    key = unique("outage.jpg")
    with deployment.outage("thumbnailer", "s3:PutObject"):
        deployment.put(key, photo())
        eventually(
            lambda: any(key in line for line in deployment.log_lines("thumbnailer", "AccessDenied")),
            "a failed attempt in the log",
        )
        assert deployment.item(key) is None
    deployment.wait_for(key, status="READY")
