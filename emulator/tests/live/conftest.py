"""A server of its own for the live tests, and the short ways to say what they say often."""

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
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from embedded_localstack import processes
from embedded_localstack.state import CHECKOUT, Home

ACCOUNT, REGION = "000000000000", "us-east-1"
LOGS = ["logs:CreateLogStream", "logs:PutLogEvents", "logs:CreateLogGroup"]
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


def launcher(command: str, home: Home, **environment: str) -> subprocess.CompletedProcess[str]:
    arguments = [sys.executable, "-m", "embedded_localstack", command, "--port", str(home.port), "--home", str(home.path)]
    return subprocess.run(arguments, env={**os.environ, **environment}, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def home() -> Iterator[Home]:
    """A running server's folder."""
    port = free_port()
    home = Home(port, CHECKOUT / "build" / f"localstack-test-{port}")
    started = launcher("up", home, IAM_AUDIT="1")
    assert started.returncode == 0, started.stderr
    yield home
    family = processes.belonging_to(home.path)
    assert launcher("down", home).returncode == 0
    assert processes.wait_gone(family, 0) == []
    assert launcher("status", home).returncode == 3
    if not os.environ.get("KEEP_LOG"):
        subprocess.run(["rm", "-rf", home.path], check=False)


def eventually[T](question: Callable[[], T], seconds: float = 30) -> T:
    """Ask until the answer is true; the last answer."""
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
    """Clients of the deployer, and shorthands. Names need to be unique across the tests."""

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
        made = self.client(service.rstrip("_"))
        setattr(self, service, made)
        return made

    def role(self, name: str, *actions: str, resource: Any = "*", principal: str = "lambda.amazonaws.com") -> str:
        trust = policy({"Effect": "Allow", "Principal": {"Service": principal}, "Action": "sts:AssumeRole"})
        arn = str(self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"])
        if actions:
            self.grant(name, *actions, resource=resource)
        return arn

    def grant(self, role: str, *actions: str, resource: Any = "*", name: str = "p") -> None:
        document = policy({"Effect": "Allow", "Action": list(actions), "Resource": resource})
        self.iam.put_role_policy(RoleName=role, PolicyName=name, PolicyDocument=document)

    def function(self, name: str, *actions: str, role: str | None = None, **more: Any) -> str:
        role = role or self.role(f"role-{name}", *LOGS, "s3:PutObject", *actions)
        settings = {"Runtime": "python3.13", "Handler": "app.handler", "Code": {"ZipFile": package()}, "Timeout": 10, **more}
        arn = self.lambda_.create_function(FunctionName=name, Role=role, **settings)["FunctionArn"]
        self.lambda_.get_waiter("function_active_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
        return str(arn)

    def queue(self, name: str, statement: dict[str, Any] | None = None, **attributes: str) -> tuple[str, str]:
        arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        if statement:
            attributes["Policy"] = policy({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": arn, **statement})
        return str(self.sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]), arn

    def received(self, url: str, seconds: float = 10) -> list[dict[str, Any]]:
        def receive() -> list[dict[str, Any]]:
            found = self.sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
            for message in found:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
            return [body for body in (json.loads(message["Body"]) for message in found) if body.get("Event") != "s3:TestEvent"]

        return eventually(receive, seconds)

    def outputs(self, function: str) -> list[str]:
        return [item["Key"] for item in self.s3.list_objects_v2(Bucket="out", Prefix=f"{function}/").get("Contents", [])]

    def overlap(self, function: str) -> bool:
        """Whether two of the function's invocations that wrote something ran at the same time."""
        found = [self.s3.head_object(Bucket="out", Key=key)["Metadata"] for key in self.outputs(function)]
        spans = sorted((float(span["began"]), float(span["ended"])) for span in found)
        return any(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans))

    def denied(self, action: str, resource: str, who: str = "") -> bool:
        """Wait for a denial: its absence would let a test wait for nothing."""

        def found() -> bool:
            lines = [json.loads(line) for line in self.home.denials.read_text().splitlines()]
            return any(line["action"] == action and resource in line["resource"] and who in line["who"] for line in lines)

        return eventually(found)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def from_service(service: str, source_arn: str) -> dict[str, Any]:
    """The part of a statement that lets one resource of a service in, as this project's Terraform writes it."""
    condition = {"ArnEquals": {"aws:SourceArn": source_arn}}
    if service == "s3":  # whose ARNs name no account
        condition["StringEquals"] = {"aws:SourceAccount": ACCOUNT}
    return {"Principal": {"Service": f"{service}.amazonaws.com"}, "Condition": condition}


def package(code: str = FUNCTION) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("app.py", code)
    return data.getvalue()


@pytest.fixture(scope="session")
def cloud(home: Home) -> Cloud:
    cloud = Cloud(home)
    cloud.s3.create_bucket(Bucket="out")
    return cloud


@pytest.fixture
def name(request: pytest.FixtureRequest) -> str:
    """A name for what the test makes."""
    text = request.node.name.removeprefix("test_").replace("[", "-").replace("]", "").replace("_", "-").replace(" ", "-")
    return str(text)[:40].strip("-")


@pytest.fixture(scope="session")
def scratch() -> Iterator[Path]:
    folder = CHECKOUT / "build" / f"localstack-test-scratch-{os.getpid()}"
    folder.mkdir(parents=True, exist_ok=True)
    yield folder
    subprocess.run(["rm", "-rf", folder], check=False)
