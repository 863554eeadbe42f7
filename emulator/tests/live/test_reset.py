"""Test that a reset empties a running server, and that the server works afterwards.

test_restart.py resets a server after every service was used.
"""

import json
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta

import pytest

from embedded_localstack.testing import RESET, LocalStackProcess
from support import POLL, Cloud, eventually


@pytest.fixture(scope="module")
def resettable(emptied: LocalStackProcess) -> Cloud:
    return Cloud(emptied.home)


def copy_by_function(cloud: Cloud) -> None:
    """Deploy a function that copies messages of a queue to a bucket, and wait until it has copied one."""
    cloud.s3.create_bucket(Bucket="out")
    queue, arn = cloud.queue("reset")
    cloud.function("reset", *POLL["sqs"])
    cloud.lambda_.create_event_source_mapping(EventSourceArn=arn, FunctionName="reset")
    cloud.sqs.send_message(QueueUrl=queue, MessageBody="{}")
    assert eventually(lambda: cloud.outputs("reset"))
    assert len(cloud.outputs("reset")) == 1


def test_tables_and_streams_are_gone_and_can_be_made_again(emptied: LocalStackProcess, resettable: Cloud):
    key = {"AttributeName": "id", "AttributeType": "S"}
    for name in ("id", "other"):
        resettable.dynamodb.create_table(
            TableName="reset",
            AttributeDefinitions=[key | {"AttributeName": name}],
            KeySchema=[{"AttributeName": name, "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
        )
        resettable.dynamodb.put_item(TableName="reset", Item={name: {"S": "1"}})
        resettable.kinesis.create_stream(StreamName="reset")
        emptied.reset()
    assert resettable.dynamodb.list_tables()["TableNames"] == []
    assert resettable.kinesis.list_streams()["StreamNames"] == []
    assert resettable.client("dynamodbstreams").list_streams()["Streams"] == []


def test_functions_run_again_after_a_reset(emptied: LocalStackProcess, resettable: Cloud):
    for _ in range(2):
        copy_by_function(resettable)
        emptied.reset()
    assert resettable.lambda_.list_functions()["Functions"] == []
    assert resettable.lambda_.list_event_source_mappings()["EventSourceMappings"] == []
    assert resettable.s3.list_buckets()["Buckets"] == []
    assert list((emptied.home.temporary / "environments").iterdir()) == []


def test_rules_metrics_and_executions_are_gone(emptied: LocalStackProcess, resettable: Cloud):
    now = datetime.now(UTC)
    counts = []
    for _ in range(2):
        role = resettable.role("reset-states", principal="states.amazonaws.com")
        definition = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Wait", "Seconds": 600, "End": True}}})
        machine = resettable.stepfunctions.create_state_machine(name="reset", roleArn=role, definition=definition)
        resettable.stepfunctions.start_execution(stateMachineArn=machine["stateMachineArn"], name="once")
        resettable.events.put_rule(Name="reset", ScheduleExpression="rate(1 minute)")
        resettable.cloudwatch.put_metric_data(Namespace="reset", MetricData=[{"MetricName": "m", "Value": 1}])
        statistics = resettable.cloudwatch.get_metric_statistics(
            Namespace="reset",
            MetricName="m",
            StartTime=now - timedelta(minutes=2),
            EndTime=now + timedelta(minutes=9),
            Period=60,
            Statistics=["SampleCount"],
        )
        counts.append(sum(point["SampleCount"] for point in statistics["Datapoints"]))
        emptied.reset()
        assert resettable.events.list_rules()["Rules"] == []
        assert resettable.stepfunctions.list_state_machines()["stateMachines"] == []
        assert resettable.cloudwatch.list_metrics(Namespace="reset")["Metrics"] == []
    assert counts == [1, 1]


@pytest.mark.parametrize(("method", "headers", "status"), [("GET", {}, 405), ("POST", {"Origin": "http://a"}, 403)])
def test_a_web_page_cannot_reset(emptied: LocalStackProcess, method: str, headers: dict[str, str], status: int):
    request = urllib.request.Request(emptied.get_url() + RESET, method=method, headers=headers)
    with pytest.raises(urllib.error.HTTPError) as refusal:
        urllib.request.urlopen(request)
    assert refusal.value.code == status
