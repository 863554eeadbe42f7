"""Helpers for the live tests: a cloud with shorthands, policies, packages and waiting."""

import io
import itertools
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import boto3
from botocore.config import Config

from embedded_localstack.state import Home

ACCOUNT, REGION = "000000000000", "us-east-1"
LOGS = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:CreateLogGroup"]
SOON = {"Delay": 0.05, "MaxAttempts": 600}
"""How a waiter of boto3 asks: 20 times a second, for 30 seconds."""
FUNCTION = """
import json, os, time
import boto3

def handler(event, context):
    began = time.time()
    print("event", json.dumps(event))
    if "sleep" in json.dumps(event):
        time.sleep(2)
    key, span = f"{context.function_name}/{context.aws_request_id}", {"began": str(began), "ended": str(time.time())}
    boto3.client("s3").put_object(Bucket="out", Key=key, Body=json.dumps(event), Metadata=span)
    if "fail" in json.dumps(event):
        raise ValueError("asked to fail")
    return {"statusCode": 200, "body": "hello"}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def launcher(command: str, home: Home, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    arguments = [
        sys.executable,
        "-m",
        "embedded_localstack",
        command,
        *options,
        "--port",
        str(home.port),
        "--home",
        str(home.path),
    ]
    return subprocess.run(arguments, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


def eventually[T](question: Callable[[], T], seconds: float = 30) -> T:
    """Return the first true result of `question`, or its last result after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := question()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return answer


def status(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as response:
            return int(response.status)
    except urllib.error.HTTPError as error:
        return error.code


class Cloud:
    """The clients of the deployer, with shorthands. Names must be unique across the tests."""

    def __init__(self, home: Home) -> None:
        self.home = home

    def client(self, service: str, **credentials: str) -> Any:
        keys = credentials or {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{self.home.port}",
            region_name=REGION,
            config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 1}),
            **keys,
        )

    def __getattr__(self, service: str) -> Any:
        client = self.client(service.rstrip("_").replace("_", "-"))
        setattr(self, service, client)
        return client

    def role(self, name: str, *actions: str, resource: Any = "*", principal: str = "lambda.amazonaws.com") -> str:
        trust = policy({"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"})
        arn = str(self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])
        if actions:
            self.grant(name, *actions, resource=resource)
        return arn

    def grant(self, role: str, *actions: str, resource: Any = "*", name: str = "p") -> None:
        document = policy({"Effect": "Allow", "Action": list(actions), "Resource": resource})
        self.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    def session(self, name: str, *statements: dict[str, Any]) -> tuple[str, str, str]:
        """Return the access key, secret and token of a session of a new role with these statements."""
        trust = policy(
            {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        )
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        if statements:
            self.iam.put_role_policy(RoleName=name, PolicyName="p", PolicyDocument=policy(*statements))
        keys = self.sts.assume_role(RoleArn=arn, RoleSessionName="caller")["Credentials"]
        return keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"]

    def as_role(self, service: str, name: str, *statements: dict[str, Any]) -> Any:
        """Return a client with a session of a new role with these statements."""
        key, secret, token = self.session(name, *statements)
        keys = {"aws_access_key_id": key, "aws_secret_access_key": secret, "aws_session_token": token}
        return self.client(service, **keys)

    def function(self, name: str, *actions: str, role: str | None = None, **more: Any) -> str:
        role = role or self.role(f"role-{name}", *LOGS, "s3:PutObject", *actions)
        settings = {
            "Runtime": "python3.13",
            "Handler": "app.handler",
            "Code": {"ZipFile": package()},
            "Timeout": 10,
            **more,
        }
        arn = self.lambda_.create_function(FunctionName=name, Role=role, **settings)["FunctionArn"]
        self.lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig=SOON)
        return str(arn)

    def queue(self, name: str, statement: dict[str, Any] | None = None, **attributes: str) -> tuple[str, str]:
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        if statement:
            attributes["Policy"] = policy(
                {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn, **statement}
            )
        return str(self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]), arn

    def received(self, url: str, seconds: float = 10) -> list[dict[str, Any]]:
        def receive() -> list[dict[str, Any]]:
            messages = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get(
                "Messages", []
            )
            for message in messages:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return [
                body
                for body in (json.loads(message["Body"]) for message in messages)
                if body.get("Event") != "s3:TestEvent"
            ]

        return eventually(receive, seconds)

    def outputs(self, function: str) -> list[str]:
        return [
            item["Key"] for item in self.s3.list_objects_v2(Bucket="out", Prefix=f"{function}/").get("Contents", [])
        ]

    def overlap(self, function: str) -> bool:
        """Return whether two invocations that wrote an output ran at the same time."""
        metadata = [self.s3.head_object(Bucket="out", Key=key)["Metadata"] for key in self.outputs(function)]
        spans = sorted((float(span["began"]), float(span["ended"])) for span in metadata)
        return any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans))

    def denied(self, action: str, resource: str, who: str = "") -> bool:
        """Wait for a denial, and return whether it is recorded."""

        def is_recorded() -> bool:
            lines = [json.loads(line) for line in self.home.denials.read_text().splitlines()]
            return any(
                line["action"] == action and resource in line["resource"] and who in line["who"] for line in lines
            )

        return eventually(is_recorded)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def from_service(service: str, source_arn: str) -> dict[str, Any]:
    """Return the policy elements that allow only one resource of a service, as in the project's Terraform."""
    condition = {"ArnEquals": {"aws:SourceArn": source_arn}}
    if service == "s3":  # an S3 ARN contains no account
        condition["StringEquals"] = {"aws:SourceAccount": ACCOUNT}
    return {"Principal": {"Service": f"{service}.amazonaws.com"}, "Condition": condition}


def package(code: str = FUNCTION, file: str = "app.py") -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr(file, code)
    return data.getvalue()


POLL = {
    "sqs": ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"],
    "dynamodb": ["dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:DescribeStream", "dynamodb:ListStreams"],
    "kinesis": ["kinesis:GetRecords", "kinesis:GetShardIterator", "kinesis:DescribeStream", "kinesis:ListShards"],
}


def source(cloud: Cloud, kind: str, name: str) -> str:
    """Create a queue, a table with a stream, or a stream, add one record, and return the ARN of the event source."""
    if kind == "sqs":
        url, arn = cloud.queue(name)
        cloud.sqs.send_message(QueueUrl=url, MessageBody="{}")
        return arn
    if kind == "dynamodb":
        table = cloud.dynamodb.create_table(
            TableName=name,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
        )["TableDescription"]
        cloud.dynamodb.get_waiter("table_exists").wait(TableName=name, WaiterConfig=SOON)
        cloud.dynamodb.put_item(TableName=name, Item={"id": {"S": "1"}})
        return str(table["LatestStreamArn"])
    cloud.kinesis.create_stream(StreamName=name, ShardCount=1)
    cloud.kinesis.get_waiter("stream_exists").wait(StreamName=name, WaiterConfig=SOON)
    cloud.kinesis.put_record(StreamName=name, PartitionKey="1", Data=b"{}")
    return str(cloud.kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["StreamARN"])
