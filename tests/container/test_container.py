"""The image of the embedded LocalStack works with Docker Compose, as emulator/docs/container.md says.

`make test-container` runs this test. It needs a Docker engine, and leaves only the image there.
"""

import io
import json
import os
import subprocess
import time
import zipfile
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from eventloom.clouds import REGION, ROOT
from scripts import compose

PORT = os.environ.get("CONTAINER_PORT", "4589")
NAME = "eventloom-container-test"
HEALTHY_SECONDS = 150
TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
CODE = """
import boto3, os
def handler(event, context):
    boto3.client("s3").put_object(Bucket="photos", Key=event["key"], Body=b"from a function")
    return os.getuid()
"""


def compose_up(*options: str) -> None:
    run_compose("up", "-d", *options)
    deadline = time.monotonic() + HEALTHY_SECONDS
    while (state := inspect()["State"])["Health"]["Status"] != "healthy":
        assert state["Running"], logs()
        assert time.monotonic() < deadline, logs()
        time.sleep(0.5)


def run_compose(*arguments: str) -> None:
    variables = {"COMPOSE_PORT": PORT, "EMBEDDED_CONTAINER": NAME, "COMPOSE_PROJECT_NAME": NAME}
    command = [*compose.compose_command(), "--profile", "embedded", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | variables, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def inspect() -> dict[str, Any]:
    (facts,) = json.loads(compose.docker("inspect", NAME))
    return dict(facts)


def logs() -> str:
    done = subprocess.run(["docker", "logs", NAME], check=False, capture_output=True, text=True)
    return done.stdout + done.stderr


def client(service: str) -> Any:
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=f"http://127.0.0.1:{PORT}",
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 2}),
    )


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def deploy() -> None:
    """Create a bucket, and a function with a role without permissions."""
    client("s3").create_bucket(Bucket="photos")
    role = client("iam").create_role(RoleName="writer", AssumeRolePolicyDocument=document(TRUST))["Role"]["Arn"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("app.py", CODE)
    settings = {"Runtime": "python3.13", "Handler": "app.handler", "Timeout": 30}
    code = {"ZipFile": package.getvalue()}
    client("lambda").create_function(FunctionName="writer", Role=role, Code=code, **settings)
    client("lambda").get_waiter("function_active_v2").wait(FunctionName="writer")


def invoke(key: str) -> Any:
    answer = client("lambda").invoke(FunctionName="writer", Payload=json.dumps({"key": key}).encode())
    return json.loads(answer["Payload"].read())


@pytest.fixture(scope="module")
def container() -> Iterator[str]:
    """Build the image, start it, deploy a function to it, and remove everything except the image at the end."""
    run_compose("build")
    try:
        compose_up()
        deploy()
        yield NAME
    finally:
        run_compose("down", "-v")


def test_the_container_is_confined(container: str) -> None:
    facts = inspect()
    published = facts["NetworkSettings"]["Ports"][f"{PORT}/tcp"]
    assert {entry["HostIp"] for entry in published} == {"127.0.0.1"}
    assert facts["Config"]["User"] == "10001:10001"
    assert facts["HostConfig"]["CapDrop"] == ["ALL"]
    assert not facts["HostConfig"]["Privileged"]
    assert [mount["Type"] for mount in facts["Mounts"]] == ["volume"], "no socket and no folder of the machine"
    packages = compose.docker("exec", container, "sh", "-c", "touch /opt/embedded-localstack/x 2>&1 || true")
    assert "Permission denied" in packages


def test_the_log_names_the_missing_isolation(container: str) -> None:
    assert "functions share the file system of this machine, because the kernel refuses a mount namespace" in logs()


def test_iam_is_enforced_and_a_restart_keeps_the_state(container: str) -> None:
    refused = invoke("a")
    assert refused["errorType"] == "AccessDenied", refused
    status = compose.docker("exec", container, "embedded-localstack", "status")
    assert "may not s3:PutObject on arn:aws:s3:::photos/a" in status

    allowed = document({"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::photos/*"})
    client("iam").put_role_policy(RoleName="writer", PolicyName="write", PolicyDocument=allowed)
    assert invoke("b") == 10001

    run_compose("down")
    assert not compose.docker("ps", "-aq", "--filter", f"name=^{NAME}").split()
    compose_up()
    assert client("s3").get_object(Bucket="photos", Key="b")["Body"].read() == b"from a function"
    assert invoke("c") == 10001


def test_down_with_its_volume_removes_everything(container: str) -> None:
    run_compose("down", "-v")
    for kind in (["ps", "-a"], ["volume", "ls"], ["network", "ls"]):
        assert not compose.docker(*kind, "-q", "--filter", f"name={NAME}").split()
