"""Test calls of functions and invocations on a running server, with missing, wrong and right permissions."""

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support import ACCOUNT, LOGS, REGION, SOON, Cloud, eventually, package, status


def invoke(cloud: Cloud, function: str, event: Any = None) -> dict[str, Any]:
    return dict(json.loads(cloud.lambda_.invoke(FunctionName=function, Payload=json.dumps(event))["Payload"].read()))


# -- calls of functions


@pytest.mark.parametrize(
    ("actions", "resource", "allowed"),
    [
        (["s3:GetObject"], "*", False),
        (["s3:PutObject"], "arn:aws:s3:::elsewhere/*", False),
        (["s3:PutObject"], "arn:aws:s3:::out/*", True),
    ],
    ids=["missing", "wrong", "right"],
)
def test_function_to_s3(cloud: Cloud, name: str, actions: list[str], resource: str, allowed: bool):
    cloud.function(name, role=cloud.role(name, *actions, resource=resource))
    answer = invoke(cloud, name)
    if allowed:
        assert answer == {"statusCode": 200, "body": "hello"}
    else:
        assert "AccessDenied" in answer["errorMessage"]
        assert cloud.denied("s3:PutObject", f"out/{name}/", who=f"assumed-role/{name}/{name}")


def test_a_new_permission_takes_effect_at_once(cloud: Cloud, name: str):
    role = cloud.role(name, *LOGS)
    cloud.function(name, role=role)
    assert "AccessDenied" in invoke(cloud, name)["errorMessage"]
    cloud.grant(name, "s3:PutObject", resource="arn:aws:s3:::out/*", name="more")
    assert invoke(cloud, name)["statusCode"] == 200


def test_logs_need_only_permissions_on_their_group(cloud: Cloud, name: str):
    group = f"/aws/lambda/{name}"
    cloud.logs.create_log_group(logGroupName=group)
    role = cloud.role(name, "s3:PutObject")
    own = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{group}:*"
    cloud.grant(name, "logs:CreateLogStream", "logs:PutLogEvents", resource=own, name="logs")
    cloud.function(name, role=role)
    invoke(cloud, name, {"a": 1})

    def lines() -> list[str]:
        return [event["message"] for event in cloud.logs.filter_log_events(logGroupName=group)["events"]]

    assert eventually(lambda: any("REPORT" in line for line in lines()))
    assert 'event {"a": 1}\n' in lines()


def test_logs_are_lost_without_permissions(cloud: Cloud, name: str):
    cloud.function(name, role=cloud.role(name, "s3:PutObject"))
    invoke(cloud, name)
    assert cloud.denied("logs:CreateLogStream", name)


def test_a_role_must_trust_lambda(cloud: Cloud, name: str):
    with pytest.raises(ClientError, match="cannot be assumed by Lambda"):
        cloud.function(name, role=cloud.role(name, principal="ec2.amazonaws.com"))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"Runtime": "java21"}, r"the embedded LocalStack runs python3\.10, .* provided\.al2023, not java21"),
        ({"PackageType": "Image", "Code": {"ImageUri": "a:b"}}, "runs zip files, not container images"),
    ],
)
def test_a_runtime_that_cannot_run_is_refused(cloud: Cloud, name: str, settings: dict[str, Any], message: str):
    role = cloud.role(f"{name}{len(message)}", *LOGS)
    defaults = {} if "PackageType" in settings else {"Handler": "app.handler", "Code": {"ZipFile": package()}}
    with pytest.raises(ClientError, match=message):
        cloud.lambda_.create_function(FunctionName=name, Role=role, **defaults, **settings)
    with pytest.raises(ClientError, match="Function not found"):
        cloud.lambda_.get_function(FunctionName=name)


def test_a_function_that_failed_to_start_can_be_updated_and_deleted(cloud: Cloud, name: str):
    """The function fails to start because conftest.py sets a program that is not Python as python3.10."""

    def settled(function: str) -> str:
        def state() -> str:
            configuration = cloud.lambda_.get_function(FunctionName=function)["Configuration"]
            is_pending = configuration["State"] == "Pending" or configuration["LastUpdateStatus"] == "InProgress"
            return "" if is_pending else str(configuration["State"])

        return eventually(state)

    role = cloud.role(name, *LOGS, "s3:PutObject")
    settings = {"Handler": "app.handler", "Timeout": 10, "Role": role, "Code": {"ZipFile": package()}}
    for function in (name, f"{name}-2"):
        cloud.lambda_.create_function(FunctionName=function, Runtime="python3.10", **settings)
        assert settled(function) == "Failed"
    reason = cloud.lambda_.get_function(FunctionName=name)["Configuration"]["StateReason"]
    assert "the environment of python3.10 could not be made" in reason
    cloud.lambda_.update_function_configuration(FunctionName=name, Runtime="python3.13")
    assert settled(name) == "Active"
    assert invoke(cloud, name)["statusCode"] == 200
    for function in (name, f"{name}-2"):
        cloud.lambda_.delete_function(FunctionName=function)


def test_a_missing_object_is_forbidden_without_the_permission_to_list(cloud: Cloud, name: str):
    code = """
import boto3
def handler(event, context):
    try:
        boto3.client("s3").head_object(Bucket="out", Key="nothing")
    except Exception as error:
        return error.response["Error"]["Code"]
"""
    role = cloud.role(name, *LOGS, "s3:GetObject")
    cloud.function(name, role=role, Code={"ZipFile": package(code)})
    assert cloud.lambda_.invoke(FunctionName=name)["Payload"].read() == b'"403"'
    cloud.grant(name, "s3:ListBucket", name="list")
    assert cloud.lambda_.invoke(FunctionName=name)["Payload"].read() == b'"404"'


def test_a_presigned_url_has_the_permissions_of_its_signer(cloud: Cloud, name: str):
    cloud.s3.put_object(Bucket="out", Key=f"{name}/x", Body=b"content")
    code = """
import boto3
def handler(event, context):
    return boto3.client("s3").generate_presigned_url("get_object", Params={"Bucket": "out", "Key": event})
"""
    cloud.function(name, role=cloud.role(name, *LOGS), Code={"ZipFile": package(code)})
    response = cloud.lambda_.invoke(FunctionName=name, Payload=json.dumps(f"{name}/x"))
    url = json.loads(response["Payload"].read())
    assert status(url) == 403
    cloud.grant(name, "s3:GetObject", resource=f"arn:aws:s3:::out/{name}/*", name="get")
    assert status(url) == 200
    assert status(url.partition("?")[0]) == 403, "without a signature"


@pytest.mark.parametrize(
    ("variable", "message"),
    [
        ("AWS_REGION", "Reserved keys used in this request: AWS_REGION"),
        ("_HANDLER", "reserved keys"),
        ("A-B", "names must match"),
    ],
)
def test_reserved_and_invalid_variables_are_refused(cloud: Cloud, name: str, variable: str, message: str):
    environment = {"Environment": {"Variables": {"MINE": "1", variable: "2"}}}
    with pytest.raises(ClientError, match=message):
        cloud.lambda_.update_function_configuration(FunctionName=name, **environment)


def test_a_name_that_lambda_does_not_know_is_refused(cloud: Cloud):
    message = "Value 'a.b' at 'functionName' failed to satisfy constraint"
    with pytest.raises(ClientError, match=message) as refused:
        cloud.lambda_.create_function(
            FunctionName="a.b",
            Role=f"arn:aws:iam::{ACCOUNT}:role/r",
            Runtime="python3.13",
            Handler="app.handler",
            Code={"ZipFile": package()},
        )
    assert refused.value.response["Error"]["Code"] == "ValidationException"


# -- invocations


def test_invocations_run_in_parallel_up_to_the_reserved_concurrency(cloud: Cloud, name: str):
    cloud.function(name)
    with ThreadPoolExecutor(3) as threads:
        list(threads.map(lambda _: invoke(cloud, name, "sleep"), range(3)))
        assert cloud.overlap(name)
        cloud.lambda_.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=1)

        def attempt(_: int) -> str:
            try:
                return str(invoke(cloud, name, "sleep")["statusCode"])
            except cloud.lambda_.exceptions.TooManyRequestsException:
                return "throttled"

        assert sorted(threads.map(attempt, range(3))) == ["200", "throttled", "throttled"]


def test_the_client_context_reaches_the_function(cloud: Cloud, name: str):
    code = "def handler(event, context):\n    return context.client_context and context.client_context.custom\n"
    cloud.function(name, Code={"ZipFile": package(code)})
    given = base64.b64encode(b'{"custom": {"a": "b"}}').decode()
    assert cloud.lambda_.invoke(FunctionName=name, ClientContext=given)["Payload"].read() == b'{"a": "b"}'
    assert cloud.lambda_.invoke(FunctionName=name)["Payload"].read() == b"null"
    with pytest.raises(ClientError, match="must be a valid Base64-encoded JSON object"):
        cloud.lambda_.invoke(FunctionName=name, ClientContext="no base64")


def test_an_event_that_is_too_old_for_a_retry_is_given_up(cloud: Cloud, name: str):
    url, arn = cloud.queue(name)
    cloud.function(name, "sqs:SendMessage")
    failures = {"MaximumEventAgeInSeconds": 60, "DestinationConfig": {"OnFailure": {"Destination": arn}}}
    cloud.lambda_.put_function_event_invoke_config(FunctionName=name, **failures)
    cloud.lambda_.invoke(FunctionName=name, InvocationType="Event", Payload=b'"fail"')
    context = cloud.received(url)[0]["requestContext"]
    assert (context["condition"], context["approximateInvokeCount"]) == ("EventAgeExceeded", 1)


def test_a_deleted_log_group_comes_back(cloud: Cloud, name: str):
    group = f"/aws/lambda/{name}"
    cloud.function(name)

    def messages() -> list[str]:
        try:
            return [event["message"] for event in cloud.logs.filter_log_events(logGroupName=group)["events"]]
        except cloud.logs.exceptions.ResourceNotFoundException:
            return []

    invoke(cloud, name, 1)
    assert eventually(lambda: "event 1\n" in messages())
    cloud.logs.delete_log_group(logGroupName=group)
    invoke(cloud, name, 2)
    assert eventually(lambda: "event 2\n" in messages())


def test_the_tail_begins_with_start_and_has_4_kilobytes(cloud: Cloud, name: str):
    cloud.function(name)
    short, long = (
        base64.b64decode(
            cloud.lambda_.invoke(FunctionName=name, LogType="Tail", Payload=json.dumps(event))["LogResult"]
        )
        for event in ("", "x" * 5000)
    )
    assert short.startswith(b"START RequestId: ")
    assert len(long) == 4096
    assert b"\nREPORT RequestId: " in long


def test_code_is_read_only(cloud: Cloud, name: str):
    code = (
        "import os\n\ndef handler(event, context):\n    return [os.stat(path).st_mode & 0o222 for path in ('.', "
        "__file__)]\n"
    )
    cloud.function(name, Code={"ZipFile": package(code)})
    answer = json.loads(cloud.lambda_.invoke(FunctionName=name)["Payload"].read())
    assert answer == [0, 0]


@pytest.mark.parametrize(("kind", "most"), [("RequestResponse", 6 * 1024 * 1024), ("Event", 1024 * 1024)])
def test_events_over_the_limit_are_refused(cloud: Cloud, name: str, kind: str, most: int):
    with pytest.raises(ClientError, match=f"Request must be smaller than {most} bytes"):
        cloud.lambda_.invoke(FunctionName="any", InvocationType=kind, Payload=b'"' + b"x" * most + b'"')


def test_each_decision_is_in_the_audit_log(cloud: Cloud):
    lines = [json.loads(line) for line in cloud.home.audit.read_text().splitlines()]
    allowed = [line for line in lines if line["decision"] == "allow" and line["action"] == "s3:PutObject"]
    assert "role policy p#0" in allowed[0]["matched"]


def test_the_key_of_the_variables_is_kept_for_each_version(cloud: Cloud, name: str):
    """If the key is missing, Terraform plans a change of the function."""
    key = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/00000000-0000-0000-0000-000000000000"

    def key_of(version: str) -> str | None:
        return cloud.lambda_.get_function_configuration(FunctionName=name, Qualifier=version).get("KMSKeyArn")

    cloud.function(name, KMSKeyArn=key, Publish=True)
    assert (key_of("$LATEST"), key_of("1")) == (key, key)
    changed = cloud.lambda_.update_function_configuration(FunctionName=name, KMSKeyArn="", Timeout=9)
    cloud.lambda_.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig=SOON)
    cloud.lambda_.publish_version(FunctionName=name)
    assert ("KMSKeyArn" in changed, key_of("$LATEST"), key_of("1"), key_of("2")) == (False, None, key, None)
