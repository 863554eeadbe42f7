"""Every trigger of modules/function invokes one probe function (terraform/tests/triggers), and failures are handled.

The probe writes each event into a table, and fails for events that contain the word FAIL.
"""

import json
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from eventloom import clouds
from eventloom.clouds import client
from eventloom.deployment.terraform import ROOT_MODULE
from scripts import capabilities
from tests.integration import evidence
from tests.integration.support import eventually, impatient, terraform, uninvited

FOLDER = ROOT_MODULE / "tests" / "triggers"


@dataclass(frozen=True)
class Probe:
    """The names of the deployed resources, and the events that the function received."""

    names: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.names[name]

    def events(self, *texts: str) -> list[dict[str, Any]]:
        """Return the events so far that contain all the texts."""
        pages = client("dynamodb").get_paginator("scan").paginate(TableName=self["events_table"], ConsistentRead=True)
        stored_events = [item["event"]["S"] for page in pages for item in page["Items"]]
        return [json.loads(event) for event in stored_events if all(text in event for text in texts)]

    def wait_for(self, *texts: str, timeout_s: float = 45) -> dict[str, Any]:
        """Wait for the first event that contains all the texts, and return it."""
        return eventually(lambda: self.events(*texts), f"an event with {texts}", timeout_s)[0]

    def wait_for_failure(self, text: str, queue: str = "failures_url") -> Any:
        """Wait for a message with a text in the failures queue, or in another. Other messages stay in the queue."""

        def read_messages() -> list[Any]:
            messages = (
                client("sqs")
                .receive_message(QueueUrl=self[queue], MaxNumberOfMessages=10, VisibilityTimeout=1)
                .get("Messages", [])
            )
            bodies = [message["Body"] for message in messages if text in message["Body"]]
            return [json.loads(body) if body.startswith("{") else body for body in bodies]

        return eventually(read_messages, f"a failure with {text}", 60)[0]


def run(*arguments: str, **variables: str) -> str:
    """Run Terraform on the probe and return its output. The state is a file under build/."""
    process = terraform(
        *arguments, root=FOLDER, data=clouds.BUILD / "terraform" / f"probe-{clouds.chosen_cloud().key}", **variables
    )
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def packaged(path: Path, note: str = "first") -> Path:
    """Write the probe's zip. Another note changes the code, so that an apply publishes another version."""
    with zipfile.ZipFile(path, "w") as package:
        for file, text in (("handler.py", (FOLDER / "probe" / "handler.py").read_text()), ("note.txt", note)):
            package.writestr(zipfile.ZipInfo(f"probe/{file}", (1980, 1, 1, 0, 0, 0)), text)
    return path


@pytest.fixture(scope="module")
def package(cloud: clouds.Cloud, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the variables of the probe's Terraform, with the path of its zip."""
    path = packaged(tmp_path_factory.mktemp("probe") / "probe.zip")
    return {"TF_VAR_package": str(path), "TF_VAR_s3_use_path_style": str(cloud.port is not None).lower()}


@pytest.fixture(scope="module")
def probe(request: pytest.FixtureRequest, cloud: clouds.Cloud, package: dict[str, str]) -> Iterator[Probe]:
    """Deploy the probe with its own state, and destroy it afterwards."""
    run(
        "init",
        "-input=false",
        "-reconfigure",
        f"-backend-config=path={clouds.BUILD / f'probe.{cloud.key}.tfstate'}",
        **package,
    )
    keep = request.config.getoption("--keep")
    try:
        run("apply", "-input=false", "-auto-approve", **package)
        evidence.keep_state("probe", run("show", "-json"))
        yield Probe(json.loads(run("output", "-json", "names")))
    finally:
        if not keep:
            run("destroy", "-input=false", "-auto-approve", **package)


@pytest.fixture
def word() -> str:
    """Return a text that no other test sends."""
    return uuid.uuid4().hex


def test_an_sqs_message_invokes_the_function(probe: Probe, word: str) -> None:
    client("sqs").send_message(QueueUrl=probe["queue_url"], MessageBody=word)
    assert probe.wait_for(word)["Records"][0]["eventSource"] == "aws:sqs"


def test_a_failed_sqs_message_reaches_the_dead_letter_queue(probe: Probe, word: str) -> None:
    with impatient(probe["queue_url"]):
        client("sqs").send_message(QueueUrl=probe["queue_url"], MessageBody=f"FAIL {word}")
        assert word in probe.wait_for_failure(word, "dlq_url")
        assert len(probe.events(word)) == 5


def test_sns_invokes_for_messages_that_match_the_filter_policy(probe: Probe, word: str) -> None:
    for kind in ("bad", "good"):
        attributes = {"kind": {"DataType": "String", "StringValue": kind}}
        client("sns").publish(TopicArn=probe["topic_arn"], Message=f"{kind} {word}", MessageAttributes=attributes)
    assert probe.wait_for(f"good {word}")["Records"][0]["EventSource"] == "aws:sns"
    assert not probe.events(f"bad {word}")


@pytest.mark.needs("async_failures")
def test_a_failed_sns_message_reaches_the_failures_queue(probe: Probe, word: str) -> None:
    attributes = {"kind": {"DataType": "String", "StringValue": "good"}}
    client("sns").publish(TopicArn=probe["topic_arn"], Message=f"FAIL {word}", MessageAttributes=attributes)
    failure = probe.wait_for_failure(word)
    assert failure["responsePayload"]["errorMessage"] == "told to fail"
    assert failure["requestPayload"]["Records"][0]["Sns"]["Message"] == f"FAIL {word}"


@pytest.mark.needs("iam_enforcement")
def test_an_sns_message_that_cannot_be_delivered_reaches_the_failures_queue(probe: Probe, word: str) -> None:
    attributes = {"kind": {"DataType": "String", "StringValue": "good"}}
    with uninvited(probe["function_name"], "sns-filtered"):
        client("sns").publish(TopicArn=probe["topic_arn"], Message=word, MessageAttributes=attributes)
        assert probe.wait_for_failure(word)["Message"] == word
    assert not probe.events(word)


def test_eventbridge_invokes_for_events_that_match_the_pattern(probe: Probe, word: str) -> None:
    for total in (50, 150):
        entry = {"Source": "shop", "DetailType": "order", "Detail": json.dumps({"total": total, "order": word})}
        client("events").put_events(Entries=[entry | {"EventBusName": probe["bus"]}])
    assert probe.wait_for(word)["detail"] == {"total": 150, "order": word}
    assert len(probe.events(word)) == 1


@pytest.mark.needs("async_failures")
def test_a_failed_eventbridge_event_reaches_the_failures_queue(probe: Probe, word: str) -> None:
    entry = {"Source": "shop", "DetailType": "FAIL", "Detail": json.dumps({"total": 500, "order": word})}
    client("events").put_events(Entries=[entry | {"EventBusName": probe["bus"]}])
    assert probe.wait_for_failure(word)["requestPayload"]["detail"]["order"] == word


def test_s3_invokes_by_prefix_and_suffix_and_through_eventbridge(probe: Probe, word: str) -> None:
    """The bucket notifies the function about the objects that its filter selects, and EventBridge about all objects."""
    for key in (f"out/{word}.csv", f"in/{word}.txt", f"in/{word}.csv"):
        client("s3").put_object(Bucket=probe["bucket"], Key=key, Body=b"a,b\n")
    assert probe.wait_for(word, "ObjectCreated:Put")["Records"][0]["s3"]["object"]["key"] == f"in/{word}.csv"
    eventually(lambda: len(probe.events(word, "Object Created")) == 3, "three events of EventBridge")
    assert len(probe.events(word, "ObjectCreated:Put")) == 1


@pytest.mark.needs("async_failures")
def test_a_failed_s3_event_reaches_the_failures_queue(probe: Probe, word: str) -> None:
    client("s3").put_object(Bucket=probe["bucket"], Key=f"in/FAIL-{word}.csv", Body=b"a,b\n")
    eventually(lambda: len(probe.events(word)) == 2, "both events")
    assert probe.wait_for_failure(word)["requestContext"]["condition"] == "RetriesExhausted"


def test_a_dynamodb_stream_invokes_for_records_that_match_the_filter(probe: Probe, word: str) -> None:
    table = {"TableName": probe["orders_table"], "Key": {"id": {"S": word}}}
    client("dynamodb").put_item(TableName=probe["orders_table"], Item=table["Key"])
    client("dynamodb").update_item(
        **table, UpdateExpression="SET changed = :yes", ExpressionAttributeValues={":yes": {"BOOL": True}}
    )
    client("dynamodb").put_item(TableName=probe["orders_table"], Item={"id": {"S": f"{word}-later"}})
    probe.wait_for(f"{word}-later")
    names = [record["eventName"] for event in probe.events(word) for record in event["Records"]]
    assert names == ["INSERT", "INSERT"]


def test_a_failed_dynamodb_record_reaches_the_failures_queue_without_delaying_others(probe: Probe, word: str) -> None:
    client("dynamodb").put_item(TableName=probe["orders_table"], Item={"id": {"S": f"FAIL-{word}"}})
    probe.wait_for(f"FAIL-{word}")
    client("dynamodb").put_item(TableName=probe["orders_table"], Item={"id": {"S": f"next-{word}"}})
    assert probe.wait_for_failure("DDBStreamBatchInfo")["requestContext"]["condition"] == "RetryAttemptsExhausted"
    probe.wait_for(f"next-{word}")


def test_a_kinesis_record_invokes_the_function(probe: Probe, word: str) -> None:
    client("kinesis").put_record(StreamName=probe["stream"], Data=word.encode(), PartitionKey=word)
    assert probe.wait_for("aws:kinesis", f'"partitionKey": "{word}"')


def test_a_failed_kinesis_record_reaches_the_failures_queue_without_delaying_others(probe: Probe, word: str) -> None:
    client("kinesis").put_record(StreamName=probe["stream"], Data=b"{}", PartitionKey=f"FAIL-{word}")
    probe.wait_for(f"FAIL-{word}")
    client("kinesis").put_record(StreamName=probe["stream"], Data=b"{}", PartitionKey=f"next-{word}")
    assert probe.wait_for_failure("KinesisBatchInfo")["requestContext"]["condition"] == "RetryAttemptsExhausted"
    probe.wait_for(f"next-{word}")


def test_an_alarm_invokes_the_function(probe: Probe, word: str) -> None:
    client("cloudwatch").set_alarm_state(AlarmName=probe["alarm"], StateValue="OK", StateReason="calm")
    client("cloudwatch").set_alarm_state(AlarmName=probe["alarm"], StateValue="ALARM", StateReason=word)
    event = probe.wait_for(word)
    assert event["source"] == "aws.cloudwatch"
    assert event["alarmData"]["alarmName"] == probe["alarm"]


@pytest.mark.needs("async_failures")
def test_a_failed_alarm_event_reaches_the_failures_queue(probe: Probe, word: str) -> None:
    client("cloudwatch").set_alarm_state(AlarmName=probe["alarm"], StateValue="OK", StateReason="calm")
    client("cloudwatch").set_alarm_state(AlarmName=probe["alarm"], StateValue="ALARM", StateReason=f"FAIL {word}")
    assert probe.wait_for_failure(word)["requestPayload"]["alarmData"]["state"]["value"] == "ALARM"


def session_of(role_arn: str) -> Credentials:
    session = client("sts").assume_role(RoleArn=role_arn, RoleSessionName="caller")["Credentials"]
    return Credentials(session["AccessKeyId"], session["SecretAccessKey"], session["SessionToken"])


def call_url(probe: Probe, credentials: Credentials | None) -> requests.Response:
    """Call the function's URL. An emulator serves it at its own address."""
    request = AWSRequest("GET", probe["url"], headers={"Host": urlsplit(probe["url"]).netloc})
    if credentials:
        SigV4Auth(credentials, "lambda", clouds.REGION).add_auth(request)
    return requests.get(
        clouds.chosen_cloud().endpoint or probe["url"], headers=dict(request.headers.items()), timeout=60
    )


@pytest.mark.needs("iam_enforcement")
def test_the_function_url_refuses_unsigned_requests(probe: Probe) -> None:
    assert call_url(probe, None).status_code == 403


def test_the_function_url_answers_signed_requests(probe: Probe) -> None:
    answer = call_url(probe, client("s3")._get_credentials())
    assert answer.status_code == 200
    assert answer.json()["version"] == "1"


def test_the_function_url_answers_the_roles_that_it_allows(probe: Probe) -> None:
    visitor = session_of(probe["visitor_arn"])
    answer = eventually(lambda: call_url(probe, visitor), "an answer to the visitor")
    assert answer.json()["version"] == "1"


def call_api(probe: Probe, path: str, credentials: Credentials | None) -> requests.Response:
    """Call a path of the API, whose methods require a signature."""
    url = f"{capabilities.api_url(clouds.chosen_cloud(), probe.names)}/{path}"
    request = AWSRequest("GET", url, headers={"Host": urlsplit(url).netloc})
    if credentials:
        SigV4Auth(credentials, "execute-api", clouds.REGION).add_auth(request)
    return requests.get(url, headers=dict(request.headers.items()), timeout=60)


@pytest.mark.needs("iam_enforcement")
def test_the_api_refuses_unsigned_requests_and_roles_without_permission(probe: Probe) -> None:
    refusal = call_api(probe, "door", None)
    assert (refusal.status_code, "Missing Authentication Token" in refusal.text) == (403, True)
    assert call_api(probe, "door", session_of(probe["visitor_arn"])).status_code == 403
    assert call_api(probe, "other", session_of(probe["guest_arn"])).status_code == 403


def test_the_api_answers_the_role_that_may_invoke_it(probe: Probe) -> None:
    answer = eventually(
        lambda: (reply := call_api(probe, "door", session_of(probe["guest_arn"]))).ok and reply,
        "an answer to the guest",
    )
    assert answer.json()["version"] == "1"


def test_a_schedule_invokes_the_function_within_a_minute(probe: Probe) -> None:
    assert probe.wait_for('"tick"', timeout_s=75) == {"tick": True}


def test_a_second_plan_shows_no_change(probe: Probe, package: dict[str, str]) -> None:
    run("plan", "-input=false", "-detailed-exitcode", **package)


@pytest.mark.needs("weighted_aliases")
def test_a_canary_receives_its_share_of_the_calls_and_can_be_removed(
    probe: Probe, package: dict[str, str], tmp_path: Path
) -> None:
    """A new version receives its weight of the calls while the alias stays on the old version."""

    def answers(calls: int) -> set[str]:
        arn = f"{probe['function_name']}:live"
        payloads = [
            json.loads(client("lambda").invoke(FunctionName=arn, Payload=b"{}")["Payload"].read()) for _ in range(calls)
        ]
        return {json.loads(answer["body"])["version"] for answer in payloads}

    newer = package | {"TF_VAR_package": str(packaged(tmp_path / "probe.zip", "second")), "TF_VAR_live_version": "1"}
    run("apply", "-input=false", "-auto-approve", **newer, TF_VAR_canary_weight="0.5")
    assert answers(40) == {"1", "2"}
    run("plan", "-input=false", "-detailed-exitcode", **newer, TF_VAR_canary_weight="0.5")
    run("apply", "-input=false", "-auto-approve", **newer)
    assert answers(20) == {"1"}
