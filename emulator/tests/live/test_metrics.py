"""Test that the metrics of SQS and Lambda reach CloudWatch, and that connections to moto's processes are kept."""

from datetime import UTC, datetime, timedelta

import psutil

from embedded_localstack import processes
from embedded_localstack.state import Home
from support import Cloud, eventually


def total(cloud: Cloud, namespace: str, metric: str, **dimension: str) -> float:
    """Return the sum of a metric over the last and the next hour."""
    now = datetime.now(UTC)
    points = cloud.cloudwatch.get_metric_statistics(
        Namespace=namespace,
        MetricName=metric,
        Dimensions=[{"Name": name, "Value": value} for name, value in dimension.items()],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(hours=1),
        Period=7200,
        Statistics=["Sum"],
    )["Datapoints"]
    return sum(point["Sum"] for point in points)


def test_a_queue_counts_its_messages(cloud: Cloud, name: str):
    url, _ = cloud.queue(name)
    for body in ("a", "bcd"):
        cloud.sqs.send_message(QueueUrl=url, MessageBody=body)
    (message,) = cloud.sqs.receive_message(QueueUrl=url)["Messages"]
    cloud.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    expected = {
        "NumberOfMessagesSent": 2,
        "SentMessageSize": 4,
        "NumberOfMessagesReceived": 1,
        "NumberOfMessagesDeleted": 1,
    }
    for metric, value in expected.items():
        assert eventually(lambda: total(cloud, "AWS/SQS", metric, QueueName=name) == value), metric  # noqa: B023
    sent = cloud.cloudwatch.list_metrics(Namespace="AWS/SQS", MetricName="NumberOfMessagesSent")["Metrics"]
    assert [{"Name": "QueueName", "Value": name}] in [entry["Dimensions"] for entry in sent]


def test_a_queue_reports_how_many_messages_wait(cloud: Cloud, name: str):
    url, _ = cloud.queue(name)
    cloud.sqs.send_message(QueueUrl=url, MessageBody="a")
    assert eventually(
        lambda: total(cloud, "AWS/SQS", "ApproximateNumberOfMessagesVisible", QueueName=name), seconds=40
    ), "SQS_CLOUDWATCH_METRICS_REPORT_INTERVAL is 10 s"


def test_a_function_counts_its_invocations(cloud: Cloud, name: str):
    cloud.function(name)
    cloud.lambda_.invoke(FunctionName=name, Payload=b"{}")
    assert eventually(lambda: total(cloud, "AWS/Lambda", "Invocations", FunctionName=name)) == 1


def test_requests_to_dynamodb_share_a_connection(cloud: Cloud, home: Home, name: str):
    cloud.dynamodb.create_table(
        TableName=name,
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    (moto,) = [
        process
        for pid in processes.belonging_to(home.path)
        if {"embedded_localstack.moto_server", "dynamodb"} <= {*(process := psutil.Process(pid)).cmdline()}
    ]
    connections = set()
    for number in range(20):
        cloud.dynamodb.put_item(TableName=name, Item={"id": {"S": str(number)}})
        connections |= {each.raddr for each in moto.net_connections("tcp") if each.status == "ESTABLISHED"}
    assert 0 < len(connections) < 20, connections
