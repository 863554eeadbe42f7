"""Provide a catalog, a state table, mail and notices in moto."""

import dataclasses
import json
import os
from collections.abc import Iterator
from typing import Any

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Eventloom/test")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "test")
os.environ.setdefault("CATALOG_TABLE", "catalog")
os.environ.setdefault("STATE_TABLE", "state")

import pytest
from moto import mock_aws
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.ses.models import ses_backends

from digest import handler
from digest.settings import Settings
from shared.clients import client
from shared.deadline import Deadline


class Context:
    """The parts of Lambda's context that the function uses."""

    def __init__(self, request_id: str = "first", milliseconds: int = 60_000) -> None:
        self.aws_request_id = request_id
        self.milliseconds = milliseconds

    def get_remaining_time_in_millis(self) -> int:
        return self.milliseconds


class World:
    """The function's inputs in moto, and the messages that it sent."""

    def __init__(self) -> None:
        dynamodb = client("dynamodb")
        for name, key in (("catalog", "image_id"), ("state", "pk")):
            index: dict[str, Any] = {}
            attributes = [{"AttributeName": key, "AttributeType": "S"}]
            if name == "catalog":
                keys = [
                    {"AttributeName": "status", "KeyType": "HASH"},
                    {"AttributeName": "uploaded_at", "KeyType": "RANGE"},
                ]
                index = {
                    "GlobalSecondaryIndexes": [
                        {"IndexName": "by_status", "KeySchema": keys, "Projection": {"ProjectionType": "ALL"}}
                    ]
                }
                attributes += [{"AttributeName": entry["AttributeName"], "AttributeType": "S"} for entry in keys]
            schema = [{"AttributeName": key, "KeyType": "HASH"}]
            dynamodb.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=attributes,
                KeySchema=schema,
                **index,
            )
        client("ses").verify_email_identity(EmailAddress="digest@example.com")
        topic = client("sns").create_topic(Name="notices")["TopicArn"]
        self.inbox = client("sqs").create_queue(QueueName="inbox")["QueueUrl"]
        self.dlq = client("sqs").create_queue(QueueName="uploads-dlq")["QueueUrl"]
        arn = client("sqs").get_queue_attributes(QueueUrl=self.inbox, AttributeNames=["QueueArn"])["Attributes"][
            "QueueArn"
        ]
        client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
        self.settings = Settings(
            "catalog", "state", "test", "digest@example.com", ("a@example.com", "b@example.com"), topic, (self.dlq,)
        )

    def add(self, image_id: str, uploaded_at: str, status: str = "READY", **facts: Any) -> None:
        item = {
            "image_id": image_id,
            "uploaded_at": uploaded_at,
            "status": status,
            "key": f"cats/{image_id}.jpg",
        } | facts
        dynamodb_item = {
            name: {"N": str(value)} if isinstance(value, int) else {"S": value} for name, value in item.items()
        }
        client("dynamodb").put_item(TableName="catalog", Item=dynamodb_item)

    def invoke(
        self, event: dict[str, Any], request_id: str = "first", milliseconds: int = 60_000, **changes: Any
    ) -> dict[str, Any]:
        """Send a digest. `changes` replace settings."""
        settings = dataclasses.replace(self.settings, **changes)
        return handler.sender(settings, client, Deadline(Context(request_id, milliseconds))).send(event, request_id)

    def mails(self) -> list[Any]:
        return list(ses_backends[DEFAULT_ACCOUNT_ID]["us-east-1"].sent_messages)

    def notices(self) -> list[dict[str, Any]]:
        messages = client("sqs").receive_message(QueueUrl=self.inbox, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in messages]

    def state(self, digest: str) -> dict[str, Any]:
        item = client("dynamodb").get_item(TableName="state", Key={"pk": {"S": f"digest#{digest}"}}).get("Item", {})
        return {name: next(iter(value.values())) for name, value in item.items()}


@pytest.fixture
def world() -> Iterator[World]:
    with mock_aws():
        client.cache_clear()
        yield World()
    client.cache_clear()
