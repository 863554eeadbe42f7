"""What the integration tests drive and wait for."""

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
    """The probe's first answer that is true; AssertionError naming `what` after `timeout_s` seconds."""
    end = time.monotonic() + timeout_s
    while True:
        answer = probe()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout_s:.0f} s: {what}")
        time.sleep(every_s)


def terraform(*arguments: str, root: Path = ROOT_MODULE, data: Path | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run Terraform against the cloud; by default in this checkout, on the deployed state."""
    environment = clouds.chosen_cloud().environment() | {"TF_DATA_DIR": str(data or root_module().data)} | variables
    command = ["terraform", f"-chdir={root}", *arguments]
    return subprocess.run(command, env=environment, check=False, capture_output=True, text=True)


def apply_in_another_checkout(plan: Path, folder: Path) -> None:
    """Apply a saved plan as a CI job does: on a fresh checkout that holds the same packages and nothing else."""
    shutil.copytree(ROOT_MODULE, folder / "terraform")
    (folder / "build").mkdir()
    for built in [*clouds.BUILD.glob("*.zip"), clouds.BUILD / "manifest.json"]:
        shutil.copy(built, folder / "build")
    steps = [["init", "-input=false", *state_bucket.backend()], ["workspace", "select", ENVIRONMENT], ["apply", "-input=false", str(plan)]]
    for step in steps:
        done = terraform(*step, root=folder / "terraform", data=folder / "data")
        assert done.returncode == 0, done.stdout + done.stderr


@dataclass(frozen=True)
class Deployment:
    """The root outputs of what is deployed, and the handful of things tests do with them."""

    outputs: dict[str, Any]

    def __getitem__(self, output: str) -> Any:
        return self.outputs[output]

    def put(self, key: str, body: bytes) -> str:
        """Put an object into the uploads bucket; its version id."""
        version: str = client("s3").put_object(Bucket=self["uploads_bucket"], Key=key, Body=body)["VersionId"]
        return version

    def item(self, key: str) -> dict[str, Any] | None:
        """The catalog's item of a key."""
        found = client("dynamodb").get_item(
            TableName=self["catalog_table"],
            Key={"image_id": {"S": catalog.image_id(self["uploads_bucket"], key)}},
            ConsistentRead=True,
        )
        return catalog.from_dynamodb(found.get("Item"))

    def wait_for(self, key: str, timeout_s: float = TIMEOUT_S, **wanted: Any) -> dict[str, Any]:
        """The item of a key, once it has the attributes wanted."""

        def probe() -> dict[str, Any] | None:
            found = self.item(key)
            return found if found and all(found.get(name) == value for name, value in wanted.items()) else None

        return eventually(probe, f"{key} with {wanted}; it is {self.item(key)}", timeout_s)

    def thumbnails(self, key: str) -> list[str]:
        """The keys of all objects in the thumbnails bucket that belong to an upload, of whatever version."""
        prefix = catalog.image_id(self["uploads_bucket"], key) + "/"
        pages = client("s3").get_paginator("list_objects_v2").paginate(Bucket=self["thumbnails_bucket"], Prefix=prefix)
        return sorted(found["Key"] for page in pages for found in page.get("Contents", []))

    def send(self, *records: dict[str, Any]) -> None:
        """Put an S3 notification with these records on the uploads queue, as S3 would."""
        client("sqs").send_message(QueueUrl=self["uploads_queue_url"], MessageBody=json.dumps({"Records": list(records)}))

    def record(self, key: str, version_id: str, sequencer: str, event: str = "ObjectCreated:Put") -> dict[str, Any]:
        """An S3 event record as AWS sends it, for an object of the uploads bucket."""
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
        """The messages in the dead-letter queue, taken off it."""
        return self.taken(self["uploads_dlq_url"])

    def failures(self, function: str) -> list[dict[str, Any]]:
        """What a function failed at for good, taken off its queue of failures."""
        name = f"{self['functions'][function]['function_name']}-failures"
        return [json.loads(message["Body"]) for message in self.taken(client("sqs").get_queue_url(QueueName=name)["QueueUrl"])]

    def taken(self, url: str) -> list[dict[str, Any]]:
        """Up to 10 messages, taken off a queue."""
        sqs = client("sqs")
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        for message in found:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return list(found)

    def settled(self) -> None:
        """Return once the uploads queue is empty."""
        settled(self["uploads_queue_url"])

    def logged(self, function: str, text: str) -> list[str]:
        """A function's log lines that hold a text."""
        group = self["functions"][function]["log_group"]
        pages = client("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
        return [event["message"] for page in pages for event in page["events"] if text in event["message"]]

    def invoke(self, function: str, event: dict[str, Any]) -> Any:
        """What the live version of a function answers to an event."""
        alias = self["functions"][function]["alias_arn"]
        answer = client("lambda").invoke(FunctionName=alias, Payload=json.dumps(event).encode())
        payload = json.loads(answer["Payload"].read())
        assert "FunctionError" not in answer, payload
        return payload

    @contextmanager
    def outage(self, function: str, action: str) -> Iterator[None]:
        """A function may not do something for a while: IAM answers AccessDenied, which an operator can mend."""
        iam, role = client("iam"), self["functions"][function]["role_name"]
        deny = {"Effect": "Deny", "Action": action, "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [deny]})
        iam.put_role_policy(RoleName=role, PolicyName="outage", PolicyDocument=policy)
        try:
            yield
        finally:
            iam.delete_role_policy(RoleName=role, PolicyName="outage")


@contextmanager
def uninvited(function_name: str, statement: str) -> Iterator[None]:
    """A service may not invoke a function's alias live for a while: the permission of this statement is taken away."""
    lambda_, names = client("lambda"), {"FunctionName": function_name, "Qualifier": "live"}
    statements = json.loads(lambda_.get_policy(**names)["Policy"])["Statement"]
    before = next(found for found in statements if found["Sid"] == statement)
    lambda_.remove_permission(**names, StatementId=statement)
    try:
        yield
    finally:
        lambda_.add_permission(
            **names,
            StatementId=statement,
            Action=before["Action"],
            Principal=before["Principal"]["Service"],
            SourceArn=before["Condition"]["ArnLike"]["AWS:SourceArn"],
        )


@dataclass(frozen=True)
class Listener:
    """A queue that is subscribed to a topic, and the messages that came so far."""

    url: str
    heard: list[dict[str, Any]] = field(default_factory=list)

    def messages(self, **wanted: Any) -> list[dict[str, Any]]:
        """The JSON messages that came so far and have these values. The digest, which its rule sends any minute, is prose."""
        sqs = client("sqs")
        while found := sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]).get("Messages"):
            for message in found:
                sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
                if message.get("MessageAttributes", {}).get("kind", {}).get("StringValue") != "digest":
                    self.heard.append(json.loads(message["Body"]))
        return [message for message in self.heard if all(message.get(name) == value for name, value in wanted.items())]

    def wait_for(self, timeout_s: float = TIMEOUT_S, **wanted: Any) -> dict[str, Any]:
        """The first message that has these values."""
        return eventually(lambda: self.messages(**wanted), f"a message with {wanted}; there are {self.heard}", timeout_s)[0]


@contextmanager
def listening(topic_arn: str, filter_policy: dict[str, Any] | None = None) -> Iterator[Listener]:
    """Hear what is published to a topic from now on."""
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
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps({"Version": "2012-10-17", "Statement": [allow]})})
    attributes = {"RawMessageDelivery": "true"} | ({"FilterPolicy": json.dumps(filter_policy)} if filter_policy else {})
    subscribed = sns.subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn, Attributes=attributes, ReturnSubscriptionArn=True)
    try:
        yield Listener(url)
    finally:
        sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])
        sqs.delete_queue(QueueUrl=url)


def mails(text: str) -> list[dict[str, Any]]:
    """The mails that hold a text in their subject or body, as the emulator kept them."""
    found = requests.get(f"{clouds.chosen_cloud().endpoint}/_aws/ses", timeout=10).json()["messages"]
    return [mail for mail in found if text in json.dumps(mail, ensure_ascii=False)]


def depth(url: str) -> int:
    """Messages of a queue, waiting or in flight."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible", "ApproximateNumberOfMessagesDelayed"]
    found = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(found[name]) for name in names)


def settled(url: str) -> None:
    """Return once a queue is empty."""
    eventually(lambda: depth(url) == 0, f"{url} is empty")


@contextmanager
def impatient(url: str, harmless: str = "{}") -> Iterator[None]:
    """Messages of a queue come back after a second instead of minutes, so that retries can be seen.

    A long poll that began before keeps the old time-out: `harmless` messages end it.
    """
    sqs = client("sqs")
    before = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    for _ in range(3):
        sqs.send_message(QueueUrl=url, MessageBody=harmless)
        settled(url)
    try:
        yield
    finally:
        sqs.set_queue_attributes(QueueUrl=url, Attributes=before)


def unique(name: str) -> str:
    """A key that no other test uses."""
    return f"{uuid.uuid4().hex[:8]}/{name}"
