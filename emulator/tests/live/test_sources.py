"""Test event source mappings on a running server, for queues, streams and tables."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support import LOGS, POLL, SOON, Cloud, eventually, package, source


@pytest.mark.parametrize("kind", list(POLL))
def test_a_poller_needs_permissions(cloud: Cloud, name: str, kind: str):
    arn = source(cloud, kind, name)
    start = {} if kind == "sqs" else {"StartingPosition": "TRIM_HORIZON"}
    function = cloud.function(name)
    with pytest.raises(ClientError, match=r"does not have permissions|Cannot access stream") as refused:
        cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, **start)
    assert refused.value.response["Error"]["Code"] == "InvalidParameterValueException"
    cloud.grant(f"role-{name}", *POLL[kind], resource="arn:aws:sqs:us-east-1:000000000000:elsewhere", name="poll")
    with pytest.raises(ClientError):
        cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, **start)
    # The policy names only the event source, although ListStreams has no resource type.
    cloud.grant(f"role-{name}", *POLL[kind], resource=[arn], name="poll")
    mapping = cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, **start)["UUID"]
    assert eventually(lambda: cloud.outputs(name), 30)
    cloud.lambda_.delete_event_source_mapping(UUID=mapping)


@pytest.mark.parametrize(
    "filters",
    [{}, {"FilterCriteria": {"Filters": [{"Pattern": '{"messageId": [{"exists": true}]}'}]}}],
    ids=["all", "filtered"],
)
def test_bodies_are_unchanged(cloud: Cloud, name: str, filters: dict[str, Any]):
    """Compare the bodies byte by byte, because a signature does not match JSON that is serialized again."""
    code = """
import boto3
def handler(event, context):
    for record in event["Records"]:
        key = f"{context.function_name}/{record['messageId']}"
        boto3.client("s3").put_object(Bucket="out", Key=key, Body=record["body"])
"""
    url, arn = cloud.queue(name)
    function = cloud.function(name, *POLL["sqs"], Code={"ZipFile": package(code)})
    mapping = cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, **filters)["UUID"]
    bodies = ['"text"', '{"a":1,"b":"\u00e9"}', '{"a": 1, "a": 2}', "1e400", "plain"]
    sent = {f"{name}/{cloud.sqs.send_message(QueueUrl=url, MessageBody=body)['MessageId']}": body for body in bodies}
    assert eventually(lambda: len(cloud.outputs(name)) == len(sent))
    assert {key: cloud.s3.get_object(Bucket="out", Key=key)["Body"].read().decode() for key in sent} == sent
    cloud.lambda_.delete_event_source_mapping(UUID=mapping)


def test_batches_of_a_queue_run_at_the_same_time(cloud: Cloud, name: str):
    url, arn = cloud.queue(name, VisibilityTimeout="60")
    function = cloud.function(name, *POLL["sqs"])
    mapping = cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, BatchSize=1)["UUID"]
    for _ in range(6):
        cloud.sqs.send_message(QueueUrl=url, MessageBody="sleep")
    assert eventually(lambda: len(cloud.outputs(name)) == 6, 60)
    assert cloud.overlap(name)
    cloud.lambda_.delete_event_source_mapping(UUID=mapping)
    assert eventually(
        lambda: not cloud.lambda_.list_event_source_mappings(FunctionName=name)["EventSourceMappings"], 10
    )


def test_a_mapping_is_updated_and_disabled(cloud: Cloud, name: str):
    url, arn = cloud.queue(name)
    function = cloud.function(name, *POLL["sqs"])
    uuid = cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, Enabled=False)["UUID"]

    def becomes(state: str) -> bool:
        """Return whether the mapping reaches the state and keeps it for 2.5 s, in which the old worker may end."""
        reached = eventually(lambda: cloud.lambda_.get_event_source_mapping(UUID=uuid)["State"] == state)
        time.sleep(2.5)
        return reached and bool(cloud.lambda_.get_event_source_mapping(UUID=uuid)["State"] == state)

    cloud.sqs.send_message(QueueUrl=url, MessageBody="{}")
    cloud.lambda_.update_event_source_mapping(UUID=uuid, Enabled=True)
    cloud.lambda_.update_event_source_mapping(UUID=uuid, BatchSize=5)
    assert becomes("Enabled")
    assert eventually(lambda: cloud.outputs(name))
    cloud.lambda_.update_event_source_mapping(UUID=uuid, Enabled=False)
    assert becomes("Disabled")
    cloud.lambda_.delete_event_source_mapping(UUID=uuid)


def test_failed_records_are_sent_with_the_role(cloud: Cloud, name: str):
    arn = source(cloud, "kinesis", name)
    url, target = cloud.queue(f"{name}-dead")
    function = cloud.function(name, *POLL["kinesis"])
    cloud.kinesis.put_record(StreamName=name, PartitionKey="1", Data=b"fail")
    code = package("def handler(event, context):\n    raise ValueError('no')\n")
    cloud.lambda_.update_function_code(FunctionName=name, ZipFile=code)
    cloud.lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=SOON)
    settings = {"MaximumRetryAttempts": 0, "DestinationConfig": {"OnFailure": {"Destination": target}}, "BatchSize": 1}

    def connect() -> str:
        return str(
            cloud.lambda_.create_event_source_mapping(
                EventSourceArn=arn, FunctionName=function, StartingPosition="TRIM_HORIZON", **settings
            )["UUID"]
        )

    with pytest.raises(ClientError, match="does not have permissions to call SendMessage"):
        connect()
    cloud.grant(f"role-{name}", "sqs:SendMessage", resource=target, name="dead")
    mapping = connect()
    assert cloud.received(url, 20)
    cloud.iam.delete_role_policy(RoleName=f"role-{name}", PolicyName="dead")
    cloud.kinesis.put_record(StreamName=name, PartitionKey="1", Data=b"fail too")
    assert cloud.denied("sqs:SendMessage", target, who=f"role-{name}")
    cloud.grant(f"role-{name}", "sqs:SendMessage", resource=target, name="dead")
    cloud.kinesis.put_record(StreamName=name, PartitionKey="1", Data=b"again")
    assert cloud.received(url, 20)
    cloud.lambda_.delete_event_source_mapping(UUID=mapping)


def test_a_batch_is_halved_down_to_the_failing_record(cloud: Cloud, name: str):
    arn = source(cloud, "kinesis", name)
    url, target = cloud.queue(f"{name}-dead")
    code = """
import base64, boto3
def handler(event, context):
    bodies = [base64.b64decode(record["kinesis"]["data"]).decode() for record in event["Records"]]
    if "poison" in bodies:
        raise ValueError(bodies)
    for body in bodies:
        boto3.client("s3").put_object(Bucket="out", Key=f"{context.function_name}/{body}", Body=b"")
"""
    function = cloud.function(name, *POLL["kinesis"], "sqs:SendMessage", Code={"ZipFile": package(code)})
    bodies = [*"abcdefg", "poison", *"hij"]
    cloud.kinesis.put_records(
        StreamName=name, Records=[{"PartitionKey": "1", "Data": body.encode()} for body in bodies]
    )
    settings = {"MaximumRetryAttempts": 1, "BisectBatchOnFunctionError": True, "StartingPosition": "TRIM_HORIZON"}
    mapping = cloud.lambda_.create_event_source_mapping(
        EventSourceArn=arn, FunctionName=function, DestinationConfig={"OnFailure": {"Destination": target}}, **settings
    )["UUID"]
    assert [failed["KinesisBatchInfo"]["batchSize"] for failed in cloud.received(url, 40)] == [1]
    assert eventually(lambda: {key[-1] for key in cloud.outputs(name)} >= set("abcdefghij"))
    cloud.lambda_.delete_event_source_mapping(UUID=mapping)


def test_a_failing_batch_survives_a_disabled_mapping(cloud: Cloud, name: str):
    arn = source(cloud, "kinesis", name)
    role = cloud.role(name, *LOGS, *POLL["kinesis"])
    function = cloud.function(name, role=role)  # without the permission to write its output
    start = {"StartingPosition": "TRIM_HORIZON"}
    uuid = cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, **start)["UUID"]
    assert cloud.denied("s3:PutObject", name)

    def switch(*, on: bool) -> None:
        cloud.lambda_.update_event_source_mapping(UUID=uuid, Enabled=on)
        state = "Enabled" if on else "Disabled"
        assert eventually(lambda: cloud.lambda_.get_event_source_mapping(UUID=uuid)["State"] == state)

    switch(on=False)
    time.sleep(2)
    cloud.grant(name, "s3:PutObject", name="write")
    time.sleep(3)
    assert not cloud.outputs(name), "no retry runs"
    switch(on=True)
    assert eventually(lambda: cloud.outputs(name))
    cloud.lambda_.delete_event_source_mapping(UUID=uuid)


@pytest.mark.parametrize("size", [1024 * 1024, 1024 * 1024 - 1])
def test_a_record_has_at_most_a_megabyte(cloud: Cloud, name: str, size: int):
    cloud.kinesis.create_stream(StreamName=name, ShardCount=1)
    cloud.kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig=SOON)
    record = {"StreamName": name, "PartitionKey": "1", "Data": b"x" * size}
    if size + len("1") > 1024 * 1024:
        with pytest.raises(ClientError, match="length less than or equal to 1048576"):
            cloud.kinesis.put_record(**record)
    else:
        assert cloud.kinesis.put_record(**record)["ShardId"]


# -- tables


def test_conditional_writes_are_atomic(cloud: Cloud, name: str):
    source(cloud, "dynamodb", name)
    cloud.dynamodb.put_item(TableName=name, Item={"id": {"S": "counter"}, "n": {"N": "0"}})

    def increment(_: int) -> int:
        won = 0
        for _ in range(5):
            now = cloud.dynamodb.get_item(TableName=name, Key={"id": {"S": "counter"}})["Item"]["n"]["N"]
            try:
                cloud.dynamodb.update_item(
                    TableName=name,
                    Key={"id": {"S": "counter"}},
                    UpdateExpression="SET n = :next",
                    ConditionExpression="n = :now",
                    ExpressionAttributeValues={":now": {"N": now}, ":next": {"N": str(int(now) + 1)}},
                )
                won += 1
            except cloud.dynamodb.exceptions.ConditionalCheckFailedException:
                continue
        return won

    with ThreadPoolExecutor(20) as threads:
        won = sum(threads.map(increment, range(20)))
    assert cloud.dynamodb.get_item(TableName=name, Key={"id": {"S": "counter"}})["Item"]["n"]["N"] == str(won)


def mapping_state(cloud: Cloud, mapping: str) -> str | None:
    """Return the state of a mapping, or None if it does not exist."""
    try:
        return str(cloud.lambda_.get_event_source_mapping(UUID=mapping)["State"])
    except cloud.lambda_.exceptions.ResourceNotFoundException:
        return None


def test_a_queue_is_free_once_its_mapping_is_gone(cloud: Cloud, name: str):
    """A mapping stays visible as long as it prevents another mapping of the queue."""
    _, arn = cloud.queue(name)
    function = cloud.function(name, *POLL["sqs"])
    arguments = {"EventSourceArn": arn, "FunctionName": function}
    for enabled in (True, False, True):
        mapping = cloud.lambda_.create_event_source_mapping(**arguments, Enabled=enabled)["UUID"]
        cloud.lambda_.delete_event_source_mapping(UUID=mapping)
        assert mapping_state(cloud, mapping) in {"Deleting", None}
        assert eventually(lambda gone=mapping: mapping_state(cloud, gone) is None)


def test_settings_can_be_taken_from_a_mapping(cloud: Cloud, name: str):
    _, arn = cloud.queue(name)
    function = cloud.function(name, *POLL["sqs"])
    settings = {"FilterCriteria": {"Filters": [{"Pattern": "{}"}]}, "ScalingConfig": {"MaximumConcurrency": 2}}
    mapping = cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName=function, **settings)["UUID"]
    cloud.lambda_.update_event_source_mapping(UUID=mapping, FilterCriteria={}, ScalingConfig={})
    assert not settings.keys() & cloud.lambda_.get_event_source_mapping(UUID=mapping).keys()
    cloud.lambda_.delete_event_source_mapping(UUID=mapping)
