"""Test the further permissions that a call needs, and the calls that services make with a role."""

import json
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support import ACCOUNT, REGION, Cloud, eventually, package, policy

PASS = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
KEYS = """
import boto3
def handler(event, context):
    try:
        boto3.client("s3", **event).list_buckets()
    except Exception as error:
        return error.response["Error"]
"""
# This function sends a request without the SDK. The SDK's User-Agent would name the execution environment.
BY_HAND = """
import subprocess, sys, urllib.error, urllib.request

def send(event):
    request = urllib.request.Request(event["url"], event.get("body", "").encode() or None, event["headers"])
    try:
        return [urllib.request.urlopen(request).status, ""]
    except urllib.error.HTTPError as error:
        return [error.code, error.read().decode()]

def handler(event, context):
    if not event.pop("child", False):
        return send(event)
    command = [sys.executable, "-c", f"import app; print(app.send({event!r})[0])"]
    return [int(subprocess.run(command, capture_output=True, text=True, check=True).stdout), ""]
"""


def allow(*actions: str, resource: str = "*", **rest: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **rest}


def test_each_key_of_a_deletion_has_its_own_verdict(cloud: Cloud, name: str):
    cloud.s3.create_bucket(Bucket=name)
    for key in ("a1", "b1", "b2"):
        cloud.s3.put_object(Bucket=name, Key=key, Body=b"")
    client = cloud.as_role("s3", name, allow("s3:DeleteObject", resource=f"arn:aws:s3:::{name}/a*"))
    some = client.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "a1"}, {"Key": "b1"}]})
    assert [item["Key"] for item in some["Deleted"]] == ["a1"]
    assert [(item["Key"], item["Code"]) for item in some["Errors"]] == [("b1", "AccessDenied")]
    none = client.delete_objects(Bucket=name, Delete={"Objects": [{"Key": "b1"}, {"Key": "b2"}]})
    assert [item["Key"] for item in none["Errors"]] == ["b1", "b2"]
    assert cloud.s3.list_objects_v2(Bucket=name)["KeyCount"] == 2
    assert cloud.denied("s3:DeleteObject", f"{name}/b1", name)


def test_a_role_is_passed_only_with_permission_and_to_a_service_that_may_assume_it(cloud: Cloud, name: str):
    role = cloud.role(f"{name}-passed")
    code = {"Runtime": "python3.13", "Handler": "app.handler", "Code": {"ZipFile": package()}}
    without = cloud.as_role("lambda", f"{name}-a", allow("lambda:*"))
    with pytest.raises(ClientError, match=r"not authorized to perform: iam:PassRole"):
        without.create_function(FunctionName=name, Role=role, **code)
    passing = cloud.as_role(
        "lambda", f"{name}-b", allow("lambda:*"), allow("iam:PassRole", resource=role, Condition=PASS)
    )
    passing.create_function(FunctionName=name, Role=role, **code)
    other = cloud.role(f"{name}-other", principal="events.amazonaws.com")
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        cloud.lambda_.create_function(FunctionName=f"{name}-2", Role=other, **code)
    cloud.events.put_rule(Name=name, EventPattern='{"source": ["x"]}')
    _, arn = cloud.queue(name)
    with pytest.raises(ClientError, match="cannot be assumed by principal"):
        cloud.events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn, "RoleArn": role}])


def test_a_function_has_only_the_keys_of_its_role(cloud: Cloud, name: str):
    cloud.function(name, Code={"ZipFile": package(KEYS)})

    def error(**keys: str) -> dict[str, str]:
        payload = cloud.lambda_.invoke(FunctionName=name, Payload=json.dumps(keys))["Payload"].read()
        return dict(json.loads(payload))

    assert error()["Code"] == "AccessDenied", "the role may not list buckets"
    for key in ("test", ACCOUNT, "AKIAAAAAAAAAFORGED01"):
        refusal = error(aws_access_key_id=key, aws_secret_access_key="test")
        assert refusal["Code"] == "InvalidAccessKeyId"
        assert "without aws_access_key_id" in refusal["Message"]


def test_a_function_that_signs_by_hand_has_only_the_keys_of_its_role(cloud: Cloud, name: str):
    endpoint = f"http://127.0.0.1:{cloud.home.port}"
    cloud.queue(name)
    cloud.function(name, Code={"ZipFile": package(BY_HAND)})
    forged = {"x-localstack-data": json.dumps({"service_principal": "lambda"})}

    def send(url: str, service: str = "s3", body: str = "", child: bool = False, **headers: str) -> list[Any]:
        scope = f"test/20260101/{REGION}/{service}/aws4_request"
        headers |= {"Authorization": f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"}
        event = {"url": url, "body": body, "child": child, "headers": headers}
        return list(json.loads(cloud.lambda_.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read()))

    code, answer = send(f"{endpoint}/out")
    assert code == 403
    assert "InvalidAccessKeyId" in answer
    assert send(f"{endpoint}/out", child=True)[0] == 403, "a process that the function starts"
    assert send(f"{endpoint}/out", **forged)[0] == 403, "LocalStack's own header"
    code, answer = send(f"{endpoint}/{ACCOUNT}/{name}", "sqs", "Action=SendMessage&MessageBody=x")
    assert code == 403
    assert "InvalidClientTokenId" in answer
    assert cloud.denied("s3:ListObjects", "*", "nobody")


def test_a_function_may_use_a_url_that_the_deployer_presigned(cloud: Cloud, name: str):
    cloud.s3.put_object(Bucket="out", Key=f"{name}/x", Body=b"content")
    cloud.function(name, Code={"ZipFile": package(BY_HAND)})
    url = cloud.s3.generate_presigned_url("get_object", Params={"Bucket": "out", "Key": f"{name}/x"})
    payload = json.dumps({"url": url, "headers": {}})
    assert json.loads(cloud.lambda_.invoke(FunctionName=name, Payload=payload)["Payload"].read()) == [200, ""]


def test_the_log_of_a_group_invokes_a_function_that_permits_it(cloud: Cloud, name: str):
    function = cloud.function(name)
    cloud.logs.create_log_group(logGroupName=name)
    cloud.logs.create_log_stream(logGroupName=name, logStreamName="s")
    subscription = {"logGroupName": name, "filterName": "f", "filterPattern": "", "destinationArn": function}
    with pytest.raises(ClientError, match="InvalidParameterException"):
        cloud.logs.put_subscription_filter(**subscription)
    cloud.lambda_.add_permission(
        FunctionName=name,
        StatementId="s",
        Action="lambda:InvokeFunction",
        Principal=f"logs.{REGION}.amazonaws.com",
        SourceArn=f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{name}:*",
    )
    cloud.logs.put_subscription_filter(**subscription)
    event = {"timestamp": int(time.time() * 1000), "message": "m"}
    cloud.logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=[event])
    assert eventually(lambda: cloud.outputs(name))


def run(cloud: Cloud, name: str, role: str, state: dict[str, Any]) -> str:
    definition = json.dumps({"StartAt": "A", "States": {"A": {**state, "End": True}}})
    machine = cloud.stepfunctions.create_state_machine(name=name, roleArn=role, definition=definition)
    execution = cloud.stepfunctions.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]

    def ended() -> str:
        status = str(cloud.stepfunctions.describe_execution(executionArn=execution)["status"])
        return "" if status == "RUNNING" else status

    return eventually(ended)


def test_a_task_assumes_the_role_in_its_credentials_with_the_role_of_its_machine(cloud: Cloud, name: str):
    url, arn = cloud.queue(name)
    own = cloud.role(f"{name}-own", "sts:AssumeRole", principal=f"states.{REGION}.amazonaws.com")
    trust = policy({"Effect": "Allow", "Principal": {"AWS": own}, "Action": "sts:AssumeRole"})
    target = cloud.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    cloud.grant(name, "sqs:SendMessage", resource=arn)
    parameters = {"QueueUrl": url, "MessageBody": "{}"}
    state = {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "Parameters": parameters}
    assert run(cloud, f"{name}-1", own, {**state, "Credentials": {"RoleArn": target}}) == "SUCCEEDED"
    assert cloud.received(url) == [{}]
    assert run(cloud, f"{name}-2", own, state) == "FAILED"
