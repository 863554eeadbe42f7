"""The tests of a project that uses only the name of one fixture from the emulator."""

import io
import json
import time
import zipfile
from pathlib import Path

import boto3
import pytest

TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def copier(fresh_cloud):
    """Deploy the function with a role that may write to one bucket, and return the bucket's name."""
    boto3.client("s3").create_bucket(Bucket="copies")
    iam = boto3.client("iam")
    role = iam.create_role(RoleName="copier", AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]["Arn"]
    statements = [
        {"Effect": "Allow", "Action": "logs:*", "Resource": "*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::copies/*"},
    ]
    document = json.dumps({"Version": "2012-10-17", "Statement": statements})
    iam.put_role_policy(RoleName="copier", PolicyName="copier", PolicyDocument=document)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.write(Path(__file__).with_name("app.py"), "app.py")
    client = boto3.client("lambda")
    client.create_function(
        FunctionName="copier",
        Role=role,
        Runtime="python3.13",
        Handler="app.handler",
        Code={"ZipFile": archive.getvalue()},
        Environment={"Variables": {"BUCKET": "copies"}},
        Timeout=20,
    )
    client.get_waiter("function_active_v2").wait(FunctionName="copier", WaiterConfig={"Delay": 1})
    return "copies"


def invoke(event):
    return boto3.client("lambda").invoke(FunctionName="copier", Payload=json.dumps(event).encode())


@pytest.mark.fail_on_iam_denial
def test_a_message_is_copied(copier):
    assert "FunctionError" not in invoke({"Records": [{"messageId": "1", "body": f"sent at {time.time():.0f}"}]})
    assert boto3.client("s3").get_object(Bucket=copier, Key="1")["Body"].read().startswith(b"sent at ")


@pytest.mark.allow_iam_denial
def test_the_bucket_may_not_be_listed(copier):
    answer = invoke({})
    assert answer["FunctionError"] == "Unhandled"
    assert "s3:ListBucket" in json.loads(answer["Payload"].read())["errorMessage"]
