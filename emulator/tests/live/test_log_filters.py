"""Test that filter patterns select events, deliveries and data points on a running server."""

import base64
import gzip
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support import Cloud, eventually

EVENTS = ('{"level": "error", "ms": 40}', '{"level": "info", "ms": 2}', "plain error")


@pytest.fixture
def group(cloud: Cloud, name: str) -> str:
    """Return the name of a log group with an empty stream `s`."""
    cloud.logs.create_log_group(logGroupName=name)
    cloud.logs.create_log_stream(logGroupName=name, logStreamName="s")
    return name


def write(cloud: Cloud, group: str) -> None:
    now = int(time.time() * 1000)
    events = [{"timestamp": now, "message": message} for message in EVENTS]
    cloud.logs.put_log_events(logGroupName=group, logStreamName="s", logEvents=events)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [('{ $.level = "error" }', [0]), ("error", [0, 2]), ("plain -info", [2]), ("", [0, 1, 2]), ("[a, b]", [0, 1, 2])],
)
def test_filter_log_events(cloud: Cloud, group: str, pattern: str, expected: list[int]):
    write(cloud, group)
    events = cloud.logs.filter_log_events(logGroupName=group, filterPattern=pattern)["events"]
    assert [event["message"] for event in events] == [EVENTS[number] for number in expected]


def test_each_subscription_has_its_own_events(cloud: Cloud, group: str):
    """The second filter selects the events that the first filter does not select. The destination is a stream."""
    cloud.kinesis.create_stream(StreamName=group, ShardCount=1)
    cloud.kinesis.get_waiter("stream_exists").wait(StreamName=group)
    stream = cloud.kinesis.describe_stream(StreamName=group)["StreamDescription"]
    role = cloud.role(group, "kinesis:PutRecord", "kinesis:DescribeStream", principal="logs.amazonaws.com")
    for filter_name, pattern in (("errors", "{ $.level = error }"), ("plain", "plain")):
        cloud.logs.put_subscription_filter(
            logGroupName=group,
            filterName=filter_name,
            filterPattern=pattern,
            destinationArn=stream["StreamARN"],
            roleArn=role,
        )
    write(cloud, group)
    shard = stream["Shards"][0]["ShardId"]

    def records() -> list[Any]:
        iterator = cloud.kinesis.get_shard_iterator(StreamName=group, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
            "ShardIterator"
        ]
        page = cloud.kinesis.get_records(ShardIterator=iterator)
        return [json.loads(gzip.decompress(record["Data"])) for record in page["Records"]]

    assert eventually(lambda: len(records()) == 2)
    assert {
        record["subscriptionFilters"][0]: [event["message"] for event in record["logEvents"]] for record in records()
    } == {"errors": [EVENTS[0]], "plain": [EVENTS[2]]}


def test_a_subscribed_function_has_the_events_that_match(cloud: Cloud, group: str):
    function = cloud.function(group)
    cloud.lambda_.add_permission(
        FunctionName=function, StatementId="logs", Action="lambda:InvokeFunction", Principal="logs.amazonaws.com"
    )
    cloud.logs.put_subscription_filter(
        logGroupName=group, filterName="f", filterPattern="{ $.ms < 10 }", destinationArn=function
    )
    write(cloud, group)
    assert eventually(lambda: cloud.outputs(group))
    (key,) = cloud.outputs(group)
    event = json.load(cloud.s3.get_object(Bucket="out", Key=key)["Body"])
    data = json.loads(gzip.decompress(base64.b64decode(event["awslogs"]["data"])))
    assert [event["message"] for event in data["logEvents"]] == [EVENTS[1]]


def test_events_are_stored_even_if_their_delivery_fails(cloud: Cloud, group: str):
    function = cloud.function(group)
    cloud.lambda_.add_permission(
        FunctionName=function, StatementId="logs", Action="lambda:InvokeFunction", Principal="logs.amazonaws.com"
    )
    cloud.logs.put_subscription_filter(logGroupName=group, filterName="f", filterPattern="", destinationArn=function)
    cloud.lambda_.delete_function(FunctionName=function)
    write(cloud, group)
    events = cloud.logs.filter_log_events(logGroupName=group)["events"]
    assert [event["message"] for event in events] == list(EVENTS)


def test_a_metric_filter_counts_what_matches_in_its_group(cloud: Cloud, group: str, name: str):
    other = f"{name}-other"
    cloud.logs.create_log_group(logGroupName=other)
    cloud.logs.create_log_stream(logGroupName=other, logStreamName="s")
    transformation = {
        "metricName": "Ms",
        "metricNamespace": name,
        "metricValue": "$.ms",
        "unit": "Milliseconds",
        "dimensions": {"Level": "$.level"},
    }
    for pattern in ("{ $.ms = * }", "{ $.ms > 10 }"):  # the second pattern replaces the first
        cloud.logs.put_metric_filter(
            logGroupName=group, filterName="f", filterPattern=pattern, metricTransformations=[transformation]
        )
    write(cloud, group)
    write(cloud, other)
    (metric,) = cloud.cloudwatch.list_metrics(Namespace=name)["Metrics"]
    assert metric["Dimensions"] == [{"Name": "Level", "Value": "error"}]
    now = datetime.now(UTC)
    (point,) = cloud.cloudwatch.get_metric_statistics(
        Namespace=name,
        MetricName="Ms",
        Dimensions=metric["Dimensions"],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum", "SampleCount"],
        Unit="Milliseconds",
    )["Datapoints"]
    assert (point["Sum"], point["SampleCount"]) == (40.0, 1.0)


def test_test_metric_filter(cloud: Cloud):
    answer = cloud.logs.test_metric_filter(filterPattern="[kind, what]", logEventMessages=["one", "plain error"])
    assert answer["matches"] == [
        {"eventNumber": 2, "eventMessage": "plain error", "extractedValues": {"$kind": "plain", "$what": "error"}}
    ]


def test_invalid_patterns_are_refused(cloud: Cloud, group: str):
    metric = {"metricName": "m", "metricNamespace": "n", "metricValue": "1"}
    target = {"logGroupName": group, "filterName": "f", "filterPattern": "a:b"}
    function = cloud.function(group)
    calls = (
        lambda: cloud.logs.filter_log_events(logGroupName=group, filterPattern="a:b"),
        lambda: cloud.logs.test_metric_filter(filterPattern="a:b", logEventMessages=["a"]),
        lambda: cloud.logs.put_metric_filter(**target, metricTransformations=[metric]),
        lambda: cloud.logs.put_subscription_filter(**target, destinationArn=function),
    )
    for call in calls:
        with pytest.raises(ClientError, match="Invalid character") as caught:
            call()
        assert caught.value.response["Error"]["Code"] == "InvalidParameterException"
    assert cloud.logs.describe_metric_filters(logGroupName=group)["metricFilters"] == []
