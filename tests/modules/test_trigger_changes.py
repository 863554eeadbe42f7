"""Renaming and removing triggers loses no event and leaves no resource behind (terraform/tests/changes).

Meanwhile, two functions share a queue, a topic and a bucket.
"""

import json
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eventloom import clouds
from eventloom.clouds import client
from eventloom.deployment.terraform import ROOT_MODULE
from tests.integration.support import eventually, terraform
from tests.modules.test_triggers import packaged

PREFIX = "eventloom-changes"
# The block that the how-to on modules requires for the rename of a stream's trigger
MOVED = """
moved {
  from = module.report.aws_lambda_event_source_mapping.kinesis["old"]
  to   = module.report.aws_lambda_event_source_mapping.kinesis["new"]
}
"""


class Changes:
    """The configuration in its own folder, with its state."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self._variables = variables
        text = (ROOT_MODULE / "tests" / "changes" / "main.tf").read_text()
        (folder / "main.tf").write_text(text.replace("../../modules", f"{ROOT_MODULE}/modules"))
        self.run("init", "-input=false")

    def run(self, *arguments: str, step: int = 1) -> str:
        """Run Terraform and return its output."""
        variables = self._variables | {"TF_VAR_step": str(step)}
        process = terraform(*arguments, root=self.folder, data=self.folder / "data", **variables)
        assert process.returncode == 0, process.stdout + process.stderr
        return process.stdout

    def apply(self, step: int) -> dict[str, str]:
        """Apply a step and return the names of the deployed resources."""
        self.run("apply", "-input=false", "-auto-approve", step=step)
        names: dict[str, str] = json.loads(self.run("output", "-json", "names"))
        return names


@pytest.fixture
def changes(cloud: clouds.Cloud) -> Iterator[Changes]:
    folder = clouds.BUILD / f"changes-{cloud.key}"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    variables = {
        "TF_VAR_package": str(packaged(folder / "probe.zip")),
        "TF_VAR_s3_use_path_style": str(cloud.port is not None).lower(),
        "TF_VAR_vpc": str(cloud.port is not None).lower(),
    }
    changes = Changes(folder, variables)
    try:
        yield changes
    finally:
        changes.run("destroy", "-input=false", "-auto-approve", step=2)


def send(names: dict[str, str], word: str) -> None:
    """Send one event to each shared source, and two messages to the queue."""
    for number in range(2):
        client("sqs").send_message(QueueUrl=names["queue_url"], MessageBody=f"{word} message {number}")
    attributes = {"queue": {"DataType": "String", "StringValue": names["queue_url"]}}
    client("sns").publish(TopicArn=names["topic_arn"], Message=f"{word} news", MessageAttributes=attributes)
    client("kinesis").put_record(StreamName=names["stream"], Data=b"{}", PartitionKey=f"{word}-click")
    for suffix in ("csv", "json"):
        client("s3").put_object(Bucket=names["bucket"], Key=f"{word}.{suffix}", Body=b"{}")


def received(names: dict[str, str]) -> list[str]:
    """Return the events that the functions received, as JSON, without scheduled events and retries.

    LocalStack runs an hourly rule in the minute before each hour. A record with FAIL may be tried again.
    """
    pages = client("dynamodb").get_paginator("scan").paginate(TableName=names["events_table"], ConsistentRead=True)
    events = [item["event"]["S"] for page in pages for item in page["Items"]]
    return [event for event in events if "Scheduled Event" not in event and "FAIL" not in event]


def counts(names: dict[str, str], word: str) -> dict[str, int]:
    """Return how often each event of `send` was received."""
    texts = ("message 0", "message 1", "news", "-click", ".csv", ".json")
    events = [event for event in received(names) if word in event]
    return {text: sum(text in event for event in events) for text in texts}


# Each function receives the topic's message. Each message of the queue reaches only one function.
ALL = {"message 0": 1, "message 1": 1, "news": 2, "-click": 1, ".csv": 1, ".json": 1}


def wait_for_all(names: dict[str, str], word: str) -> None:
    """Wait until each event of `send` was received as often as it should be."""
    eventually(lambda: all(counts(names, word)[text] >= count for text, count in ALL.items()), f"all of {word}")
    assert counts(names, word) == ALL


def kept_records(names: dict[str, str]) -> list[str]:
    """Return the partition keys of the records in the bucket for failures."""
    objects = client("s3").list_objects_v2(Bucket=names["failures"], Prefix=f"aws/lambda/{names['stream_uuid']}/")
    bodies = [
        client("s3").get_object(Bucket=names["failures"], Key=entry["Key"])["Body"].read()
        for entry in objects.get("Contents", [])
    ]
    return [record["kinesis"]["partitionKey"] for body in bodies for record in json.loads(body)["payload"]["Records"]]


def left_behind() -> dict[str, list[Any]]:
    """Return the test's resources that still exist in the account, by kind."""
    functions = client("lambda").list_functions()["Functions"]
    rules = client("events").list_rules(NamePrefix=PREFIX)["Rules"]
    mappings = client("lambda").list_event_source_mappings()["EventSourceMappings"]
    subscriptions = client("sns").list_subscriptions()["Subscriptions"]
    return {
        "functions": [function["FunctionName"] for function in functions if PREFIX in function["FunctionName"]],
        "mappings": [mapping["UUID"] for mapping in mappings if PREFIX in mapping["FunctionArn"]],
        "queues": client("sqs").list_queues(QueueNamePrefix=PREFIX).get("QueueUrls", []),
        "groups": [
            group["GroupId"]
            for group in client("ec2").describe_security_groups()["SecurityGroups"]
            if group["GroupName"].startswith(PREFIX)
        ],
        "roles": [role["RoleName"] for role in client("iam").list_roles()["Roles"] if PREFIX in role["RoleName"]],
        "rules": [rule["Name"] for rule in rules],
        "subscriptions": [item["SubscriptionArn"] for item in subscriptions if PREFIX in item["TopicArn"]],
    }


def test_renamed_and_removed_triggers_lose_nothing_and_leave_nothing(changes: Changes) -> None:
    names = changes.apply(1)
    assert sorted(left_behind()["rules"]) == [
        f"{PREFIX}-report-daily_schedule_eu",
        f"{PREFIX}-report_event_daily-eu",
        f"{PREFIX}-report_schedule_daily-eu",
    ]
    before, during, after = (uuid.uuid4().hex for _ in range(3))
    send(names, before)
    wait_for_all(names, before)
    first_counts = len(received(names))
    client("kinesis").put_record(StreamName=names["stream"], Data=b"{}", PartitionKey=f"FAIL-{before}")
    eventually(lambda: kept_records(names) == [f"FAIL-{before}"], "the record that failed, in the bucket for failures")

    client("sqs").send_message(QueueUrl=names["queue_url"], MessageBody=f"{during} message")
    client("kinesis").put_record(StreamName=names["stream"], Data=b"{}", PartitionKey=f"{during}-click")
    (changes.folder / "moved.tf").write_text(MOVED)
    renamed = changes.apply(2)
    changes.run("plan", "-input=false", "-detailed-exitcode", step=2)
    assert renamed == names, "the mapping of the stream is the same one, so that the stream is not read again"

    network = client("lambda").get_function_configuration(FunctionName=f"{PREFIX}-report")
    assert network["TracingConfig"]["Mode"] == "Active"
    assert bool(network.get("VpcConfig", {}).get("SubnetIds")) == (clouds.chosen_cloud().port is not None)

    send(names, after)
    wait_for_all(names, after)
    eventually(lambda: len([event for event in received(names) if during in event]) == 2, "what came in between")
    client("events").put_events(
        Entries=[{"Source": "shop", "DetailType": "order", "Detail": json.dumps({"id": after})}]
    )
    assert len(left_behind()["rules"]) == 2
    assert len(received(names)) == 2 * first_counts + 2, "nothing came again"

    changes.run("destroy", "-input=false", "-auto-approve", step=2)
    assert not any(left_behind().values()), left_behind()
