"""Define what each cloud can do.

A test names the capability that it needs, such as `@pytest.mark.needs("iam_enforcement")`. In a cloud without this
capability, the test is skipped with the reason in TABLE. `make capabilities` writes docs/capabilities.md from it.

If a cloud lacks a capability, each run probes the cloud for it. Once the probe succeeds, the tests run.
"""

import contextlib
import json
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import boto3
import requests
from botocore.config import Config
from botocore.exceptions import ClientError

from eventloom.clouds import CLOUDS, REGION, Cloud, client
from scripts import failing_function

Outputs = Mapping[str, Any]
FREE_LOCALSTACK = "LocalStack's free image"


@dataclass(frozen=True)
class Capability:
    """A feature that tests need and that some clouds lack."""

    name: str
    about: str
    lacking: Mapping[str, str]
    """The reason by cloud for those that lack it. All other clouds have it."""
    probe: Callable[[Cloud, Outputs], bool] = field(repr=False)
    """Returns whether the running cloud has it, given the outputs of the deployment. Cleans up after itself."""

    def __post_init__(self) -> None:
        if unknown := set(self.lacking) - set(CLOUDS):
            raise ValueError(f"{self.name}: no cloud is named {', '.join(sorted(unknown))}")

    def reason(self, cloud: str) -> str | None:
        """Return why the cloud lacks the capability, or None if it has it."""
        return f"needs {self.about}: {self.lacking[cloud]}" if cloud in self.lacking else None


@contextlib.contextmanager
def session() -> Iterator[boto3.Session]:
    """Yield a session of a temporary role that may only read and write objects."""
    iam, name = client("iam"), f"probe-{uuid.uuid4().hex[:12]}"
    trust = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=failing_function.document(trust))["Role"]
    objects = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "*"}
    try:
        iam.put_role_policy(RoleName=name, PolicyName="probe", PolicyDocument=failing_function.document(objects))
        keys = client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="probe")["Credentials"]
        yield boto3.Session(keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], REGION)
    finally:
        iam.delete_role_policy(RoleName=name, PolicyName="probe")
        iam.delete_role(RoleName=name)


def enforces_iam(cloud: Cloud, _outputs: Outputs) -> bool:
    """Return whether a role is denied an action that it has no permission for."""
    if not cloud.endpoint:
        return True
    with session() as role_session, contextlib.suppress(ClientError):
        role_session.client("dynamodb", endpoint_url=cloud.endpoint).list_tables()
        return False
    return True


def verifies_sessions(cloud: Cloud, _outputs: Outputs) -> bool:
    """Return whether S3 refuses a presigned link and form with a session token and a wrong signature."""
    if not cloud.endpoint:
        return True
    owner, bucket, wrong = client("s3"), f"probe-{uuid.uuid4().hex[:12]}", "0" * 64
    owner.create_bucket(Bucket=bucket)
    try:
        with session() as role_session:
            config = Config(signature_version="s3v4", s3={"addressing_style": "path"})
            s3 = role_session.client("s3", endpoint_url=cloud.endpoint, config=config)
            link = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "a"})
            form = s3.generate_presigned_post(bucket, "a")
            answers = (
                requests.get(re.sub("X-Amz-Signature=[0-9a-f]+", f"X-Amz-Signature={wrong}", link), timeout=30),
                requests.post(
                    form["url"], form["fields"] | {"x-amz-signature": wrong}, files={"file": b""}, timeout=30
                ),
            )
        return all("SignatureDoesNotMatch" in answer.text for answer in answers)
    finally:
        owner.delete_object(Bucket=bucket, Key="a")
        owner.delete_bucket(Bucket=bucket)


def api_url(cloud: Cloud, outputs: Outputs) -> str:
    """Return the URL of the deployed REST API."""
    if not cloud.endpoint:
        return str(outputs["api_url"]).rstrip("/")
    return f"{cloud.endpoint}/restapis/{outputs['api_id']}/{outputs['api_stage']}/_user_request_"


def honours_gateway_responses(cloud: Cloud, outputs: Outputs) -> bool:
    """Return whether API Gateway's own errors have the format that Terraform configures."""
    refusal = requests.get(f"{api_url(cloud, outputs)}/images", timeout=30)
    return refusal.headers.get("Content-Type", "").startswith("application/problem+json")


def returns_binary_answers(cloud: Cloud, outputs: Outputs) -> bool:
    """Return whether API Gateway decodes a function's base64 response."""
    url, headers = (
        f"{api_url(cloud, outputs)}/openapi.json",
        {"Accept-Encoding": "gzip", "X-Api-Key": str(outputs["api_key"])},
    )
    try:
        return requests.get(url, headers=headers, timeout=30).headers.get("Content-Encoding") == "gzip"
    except requests.exceptions.ContentDecodingError:
        return False


def keeps_async_failures(cloud: Cloud, _outputs: Outputs) -> bool:
    """Return whether an alias's retries and failure destination take effect."""
    if not cloud.endpoint:
        return True
    with failing_function.failing_function() as function:
        return function.keeps_failures(timeout_s=30)


def weights_aliases(cloud: Cloud, _outputs: Outputs) -> bool:
    """Return whether an existing alias can send a share of invocations to another version."""
    if not cloud.endpoint:
        return True
    with failing_function.failing_function() as function:
        weights = {"AdditionalVersionWeights": {function.publish_another(): 0.5}}
        try:
            client("lambda").update_alias(
                FunctionName=function.name, Name=failing_function.ALIAS, RoutingConfig=weights
            )
        except ClientError:
            return False
        return True


def shows_mails(cloud: Cloud, _outputs: Outputs) -> bool:
    """Return whether sent mails can be read back."""
    return (
        bool(cloud.endpoint) and requests.get(f"{cloud.endpoint}/_aws/ses", timeout=10).status_code == requests.codes.ok
    )


def _answers(call: Callable[[], object]) -> bool:
    """Return whether the cloud has the operation that `call` asks for."""
    try:
        call()
    except ClientError:
        return False
    return True


def has_load_balancers(cloud: Cloud, _outputs: Outputs) -> bool:
    """Return whether load balancers can be created, and reached from this machine."""
    return bool(cloud.endpoint) and _answers(client("elbv2").describe_load_balancers)


def has_http_apis(cloud: Cloud, _outputs: Outputs) -> bool:
    """Return whether HTTP APIs (API Gateway v2) can be created."""
    if not cloud.endpoint:
        return True
    gateway = client("apigatewayv2")
    try:
        api_id = gateway.create_api(Name="probe", ProtocolType="HTTP")["ApiId"]
    except ClientError:
        return False
    gateway.delete_api(ApiId=api_id)
    return True


def has_user_pools(_cloud: Cloud, _outputs: Outputs) -> bool:
    """Return whether the cloud supports Cognito user pools."""
    return _answers(partial(client("cognito-idp").list_user_pools, MaxResults=1))


def restores_tables(cloud: Cloud, outputs: Outputs) -> bool:
    """Return whether DynamoDB restores a table to a point in time, within seconds."""
    if not cloud.endpoint:
        return False
    dynamodb, name = client("dynamodb"), f"probe-{uuid.uuid4().hex[:12]}"
    source = {"SourceTableName": outputs["state_table"], "UseLatestRestorableTime": True}
    try:
        dynamodb.restore_table_to_point_in_time(**source, TargetTableName=name)
    except ClientError:
        return False
    dynamodb.delete_table(TableName=name)
    return True


def has_distributed_maps(cloud: Cloud, outputs: Outputs) -> bool:
    """Return whether Step Functions accepts a Distributed Map with batches and EXPRESS child workflows.

    On AWS, return whether the environment has one.
    """
    if not cloud.endpoint:
        return bool(outputs.get("backfill_state_machine_arn"))
    nothing = {"StartAt": "Nothing", "States": {"Nothing": {"Type": "Pass", "End": True}}}
    processor = {"ProcessorConfig": {"Mode": "DISTRIBUTED", "ExecutionType": "EXPRESS"}, **nothing}
    reader = {"Resource": "arn:aws:states:::s3:listObjectsV2", "Parameters": {"Bucket": "probe"}}
    batches = {
        "Type": "Map",
        "ItemReader": reader,
        "ItemBatcher": {"MaxItemsPerBatch": 10},
        "ItemProcessor": processor,
        "End": True,
    }
    definition = json.dumps({"StartAt": "Batches", "States": {"Batches": batches}})
    try:
        return bool(client("stepfunctions").validate_state_machine_definition(definition=definition)["result"] == "OK")
    except ClientError:
        return False


def replays_archives(cloud: Cloud, _outputs: Outputs) -> bool:
    """Return whether EventBridge replays archived events."""
    if not cloud.endpoint:
        return True
    events, name, now = client("events"), f"probe-{uuid.uuid4().hex[:12]}", datetime.now(UTC)
    bus = events.create_event_bus(Name=name)["EventBusArn"]
    archive = events.create_archive(ArchiveName=name, EventSourceArn=bus)["ArchiveArn"]
    try:
        events.put_events(Entries=[{"EventBusName": name, "Source": "probe", "DetailType": "probe", "Detail": "{}"}])
        span = {"EventStartTime": now - timedelta(minutes=5), "EventEndTime": now + timedelta(minutes=5)}
        events.start_replay(ReplayName=name, EventSourceArn=archive, Destination={"Arn": bus}, **span)
    except ClientError:
        return False
    finally:
        events.delete_archive(ArchiveName=name)
        events.delete_event_bus(Name=name)
    return True


def starts_debuggers(cloud: Cloud, _outputs: Outputs) -> bool:
    """Return whether functions can be started under a debugger."""
    if not cloud.endpoint:
        return False
    answer = requests.get(f"{cloud.endpoint}/_localstack/debug?function=probe", timeout=10)
    return "the function is not being debugged" in answer.text


def is_disposable(cloud: Cloud, _outputs: Outputs) -> bool:
    """Return whether tests may destroy everything in the cloud."""
    return bool(cloud.endpoint)


TABLE = {
    capability.name: capability
    for capability in (
        Capability(
            "iam_enforcement", "enforced IAM", {"compose": f"{FREE_LOCALSTACK} allows everything"}, enforces_iam
        ),
        Capability(
            "session_signatures",
            "verified signatures of presigned links and forms that a function made",
            {"compose": f"{FREE_LOCALSTACK} knows no secrets of sessions"},
            verifies_sessions,
        ),
        Capability(
            "gateway_responses",
            "API Gateway's own errors in the form that Terraform sets",
            {"compose": f"{FREE_LOCALSTACK} ignores aws_api_gateway_gateway_response"},
            honours_gateway_responses,
        ),
        Capability(
            "binary_answers",
            "compressed answers through API Gateway",
            {"compose": f"{FREE_LOCALSTACK} returns them as base64"},
            returns_binary_answers,
        ),
        Capability(
            "load_balancer",
            "a load balancer that can be reached",
            {"compose": f"{FREE_LOCALSTACK} has no ELBv2", "aws": "it is internal, for callers within its network"},
            has_load_balancers,
        ),
        Capability("http_apis", "HTTP APIs", {"compose": f"{FREE_LOCALSTACK} has no API Gateway v2"}, has_http_apis),
        Capability("user_pools", "user pools", {"compose": f"{FREE_LOCALSTACK} has no Cognito"}, has_user_pools),
        Capability(
            "table_restores",
            "DynamoDB tables that are restored within seconds",
            {"compose": "DynamoDB Local restores no table", "aws": "a restore takes minutes to hours"},
            restores_tables,
        ),
        Capability(
            "distributed_maps",
            "Distributed Maps of Step Functions with batches",
            {
                "compose": f"{FREE_LOCALSTACK} refuses them",
                "aws": "the environment has a state machine only if backfill is on",
            },
            has_distributed_maps,
        ),
        Capability(
            "archive_replays",
            "EventBridge archives that can be replayed",
            {"compose": f"{FREE_LOCALSTACK} answers StartReplay with 500"},
            replays_archives,
        ),
        Capability(
            "async_failures",
            "failed asynchronous invocations of an alias that are kept",
            {"compose": f"{FREE_LOCALSTACK} ignores the settings of aliases"},
            keeps_async_failures,
        ),
        Capability(
            "weighted_aliases",
            "a weight that is set on an alias",
            {"compose": f"{FREE_LOCALSTACK} answers UpdateAlias with weights with 500"},
            weights_aliases,
        ),
        Capability(
            "debugger",
            "functions that a debugger can stop",
            {"compose": f"{FREE_LOCALSTACK} starts no debugger", "aws": "nobody attaches a debugger to Lambda"},
            starts_debuggers,
        ),
        Capability("mails_read_back", "sent mails that can be read", {"aws": "SES delivers them"}, shows_mails),
        Capability(
            "disposable", "an environment that tests may destroy", {"aws": "only its owner destroys it"}, is_disposable
        ),
    )
}


@dataclass
class Judge:
    """Decides whether the tests that need a capability run. It probes the cloud at most once per capability."""

    cloud: Cloud
    outputs: Callable[[], Outputs]
    works_now: dict[str, bool] = field(default_factory=dict)
    """The result of the probe by capability, for those that the cloud lacks."""

    def reason(self, name: str) -> str | None:
        """Return why a test that needs this capability is skipped, or None if it runs."""
        capability = TABLE[name]
        reason = capability.reason(self.cloud.name)
        if not reason:
            return None
        if name not in self.works_now:
            self.works_now[name] = capability.probe(self.cloud, self.outputs())
        return None if self.works_now[name] else reason
