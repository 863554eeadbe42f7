"""Test that `restart` restores the state of all services and continues unfinished work, and that a reset removes it."""

import json
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_localstack import processes
from embedded_localstack.state import Home
from embedded_localstack.testing import LocalStackProcess
from every_service import EVERY, NAME, answer, connections, make
from support import POLL, Cloud, eventually, from_service, launcher, package, source

LARGE = bytes(range(256)) * 4096
"""An object that is too large for LocalStack to keep in memory."""


@dataclass
class Before:
    """The resources that are created before the restart."""

    queue: str
    versions: list[str]
    mapped: list[str]
    handled: dict[str, int]
    asynchronous: str
    topic: str
    heard: str
    ruled: str
    moved: str
    executions: list[str]
    api: str
    answers: dict[str, Any]
    """What each service answers about its resources."""
    contacted: set[str]
    """The addresses that the server and its functions were connected to, other than loopback."""


@pytest.fixture(scope="module")
def before(cloud: Cloud, home: Home) -> Iterator[Before]:
    """Create resources in the services, start work that is unfinished at the restart, and restart the server."""
    queue, _ = cloud.queue("restart", VisibilityTimeout="2")
    cloud.sqs.send_message(QueueUrl=queue, MessageBody='"in flight"')
    assert cloud.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"]
    cloud.sqs.send_message(QueueUrl=queue, MessageBody='"late"', DelaySeconds=2)
    cloud.sqs.send_message(QueueUrl=queue, MessageBody='"waiting"')
    with connections(home) as contacted:
        versions = objects(cloud)
        mapped = ["restart-dynamodb", "restart-kinesis"]
        for name in mapped:
            follow(cloud, name)
        handled = {name: len(cloud.outputs(name)) for name in mapped}
        cloud.dynamodb.put_item(TableName="restart-dynamodb", Item={"id": {"S": "last"}})
        asynchronous = cloud.function("restart-async")
        cloud.lambda_.publish_version(FunctionName="restart-async")
        cloud.lambda_.create_alias(FunctionName="restart-async", Name="live", FunctionVersion="1")
        topic, heard, ruled = deliveries(cloud)
        moved, ran, api = moving(cloud), executions(cloud), http_api(cloud)
        make(cloud)
    answers = {service: answer(cloud, service) for service in EVERY}
    cloud.lambda_.invoke(FunctionName="restart-async:live", InvocationType="Event", Payload=b'{"sleep": 1}')
    cloud.sns.publish(TopicArn=topic, Message='{"at": "before"}')
    old_run = home.load()
    done = launcher("restart", home)
    assert done.returncode == 0, done.stderr
    assert "restarted in" in done.stdout
    assert old_run
    assert not old_run.running()
    yield Before(
        queue, versions, mapped, handled, asynchronous, topic, heard, ruled, moved, ran, api, answers, contacted
    )
    for mapping in cloud.lambda_.list_event_source_mappings()["EventSourceMappings"]:
        cloud.lambda_.delete_event_source_mapping(UUID=mapping["UUID"])


def objects(cloud: Cloud) -> list[str]:
    """Create an object with two versions and a deleted object. Return the IDs of the two versions."""
    cloud.s3.create_bucket(Bucket="restart")
    cloud.s3.put_bucket_versioning(Bucket="restart", VersioningConfiguration={"Status": "Enabled"})
    answers = [
        cloud.s3.put_object(Bucket="restart", Key="é key", Body=body, Metadata={"a": "b"}) for body in (b"old", LARGE)
    ]
    cloud.s3.put_object(Bucket="restart", Key="gone", Body=b"")
    cloud.s3.delete_object(Bucket="restart", Key="gone")
    return [answer["VersionId"] for answer in answers]


def follow(cloud: Cloud, name: str) -> None:
    """Create a function that reads a stream, and wait until it has handled the first record."""
    kind = name.removeprefix("restart-")
    arn = source(cloud, kind, name)
    function = cloud.function(name)
    cloud.grant(f"role-{name}", *POLL[kind], resource=[arn], name="poll")
    cloud.lambda_.create_event_source_mapping(
        EventSourceArn=arn, FunctionName=function, StartingPosition="TRIM_HORIZON"
    )
    assert eventually(lambda: cloud.outputs(name))


def deliveries(cloud: Cloud) -> tuple[str, str, str]:
    """Create a topic with a subscribed queue, and a rule with a queue as its target."""
    topic = cloud.sns.create_topic(Name="restart")["TopicArn"]
    heard, arn = cloud.queue("restart-heard", from_service("sns", topic))
    cloud.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    pattern = json.dumps({"source": ["restart"]})
    rule = cloud.events.put_rule(Name="restart", EventPattern=pattern)["RuleArn"]
    ruled, arn = cloud.queue("restart-ruled", from_service("events", rule))
    cloud.events.put_targets(Rule="restart", Targets=[{"Id": "1", "Arn": arn}])
    return topic, heard, ruled


def moving(cloud: Cloud) -> str:
    """Start a redrive of one dead letter per second, and return the URL of the destination queue."""
    dead, arn = cloud.queue("restart-dead")
    destination, destination_arn = cloud.queue(
        "restart-again", RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    )
    for number in range(8):
        cloud.sqs.send_message(QueueUrl=dead, MessageBody=json.dumps({"number": number}))
    cloud.sqs.start_message_move_task(SourceArn=arn, DestinationArn=destination_arn, MaxNumberOfMessagesPerSecond=1)
    return destination


def executions(cloud: Cloud) -> list[str]:
    """Start an execution that ends before the restart and one that does not. Return their ARNs."""
    role = cloud.role("restart-states", principal="states.amazonaws.com")
    states = {"done": {"Type": "Pass", "End": True}, "under-way": {"Type": "Wait", "Seconds": 600, "End": True}}
    started = []
    for name, state in states.items():
        definition = json.dumps({"StartAt": "A", "States": {"A": state}})
        machine = cloud.stepfunctions.create_state_machine(name=f"restart-{name}", roleArn=role, definition=definition)[
            "stateMachineArn"
        ]
        started.append(cloud.stepfunctions.start_execution(stateMachineArn=machine)["executionArn"])
    assert eventually(lambda: cloud.stepfunctions.describe_execution(executionArn=started[0])["status"] == "SUCCEEDED")
    return started


def http_api(cloud: Cloud) -> str:
    """Create an HTTP API with a deployment that runs a function, and return its ID."""
    function = cloud.function("restart-api")
    api = str(cloud.apigatewayv2.create_api(Name="restart", ProtocolType="HTTP", Target=function)["ApiId"])
    permission = {"Action": "lambda:InvokeFunction", "Principal": "apigateway.amazonaws.com"}
    cloud.lambda_.add_permission(FunctionName=function, StatementId=api, **permission)
    return api


def test_an_http_api_serves_its_deployment(cloud: Cloud, home: Home, before: Before):
    (stage,) = cloud.apigatewayv2.get_stages(ApiId=before.api)["Items"]
    assert cloud.apigatewayv2.get_deployment(ApiId=before.api, DeploymentId=stage["DeploymentId"])["AutoDeployed"]
    with urllib.request.urlopen(f"http://127.0.0.1:{home.port}/_aws/execute-api/{before.api}/any") as answer:
        assert answer.read() == b"hello"


def test_waiting_in_flight_and_delayed_messages_are_restored(cloud: Cloud, before: Before):
    bodies: list[object] = []

    def all_received() -> bool:
        for message in cloud.sqs.receive_message(QueueUrl=before.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
            "Messages", []
        ):
            bodies.append(json.loads(message["Body"]))
            cloud.sqs.delete_message(QueueUrl=before.queue, ReceiptHandle=message["ReceiptHandle"])
        return len(bodies) >= 3

    assert eventually(all_received)
    assert sorted(map(str, bodies)) == ["in flight", "late", "waiting"]


def test_objects_are_restored_with_all_versions(cloud: Cloud, before: Before):
    old, new = before.versions
    stored = cloud.s3.get_object(Bucket="restart", Key="é key")
    assert (stored["VersionId"], stored["Metadata"], stored["Body"].read()) == (new, {"a": "b"}, LARGE)
    assert cloud.s3.get_object(Bucket="restart", Key="é key", VersionId=old)["Body"].read() == b"old"
    with pytest.raises(ClientError, match="NoSuchKey"):
        cloud.s3.get_object(Bucket="restart", Key="gone")
    assert len(cloud.s3.list_object_versions(Bucket="restart")["DeleteMarkers"]) == 1


@pytest.mark.parametrize("name", ["restart-dynamodb", "restart-kinesis"])
def test_a_mapping_continues_at_its_position_in_the_stream(cloud: Cloud, before: Before, name: str):
    if name == "restart-kinesis":
        cloud.kinesis.put_record(StreamName=name, PartitionKey="1", Data=b'"last"')
    assert eventually(lambda: len(cloud.outputs(name)) > before.handled[name])
    events = [cloud.s3.get_object(Bucket="out", Key=key)["Body"].read() for key in cloud.outputs(name)]
    records = [record["eventID"] for event in events for record in json.loads(event)["Records"]]
    assert len(records) == len(set(records)) == before.handled[name] + 1


def test_an_interrupted_asynchronous_invocation_runs_again(cloud: Cloud, before: Before):
    assert eventually(lambda: cloud.outputs("restart-async"))
    body = cloud.s3.get_object(Bucket="out", Key=cloud.outputs("restart-async")[0])["Body"].read()
    assert json.loads(body) == {"sleep": 1}


def test_messages_published_before_and_after_the_restart_arrive(cloud: Cloud, before: Before):
    assert cloud.received(before.heard) == [{"at": "before"}]
    cloud.sns.publish(TopicArn=before.topic, Message='{"at": "after"}')
    assert cloud.received(before.heard) == [{"at": "after"}]


def test_a_redrive_continues(cloud: Cloud, before: Before):
    numbers: set[int] = set()

    def all_received() -> bool:
        numbers.update(body["number"] for body in cloud.received(before.moved, 1))
        return len(numbers) == 8

    assert eventually(all_received)


def test_an_unfinished_execution_is_aborted(cloud: Cloud, before: Before):
    descriptions = [cloud.stepfunctions.describe_execution(executionArn=arn) for arn in before.executions]
    assert [execution["status"] for execution in descriptions] == ["SUCCEEDED", "ABORTED"]


def test_rules_send_to_their_targets(cloud: Cloud, before: Before):
    cloud.events.put_events(Entries=[{"Source": "restart", "DetailType": "t", "Detail": '{"a": 1}'}])
    assert [event["detail"] for event in cloud.received(before.ruled)] == [{"a": 1}]


def test_permissions_are_enforced_after_the_restart(cloud: Cloud, before: Before):
    cloud.iam.delete_role_policy(RoleName="role-restart-async", PolicyName="p")
    cloud.grant("role-restart-async", "s3:GetObject")
    answer = cloud.lambda_.invoke(FunctionName=before.asynchronous, Payload=b"{}")
    assert answer["FunctionError"]
    assert "AccessDenied" in answer["Payload"].read().decode()


def test_logs_are_restored(cloud: Cloud, before: Before):
    log_events = cloud.logs.filter_log_events(logGroupName="/aws/lambda/restart-dynamodb")["events"]
    assert any("INSERT" in event["message"] for event in log_events)


def test_every_service_of_localstack_was_used(cloud: Cloud):
    with urllib.request.urlopen(f"http://127.0.0.1:{cloud.home.port}/_localstack/health") as response:
        assert set(json.load(response)["services"]) == set(EVERY)


@pytest.mark.parametrize("service", EVERY)
def test_each_service_is_restored(cloud: Cloud, before: Before, service: str):
    assert answer(cloud, service) == before.answers[service]


def test_only_this_machine_was_contacted(before: Before):
    assert before.contacted == set()


def test_a_function_that_contacts_another_address_is_noticed(cloud: Cloud, home: Home, name: str):
    """The function only connects a datagram socket, which sends nothing."""
    code = """
import socket, time
def handler(event, context):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as watched:
        watched.connect(("127.0.0.9", 53))
        time.sleep(1)
"""
    cloud.function(name, Code={"ZipFile": package(code)})
    with connections(home) as contacted:
        cloud.lambda_.invoke(FunctionName=name)
    assert contacted == {"127.0.0.9"}


def test_a_service_whose_state_is_damaged_starts_empty_and_the_others_are_restored(
    cloud: Cloud, home: Home, before: Before
):
    old_run = home.load()
    assert launcher("down", home).returncode == 0
    (home.snapshot / "ssm.service").write_bytes(b"damaged")
    done = launcher("up", home)
    assert done.returncode == 0
    assert "the state of ssm could not be restored (UnpicklingError: " in done.stderr
    assert (home.unrestored / "ssm.service").read_bytes() == b"damaged"
    assert answer(cloud, "ssm") == []
    assert old_run
    assert processes.descendants(old_run.pid) == []
    assert answer(cloud, "acm") == before.answers["acm"]
    assert cloud.s3.get_object(Bucket="restart", Key="é key")["Body"].read() == LARGE


def test_a_reset_empties_every_service(cloud: Cloud, home: Home, before: Before):
    def names_shown() -> set[str]:
        shown = set()
        for service, (call, _, _) in EVERY.items():
            try:
                if call and NAME in str(answer(cloud, service)):
                    shown.add(service)
            except ClientError:
                continue
        return shown

    assert {"s3", "iam", "sns", "swf"} <= names_shown()
    LocalStackProcess(port=home.port, home=home.path).attach().reset()
    assert names_shown() == set()
    make(cloud)  # the names are free again
    assert answer(cloud, "acm") != before.answers["acm"]
    cloud.s3.create_bucket(Bucket="out")  # other tests use it
