"""Define the load for measuring the emulator: the requests of a photo without image processing, and small stacks."""

import io
import json
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

type Clients = Callable[[str], Any]
ACCOUNT, REGION = "000000000000", "us-east-1"
BUCKET, OUT, TABLE, QUEUE, TOPIC = "bench-photos", "bench-thumbnails", "bench-catalog", "bench-photos", "bench-notices"
PHOTO_BYTES, THUMBNAIL_BYTES = 200_000, 20_000
WAIT_S = 300
# The requests of the thumbnailer for each photo, and of the notifier for each batch of the table's stream
THUMBNAILER = f"""
import json, boto3
from urllib.parse import unquote_plus
s3, table = boto3.client("s3"), boto3.resource("dynamodb").Table("{TABLE}")

def handler(event, context):
    for message in event["Records"]:
        for record in json.loads(message["body"]).get("Records", []):
            bucket, key = record["s3"]["bucket"]["name"], unquote_plus(record["s3"]["object"]["key"])
            table.get_item(Key={{"id": key}})
            body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            for size in (128, 512, 1280):
                s3.put_object(Bucket="{OUT}", Key=f"{{key}}/{{size}}", Body=body[:{THUMBNAIL_BYTES}])
            table.put_item(Item={{"id": key, "size": len(body)}})
            print(json.dumps({{"key": key, "result": "READY"}}))
"""
NOTIFIER = f"""
import boto3
sns = boto3.client("sns")

def handler(event, context):
    sns.publish(TopicArn="arn:aws:sns:{REGION}:{ACCOUNT}:{TOPIC}", Message=str(len(event["Records"])))
"""
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
LOGS = {
    "Effect": "Allow",
    "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
    "Resource": "*",
}


def clients(endpoint: str) -> Clients:
    """Return a function that returns the client of a service."""
    config = Config(s3={"addressing_style": "path"}, max_pool_connections=20)
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
    make: Any = boto3.client  # its type lists every service
    return cache(lambda service: make(service, endpoint_url=endpoint, config=config, **keys))


def make_function(aws: Clients, name: str, code: str, *statements: dict[str, Any]) -> None:
    """Create a function with its role, and wait until it is active."""
    role = aws("iam").create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    policy = {"Version": "2012-10-17", "Statement": [LOGS, *statements]}
    aws("iam").put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", code)
    aws("lambda").create_function(
        FunctionName=name,
        Runtime="python3.13",
        Handler="app.handler",
        Role=role,
        Code={"ZipFile": package.getvalue()},
        Timeout=30,
    )
    aws("lambda").get_waiter("function_active_v2").wait(FunctionName=name)


def make_queue(aws: Clients, name: str, **attributes: str) -> tuple[str, str]:
    """Create a queue, and return its URL and ARN."""
    url = aws("sqs").create_queue(QueueName=name, Attributes={"VisibilityTimeout": "60", **attributes})["QueueUrl"]
    return url, f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def make_table(aws: Clients, name: str) -> str:
    """Create a table with a stream, and return the ARN of the stream."""
    description = aws("dynamodb").create_table(
        TableName=name,
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_IMAGE"},
    )["TableDescription"]
    return str(description["LatestStreamArn"])


def allow(*actions: str) -> dict[str, Any]:
    """Return a statement that allows actions."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


READ_QUEUE = allow("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes")
READ_STREAM = allow(
    "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams"
)


class Photos:
    """A bucket that invokes a function through a queue, and a table whose stream invokes another function."""

    def __init__(self, aws: Clients) -> None:
        self._aws, self._sent = aws, 0

    def deploy(self) -> None:
        """Create everything."""
        aws = self._aws
        for bucket in (BUCKET, OUT):
            aws("s3").create_bucket(Bucket=bucket)
        sender = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
        policy = {"Version": "2012-10-17", "Statement": [{**sender, "Resource": "*"}]}
        _, queue = make_queue(aws, QUEUE, Policy=json.dumps(policy))
        stream = make_table(aws, TABLE)
        aws("sns").create_topic(Name=TOPIC)
        objects = allow("s3:GetObject", "s3:PutObject", "s3:ListBucket")
        items = allow("dynamodb:GetItem", "dynamodb:PutItem")
        make_function(aws, "bench-thumbnailer", THUMBNAILER, READ_QUEUE, objects, items)
        make_function(aws, "bench-notifier", NOTIFIER, READ_STREAM, allow("sns:Publish"))
        aws("lambda").create_event_source_mapping(
            FunctionName="bench-thumbnailer",
            EventSourceArn=queue,
            BatchSize=5,
            ScalingConfig={"MaximumConcurrency": 2},
        )
        aws("lambda").create_event_source_mapping(
            FunctionName="bench-notifier", EventSourceArn=stream, BatchSize=10, StartingPosition="TRIM_HORIZON"
        )
        aws("s3").put_bucket_notification_configuration(
            Bucket=BUCKET,
            NotificationConfiguration={
                "QueueConfigurations": [{"QueueArn": queue, "Events": ["s3:ObjectCreated:*"]}],
            },
        )

    def flood(self, count: int) -> None:
        """Upload photos, and wait until all are in the table.

        Raises:
            RuntimeError: they are not after WAIT_S seconds.
        """
        keys = [f"photo-{self._sent + number}" for number in range(count)]
        self._sent += count
        with ThreadPoolExecutor(4) as pool:
            list(pool.map(self._put, keys))
        deadline = time.monotonic() + WAIT_S
        while self._ready() < self._sent:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self._ready()} of {self._sent} photos were handled in {WAIT_S} s")
            time.sleep(1)
        time.sleep(3)  # the last notices and log lines arrive later

    def _put(self, key: str) -> None:
        self._aws("s3").put_object(Bucket=BUCKET, Key=key, Body=key.encode().ljust(PHOTO_BYTES, b"."))

    def _ready(self) -> int:
        return int(self._aws("dynamodb").scan(TableName=TABLE, Select="COUNT")["Count"])


def stack(aws: Clients, name: str) -> None:
    """Create a function with a queue, a table and a bucket, invoke it, and delete everything."""
    aws("s3").create_bucket(Bucket=name)
    url, queue = make_queue(aws, name)
    make_table(aws, name)
    make_function(aws, name, "def handler(event, context):\n    print('called')\n", READ_QUEUE)
    mapping = aws("lambda").create_event_source_mapping(FunctionName=name, EventSourceArn=queue)["UUID"]
    aws("lambda").invoke(FunctionName=name)
    aws("lambda").delete_event_source_mapping(UUID=mapping)
    aws("lambda").delete_function(FunctionName=name)
    aws("dynamodb").delete_table(TableName=name)
    aws("sqs").delete_queue(QueueUrl=url)
    aws("s3").delete_bucket(Bucket=name)
    aws("iam").delete_role_policy(RoleName=name, PolicyName="own")
    aws("iam").delete_role(RoleName=name)
