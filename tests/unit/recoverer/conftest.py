"""Provide alarms, rules and limits, and the parts of AWS that the function uses."""

import json
import os
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "recoverer")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Eventloom/test")
os.environ.setdefault("REPORT_TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:reports")
os.environ.setdefault("STATE_TABLE", "state")
os.environ.setdefault("RULES", "{}")

import pytest
from moto import mock_aws

from recoverer.alarms import Alarm
from recoverer.decisions import Action, EventSource, Facts, Limits, Queue, Release
from recoverer.rules import Redrive, Relieve, Rollback, Rule
from shared.clients import client

NOW = 1_795_426_200.0


@pytest.fixture
def limits() -> Limits:
    return Limits(
        {"redrive": 3, "relieve": 6, "rollback": 1}, cooldown_s=900, deploy_window_s=1800, max_alarm_age_s=900
    )


@pytest.fixture
def alarm() -> Callable[..., Alarm]:
    """Return `alarm(name="a", state="ALARM", at=now)`, which makes an alarm."""

    def make(name: str = "a", state: str = "ALARM", at: float = NOW) -> Alarm:
        return Alarm(name, state, "because", at, at)

    return make


class World:
    """Replaces Targets: queues, mappings and aliases that change when an action is applied.

    The next action raises `fails`.
    """

    def __init__(self) -> None:
        self.queue = Queue(5, is_moving=False)
        self.source = EventSource(10)
        self.release = Release(5, None, NOW - 600, (3, 4, 5))
        self.done: list[tuple[str, int]] = []
        self.fails: BaseException | None = None
        self.before_facts: Callable[[], None] = lambda: None

    def facts(self, rule: Rule) -> Facts:
        hook, self.before_facts = self.before_facts, lambda: None
        hook()
        match rule:
            case Redrive():
                return self.queue
            case Relieve():
                return self.source
            case Rollback():
                return self.release

    def act(self, rule: Rule, action: Action) -> None:
        if self.fails:
            failure, self.fails = self.fails, None
            raise failure
        self.done.append((action.verb, action.value))
        if isinstance(rule, Relieve):
            self.source = EventSource(action.value)
        if isinstance(rule, Rollback):
            self.release = Release(action.value, None, 0.0, self.release.versions)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def aws() -> Iterator[None]:
    """Provide an account that has only the state table."""
    with mock_aws():
        client("dynamodb").create_table(
            TableName="state",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        )
        yield


@pytest.fixture
def reports(aws: None) -> tuple[str, Callable[[], list[dict[str, Any]]]]:
    """Return the ARN of the report topic, and a function that reads what was published."""
    sns, sqs = client("sns"), client("sqs")
    topic = sns.create_topic(Name="reports")["TopicArn"]
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})

    def read() -> list[dict[str, Any]]:
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]

    return topic, read
