"""Helpers of the integration tests that act on a deployment and wait for its results."""

import json
import os
import shutil
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote_plus

import requests

from eventloom import catalog, clouds
from eventloom.clouds import client
from eventloom.deployment import state_bucket
from eventloom.deployment.terraform import ROOT_MODULE, root_module

TIMEOUT_S = float(os.environ.get("TIMEOUT_S", "45"))
ENVIRONMENT = os.environ.get("ENV", "local")


def eventually[T](probe: Callable[[], T | None], what: str, timeout_s: float = TIMEOUT_S, every_s: float = 0.25) -> T:
    """Return the first true result of `probe`. After `timeout_s` seconds, raise an AssertionError that names `what`."""
    end = time.monotonic() + timeout_s
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(every_s)


def terraform(
    *arguments: str, root: Path = ROOT_MODULE, data: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run Terraform against the cloud. By default it runs in this checkout, on the deployed state."""
    environment = clouds.chosen_cloud().environment() | {"TF_DATA_DIR": str(data or root_module().data)} | variables
    command = ["terraform", f"-chdir={root}", *arguments]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


def apply_in_another_checkout(plan: Path, folder: Path) -> None:
    """Apply a saved plan as a CI job does: in a fresh checkout that only has the same packages."""
    shutil.copytree(ROOT_MODULE, folder / "terraform")
    (folder / "build").mkdir()
    for package in [*clouds.BUILD.glob("*.zip"), clouds.BUILD / "manifest.json"]:
        shutil.copy(package, folder / "build")
    steps = [
        ["init", "-input=false", *state_bucket.backend()],
        ["workspace", "select", ENVIRONMENT],
        ["apply", "-input=false", str(plan)],
    ]
    for step in steps:
        process = terraform(*step, root=folder / "terraform", data=folder / "data")
        assert process.returncode == 0, process.stdout + process.stderr


@dataclass(frozen=True)
class Deployment:
    """A deployment, with its root outputs and the actions of the tests."""

    outputs: dict[str, Any]

    def __getitem__(self, output: str) -> Any:
        return self.outputs[output]

    def put(self, key: str, body: bytes) -> str:
        """Put an object into the uploads bucket and return its version id."""
        version: str = client("s3").put_object(Bucket=self["uploads_bucket"], Key=key, Body=body)["VersionId"]
        return version

    def item(self, key: str) -> dict[str, Any] | None:
        """Return the catalog's item for a key, or None."""
        answer = client("dynamodb").get_item(
            TableName=self["catalog_table"],
            Key={"image_id": {"S": catalog.image_id(self["uploads_bucket"], key)}},
            ConsistentRead=True,
        )
        return catalog.from_dynamodb(answer.get("Item"))

    def wait_for(self, key: str, timeout_s: float = TIMEOUT_S, **attributes: Any) -> dict[str, Any]:
        """Wait until the item of a key has the given attributes, and return the item."""

        def probe() -> dict[str, Any] | None:
            item = self.item(key)
            return item if item and all(item.get(name) == value for name, value in attributes.items()) else None

        return eventually(probe, f"{key} with {attributes}; it is {self.item(key)}", timeout_s)

    def thumbnails(self, key: str) -> list[str]:
        """Return the keys of all objects in the thumbnails bucket that belong to any version of an upload."""
        prefix = catalog.image_id(self["uploads_bucket"], key) + "/"
        pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=self["thumbnails_bucket"], Prefix=prefix)
        return sorted(entry["Key"] for page in pages for entry in page.get("Contents", []))

    def send(self, *records: dict[str, Any]) -> None:
        """Put an S3 notification with these records on the uploads queue, as S3 would."""
        client("sqs").send_message(
            QueueUrl=self["uploads_queue_url"], MessageBody=json.dumps({"Records": list(records)})
        )

    def record(self, key: str, version_id: str, sequencer: str, event: str = "ObjectCreated:Put") -> dict[str, Any]:
        """Return an S3 event record as AWS sends it, for an object of the uploads bucket."""
        return {
            "eventVersion": "2.1",
            "eventSource": "aws:s3",
            "awsRegion": "us-east-1",
            "eventTime": "2026-01-02T03:04:05.678Z",
            "eventName": event,
            "s3": {
                "bucket": {"name": self["uploads_bucket"], "arn": f"arn:aws:s3:::{self['uploads_bucket']}"},
                "object": {"key": quote_plus(key, safe="/"), "versionId": version_id, "sequencer": sequencer},
            },
        }

    def dlq_messages(self) -> list[dict[str, Any]]:
        """Return the messages of the dead-letter queue, and delete them from it."""
        return self.take_messages(self["uploads_dlq_url"])

    def failures(self, function: str) -> list[dict[str, Any]]:
        """Return the messages of a function's failure queue, and delete them from it."""
        name = f"{self['functions'][function]['function_name']}-failures"
        return [
            json.loads(message["Body"])
            for message in self.take_messages(client("sqs").get_queue_url(QueueName=name)["QueueUrl"])
        ]

    def take_messages(self, url: str) -> list[dict[str, Any]]:
        """Return up to 10 messages of a queue, and delete them from it."""
        sqs = client("sqs")
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return list(messages)

    def wait_until_settled(self) -> None:
        """Return once the uploads queue is empty."""
        wait_until_empty(self["uploads_queue_url"])

    def log_lines(self, function: str, text: str) -> list[str]:
        """Return a function's log lines that contain a text."""
        group = self["functions"][function]["log_group"]
        pages = client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"] if text in event["message"]]

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """Invoke the live version of a function and return its answer."""
        alias = self["functions"][function]["alias_arn"]
        answer = client("lambda").invoke(FunctionName=alias, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    @contextmanager
    def outage(self, function: str, action: str) -> Iterator[None]:
        """Temporarily deny an action to a function's role, so that AWS answers AccessDenied."""
        iam, role = client("iam"), self["functions"][function]["role_name"]
        deny = {"Effect": "Deny", "Action": action, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        name = f"outage-{action.replace(':', '-')}"
        iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=policy)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName=name)


@contextmanager
def uninvited(function_name: str, statement: str) -> Iterator[None]:
    """Temporarily remove the permission that lets a service invoke a function's live alias."""
    lambda_, names = client("lambda"), {"FunctionName": function_name, "Qualifier": "live"}
    statements = json.loads(lambda_.get_policy(**names)["Policy"])["Statement"]
    permission = next(entry for entry in statements if entry["Sid"] == statement)
    lambda_.remove_permission(**names, StatementId=statement)
    try:
        yield
    finally:
        lambda_.add_permission(
            **names,
            StatementId=statement,
            Action=permission["Action"],
            Principal=permission["Principal"]["Service"],
            SourceArn=permission["Condition"]["ArnLike"]["AWS:SourceArn"],
        )


@dataclass(frozen=True)
class Listener:
    """A queue that is subscribed to a topic, and the messages that it has received so far."""

    url: str
    heard: list[dict[str, Any]] = field(default_factory=list)

    def messages(self, **values: Any) -> list[dict[str, Any]]:
        """Return the received JSON messages with these values. Digests are left out, because they are plain text."""
        sqs = client("sqs")
        while messages := sqs.receive_message(
            QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                if message.get("MessageAttributes", {}).get("kind", {}).get("StringValue") != "digest":
                    self.heard.append(json.loads(message["Body"]))
        return [message for message in self.heard if all(message.get(name) == value for name, value in values.items())]

    def wait_for(self, timeout_s: float = TIMEOUT_S, **values: Any) -> dict[str, Any]:
        """Wait for the first message that has these values, and return it."""
        return eventually(
            lambda: self.messages(**values), f"a message with {values}; there are {self.heard}", timeout_s
        )[0]


@contextmanager
def listening(topic_arn: str, filter_policy: dict[str, Any] | None = None) -> Iterator[Listener]:
    """Subscribe a new queue to a topic, and yield a listener for it."""
    sqs, sns = client("sqs"), client("sns")
    url = sqs.create_queue(QueueName=f"test-{uuid.uuid4().hex}")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    allow = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic_arn}},
    }
    sqs.set_queue_attributes(
        QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allow]})}
    )
    attributes = {"RawMessageDelivery": "true"} | ({"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {})
    subscribed = sns.subscribe(
        TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=attributes, ReturnSubscriptionArn=True
    )
    try:
        yield Listener(url)
    finally:
        sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])
        sqs.delete_queue(QueueUrl=url)


def mails(text: str) -> list[dict[str, Any]]:
    """Return the emulator's stored mails with a text in their subject or body."""
    messages = requests.get(f"{clouds.chosen_cloud().endpoint}/_aws/ses", timeout=10).json()["messages"]
    return [mail for mail in messages if text in json.dumps(mail, ensure_ascii=False)]


def depth(url: str) -> int:
    """Return the number of messages in a queue, waiting or in flight."""
    names = [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
        "ApproximateNumberOfMessagesDelayed",
    ]
    counts = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(counts[name]) for name in names)


def wait_until_empty(url: str) -> None:
    """Return once a queue is empty."""
    eventually(lambda: depth(url) == 0, f"{url} is empty")


@contextmanager
def impatient(url: str, harmless: str = "{}") -> Iterator[None]:
    """Make messages of a queue visible again after a second instead of minutes, so that retries can be observed.

    A long poll that is in progress uses the old time-out. `harmless` messages end it.
    """
    sqs = client("sqs")
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=harmless)
        wait_until_empty(url)
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


@contextmanager
def few_receives(url: str, maximum: int = 2) -> Iterator[None]:
    """Move messages of a queue to its dead-letter queue after fewer receives."""
    sqs = client("sqs")
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
    policy = json.loads(before["RedrivePolicy"]) | {"maxReceiveCount": maximum}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"RedrivePolicy": json.dumps(policy)})
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def applies_for_tags() -> int:
    """Return how many applies of a root its alarms need to get their tags.

    LocalStack's image loses the tags from an alarm's creation, and keeps those of a second apply.
    """
    return 2 if clouds.chosen_cloud().name == "compose" else 1


def unique(name: str) -> str:
    """Return a key that no other test uses."""
    return f"{uuid.uuid4().hex[:8]}/{name}"
