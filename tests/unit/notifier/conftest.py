"""Provide stream records, a state table in moto, and channels that record their notices."""

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
os.environ.setdefault("AWS_ACCESS_KEY_ID", "testing")
os.environ.setdefault("AWS_SECRET_ACCESS_KEY", "testing")
os.environ.setdefault("POWERTOOLS_SERVICE_NAME", "notifier")
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "Eventloom/test")
os.environ.setdefault("TOPIC_ARN", "arn:aws:sns:us-east-1:123456789012:notices")
os.environ.setdefault("STATE_TABLE", "state")

import pytest
from moto import mock_aws

from notifier.notices import ANNOUNCED, Notice
from shared.clients import client

READY_ITEM = {
    "image_id": "a" * 32,
    "key": "web/cat.jpg",
    "bucket": "uploads",
    "status": "READY",
    "version_id": "v1",
    "sequencer": "01",
}


def _typed(item: dict[str, Any]) -> dict[str, Any]:
    return {
        name: {"N" if isinstance(value, int) else "S": str(value)} for name, value in item.items() if value is not None
    }


@pytest.fixture(scope="session")
def record() -> Callable[..., dict[str, Any]]:
    """Return `record(new, old, number)`, which makes a stream record.

    `new` and `old` change attributes of a READY item; None leaves the image out.
    """

    def make(new: dict[str, Any] | None, old: dict[str, Any] | None = None, number: int = 1) -> dict[str, Any]:
        change: dict[str, Any] = {"SequenceNumber": str(number)}
        if new is not None:
            change["NewImage"] = _typed(READY_ITEM | new)
        if old is not None:
            change["OldImage"] = _typed(READY_ITEM | old)
        name = "REMOVE" if new is None else "MODIFY" if old is not None else "INSERT"
        return {"eventID": f"event{number}", "eventName": name, "dynamodb": change}

    return make


class Clock:
    """A clock that advances only when it sleeps."""

    def __init__(self) -> None:
        self.now = 1_795_426_200.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@dataclass
class Recorder:
    """A channel that raises `failures` one after the other. An entry of None lets the call succeed."""

    name: str = "sns"
    statuses: frozenset[str] = ANNOUNCED
    failures: list[BaseException | None] = field(default_factory=list)
    given: list[str] = field(default_factory=list)
    dies_after_giving: bool = False

    def give(self, notice: Notice) -> None:
        if self.failures and (failure := self.failures.pop(0)):
            raise failure
        self.given.append(notice.id)
        if self.dies_after_giving:
            self.dies_after_giving = False
            raise KeyboardInterrupt


@pytest.fixture
def recorder() -> type[Recorder]:
    return Recorder


class Enough:
    """A deadline that is a given number of seconds away."""

    def __init__(self, seconds: float = 60) -> None:
        self.seconds = seconds

    def allows(self, seconds: float) -> bool:
        return self.seconds >= seconds


@pytest.fixture
def deadline() -> type[Enough]:
    return Enough


@pytest.fixture
def state() -> Iterator[Any]:
    """Provide a DynamoDB client with the state table."""
    with mock_aws():
        dynamodb = client("dynamodb")
        dynamodb.create_table(
            TableName="state",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        )
        yield dynamodb
