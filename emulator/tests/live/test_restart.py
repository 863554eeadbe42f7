"""`restart`: the server that comes back has all that was in the one before, and what was under way goes on."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from botocore.exceptions import ClientError

from embedded_localstack import processes
from embedded_localstack.state import Home
from support import POLL, Cloud, eventually, from_service, launcher, source

LARGE = bytes(range(256)) * 4096
"""More than LocalStack keeps in memory."""


@dataclass
class Before:
    """What was made before the restart."""

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


@pytest.fixture(scope="module")
def before(cloud: Cloud, home: Home) -> Iterator[Before]:
    """Something in every service, some of it under way, and then the restart."""
    queue, _ = cloud.queue("restart", VisibilityTimeout="2")
    cloud.sqs.send_message(QueueUrl=queue, MessageBody='"in flight"')
    assert cloud.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"]
    cloud.sqs.send_message(QueueUrl=queue, MessageBody='"late"', DelaySeconds=2)
    cloud.sqs.send_message(QueueUrl=queue, MessageBody='"waiting"')
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
    moved, ran = moving(cloud), executions(cloud)
    cloud.lambda_.invoke(FunctionName="restart-async:live", InvocationType="Event", Payload=b'{"sleep": 1}')
    cloud.sns.publish(TopicArn=topic, Message='{"at": "before"}')
    was = home.load()
    done = launcher("restart", home)
    assert done.returncode == 0, done.stderr
    assert "restarted in" in done.stdout
    assert was
    assert not was.running()
    yield Before(queue, versions, mapped, handled, asynchronous, topic, heard, ruled, moved, ran)
    for mapping in cloud.lambda_.list_event_source_mappings()["EventSourceMappings"]:
        cloud.lambda_.delete_event_source_mapping(UUID=mapping["UUID"])


def objects(cloud: Cloud) -> list[str]:
    """Two versions of one object, and one that was deleted."""
    cloud.s3.create_bucket(Bucket="restart")
    cloud.s3.put_bucket_versioning(Bucket="restart", VersioningConfiguration={"Status": "Enabled"})
    put = [
        cloud.s3.put_object(Bucket="restart", Key="é key", Body=body, Metadata={"a": "b"}) for body in (b"old", LARGE)
    ]
    cloud.s3.put_object(Bucket="restart", Key="gone", Body=b"")
    cloud.s3.delete_object(Bucket="restart", Key="gone")
    return [answer["VersionId"] for answer in put]


def follow(cloud: Cloud, name: str) -> None:
    """A function that reads a stream, and has handled one record of it."""
    kind = name.removeprefix("restart-")
    arn = source(cloud, kind, name)
    function = cloud.function(name)
    cloud.grant(f"role-{name}", *POLL[kind], resource=[arn], name="poll")
    cloud.lambda_.create_event_source_mapping(
        EventSourceArn=arn, FunctionName=function, StartingPosition="TRIM_HORIZON"
    )
    assert eventually(lambda: cloud.outputs(name))


def deliveries(cloud: Cloud) -> tuple[str, str, str]:
    """A topic with a queue that hears it, and a queue that a rule sends to."""
    topic = cloud.sns.create_topic(Name="restart")["TopicArn"]
    heard, arn = cloud.queue("restart-heard", from_service("sns", topic))
    cloud.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes={"RawMessageDelivery": "true"})
    pattern = json.dumps({"source": ["restart"]})
    rule = cloud.events.put_rule(Name="restart", EventPattern=pattern)["RuleArn"]
    ruled, arn = cloud.queue("restart-ruled", from_service("events", rule))
    cloud.events.put_targets(Rule="restart", Targets=[{"Id": "1", "Arn": arn}])
    return topic, heard, ruled


def moving(cloud: Cloud) -> str:
    """A queue that gets its dead letters back, one a second."""
    dead, arn = cloud.queue("restart-dead")
    again, to = cloud.queue(
        "restart-again", RedrivePolicy=json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})
    )
    for number in range(8):
        cloud.sqs.send_message(QueueUrl=dead, MessageBody=json.dumps({"number": number}))
    cloud.sqs.start_message_move_task(SourceArn=arn, DestinationArn=to, MaxNumberOfMessagesPerSecond=1)
    return again


def executions(cloud: Cloud) -> list[str]:
    """One that is done, and one that is not."""
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


def test_messages_are_there_waiting_in_flight_or_delayed(cloud: Cloud, before: Before):
    bodies: list[object] = []

    def all_of_them() -> bool:
        for message in cloud.sqs.receive_message(QueueUrl=before.queue, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
            "Messages", []
        ):
            bodies.append(json.loads(message["Body"]))
            cloud.sqs.delete_message(QueueUrl=before.queue, ReceiptHandle=message["ReceiptHandle"])
        return len(bodies) >= 3

    assert eventually(all_of_them)
    assert sorted(map(str, bodies)) == ["in flight", "late", "waiting"]


def test_objects_are_there_in_all_versions(cloud: Cloud, before: Before):
    old, new = before.versions
    found = cloud.s3.get_object(Bucket="restart", Key="é key")
    assert (found["VersionId"], found["Metadata"], found["Body"].read()) == (new, {"a": "b"}, LARGE)
    assert cloud.s3.get_object(Bucket="restart", Key="é key", VersionId=old)["Body"].read() == b"old"
    with pytest.raises(ClientError, match="NoSuchKey"):
        cloud.s3.get_object(Bucket="restart", Key="gone")
    assert len(cloud.s3.list_object_versions(Bucket="restart")["DeleteMarkers"]) == 1


@pytest.mark.parametrize("name", ["restart-dynamodb", "restart-kinesis"])
def test_a_stream_is_read_on_from_where_it_was(cloud: Cloud, before: Before, name: str):
    if name == "restart-kinesis":
        cloud.kinesis.put_record(StreamName=name, PartitionKey="1", Data=b'"last"')
    assert eventually(lambda: len(cloud.outputs(name)) > before.handled[name])
    events = [cloud.s3.get_object(Bucket="out", Key=key)["Body"].read() for key in cloud.outputs(name)]
    records = [record["eventID"] for event in events for record in json.loads(event)["Records"]]
    assert len(records) == len(set(records)) == before.handled[name] + 1


def test_an_asynchronous_invocation_that_ran_is_run_again(cloud: Cloud, before: Before):
    assert eventually(lambda: cloud.outputs("restart-async"))
    body = cloud.s3.get_object(Bucket="out", Key=cloud.outputs("restart-async")[0])["Body"].read()
    assert json.loads(body) == {"sleep": 1}


def test_what_was_published_arrives_and_what_is_published_too(cloud: Cloud, before: Before):
    assert cloud.received(before.heard) == [{"at": "before"}]
    cloud.sns.publish(TopicArn=before.topic, Message='{"at": "after"}')
    assert cloud.received(before.heard) == [{"at": "after"}]


def test_dead_letters_go_on_being_moved(cloud: Cloud, before: Before):
    numbers: set[int] = set()

    def all_of_them() -> bool:
        numbers.update(body["number"] for body in cloud.received(before.moved, 1))
        return len(numbers) == 8

    assert eventually(all_of_them)


def test_executions_have_ended(cloud: Cloud, before: Before):
    found = [cloud.stepfunctions.describe_execution(executionArn=arn) for arn in before.executions]
    assert [execution["status"] for execution in found] == ["SUCCEEDED", "ABORTED"]


def test_rules_send_to_their_targets(cloud: Cloud, before: Before):
    cloud.events.put_events(Entries=[{"Source": "restart", "DetailType": "t", "Detail": '{"a": 1}'}])
    assert [event["detail"] for event in cloud.received(before.ruled)] == [{"a": 1}]


def test_permissions_count_as_before(cloud: Cloud, before: Before):
    cloud.iam.delete_role_policy(RoleName="role-restart-async", PolicyName="p")
    cloud.grant("role-restart-async", "s3:GetObject")
    answer = cloud.lambda_.invoke(FunctionName=before.asynchronous, Payload=b"{}")
    assert answer["FunctionError"]
    assert "AccessDenied" in answer["Payload"].read().decode()


def test_the_log_of_before_is_there(cloud: Cloud, before: Before):
    found = cloud.logs.filter_log_events(logGroupName="/aws/lambda/restart-dynamodb")["events"]
    assert any("INSERT" in event["message"] for event in found)


def test_a_second_restart_does_no_harm(cloud: Cloud, home: Home, before: Before):
    was = home.load()
    assert launcher("restart", home).returncode == 0
    assert was
    assert processes.descendants(was.pid) == []
    assert cloud.s3.get_object(Bucket="restart", Key="é key")["Body"].read() == LARGE
