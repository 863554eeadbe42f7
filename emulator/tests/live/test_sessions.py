"""Test role sessions: their duration, what limits them, and which credentials belong to nobody."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from moto.sts.models import sts_backends

from embedded_localstack.iam.callers import Kind
from embedded_localstack.iam.sessions import CredentialsError, caller_of
from embedded_localstack.patches.sts_sessions import refusal
from support import ACCOUNT, REGION, Cloud, policy

# -- the caller of a request


def signed(key: str, token: str = "") -> dict[str, str]:
    credential = f"AWS4-HMAC-SHA256 Credential={key}/20260101/{REGION}/s3/aws4_request"
    return {"Authorization": credential, **({"X-Amz-Security-Token": token} if token else {})}


def session(duration: int = 900) -> Any:
    backend = sts_backends[ACCOUNT]["aws"]
    role = f"arn:aws:iam::{ACCOUNT}:role/worker"
    return backend.assume_role(REGION, "s", role, policy(), duration, external_id="")


def test_a_session_is_known_by_its_key_and_token():
    made = session()
    made.role_id, made.policy_arns = "AROAX", ["arn:aws:iam::aws:policy/P"]
    token = quote(made.session_token, safe="")
    for headers, url in (
        (signed(made.access_key_id, made.session_token), "http://h/"),
        ({}, f"http://h/?AWSAccessKeyId={made.access_key_id}&x-amz-security-token={token}"),
        ({}, f"http://h/?X-Amz-Credential={made.access_key_id}/d&X-Amz-Security-Token={token}"),
    ):
        caller = caller_of(headers, url, ACCOUNT)
        assert (caller.kind, caller.role, caller.session) == (Kind.ROLE, "worker", "s")
        assert (caller.role_id, caller.session_policy_arns) == ("AROAX", ("arn:aws:iam::aws:policy/P",))
    form = {"x-amz-credential": f"{made.access_key_id}/d", "x-amz-security-token": made.session_token}
    assert caller_of({}, "http://h/", ACCOUNT, form).kind is Kind.ROLE


@pytest.mark.parametrize("token", ["", "another"])
def test_a_session_without_its_token_is_nobody(token: str):
    with pytest.raises(CredentialsError, match="lacks its session token") as refused:
        caller_of(signed(session().access_key_id, token), "http://h/", ACCOUNT)
    assert not refused.value.expired


@pytest.mark.parametrize("key", ["ASIAQAAAAAAAFORGED01", "LSIAQAAAAAAAFORGED01"])
def test_an_unknown_temporary_key_is_nobody(key: str):
    with pytest.raises(CredentialsError, match=f"{key} belongs to no session"):
        caller_of(signed(key, "token"), "http://h/", ACCOUNT)


def test_a_session_expires_unless_a_service_made_it():
    made = session(duration=-1)
    with pytest.raises(CredentialsError) as refused:
        caller_of(signed(made.access_key_id, made.session_token), "http://h/", ACCOUNT)
    assert refused.value.expired
    made.of_service = True
    assert caller_of(signed(made.access_key_id, made.session_token), "http://h/", ACCOUNT).kind is Kind.ROLE


def test_another_key_is_the_deployers_and_none_is_anonymous():
    assert caller_of(signed("test"), "http://h/", ACCOUNT).kind is Kind.DEPLOYER
    assert caller_of({}, "http://h/", ACCOUNT).kind is Kind.ANONYMOUS


@pytest.mark.parametrize(
    ("service", "protocol", "unknown", "expired"),
    [
        ("s3", "rest-xml", ("InvalidAccessKeyId", 403), ("ExpiredToken", 400)),
        ("sts", "query", ("InvalidClientTokenId", 403), ("ExpiredToken", 403)),
        ("sqs", "json", ("InvalidClientTokenId", 403), ("ExpiredToken", 403)),
        ("dynamodb", "json", ("UnrecognizedClientException", 400), ("ExpiredTokenException", 400)),
        ("lambda", "rest-json", ("UnrecognizedClientException", 403), ("ExpiredTokenException", 403)),
        ("ec2", "ec2", ("AuthFailure", 401), ("RequestExpired", 400)),
    ],
)
def test_each_service_has_its_own_error(service: str, protocol: str, unknown: Any, expired: Any):
    assert CredentialsError("").answer(service, protocol) == unknown
    assert CredentialsError("", expired=True).answer(service, protocol) == expired


@pytest.mark.parametrize(
    ("seconds", "longest", "chained", "why"),
    [
        (None, 3600, False, None),
        (900, 3600, False, None),
        (3600, 3600, True, None),
        (43200, 43200, False, None),
        (899, 3600, False, "greater than or equal to 900"),
        (3601, 43200, True, "1 hour session limit"),
        (3601, 3600, False, "MaxSessionDuration"),
    ],
)
def test_a_session_lasts_from_a_quarter_of_an_hour_to_the_roles_maximum(
    seconds: int | None, longest: int, chained: bool, why: str | None
):
    assert (refusal(seconds, longest, chained=chained) or "").count(why or "x" * 99) == bool(why)


# -- a running server


def trusting(**more: Any) -> str:
    principal = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    return policy({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole", **more})


def role(cloud: Cloud, name: str, *actions: str, trust: str | None = None, **settings: Any) -> str:
    made = cloud.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust or trusting(), **settings)
    if actions:
        cloud.grant(name, *actions)
    return str(made["Role"]["Arn"])


def assume(cloud: Cloud, arn: str, sts: Any = None, **settings: Any) -> dict[str, str]:
    keys = (sts or cloud.sts).assume_role(RoleArn=arn, RoleSessionName="session", **settings)["Credentials"]
    names = {"aws_access_key_id": "AccessKeyId", "aws_secret_access_key": "SecretAccessKey"}
    return {name: keys[part] for name, part in {**names, "aws_session_token": "SessionToken"}.items()}


def code(call: Any, **parameters: Any) -> str:
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "ok"


def test_forged_and_token_less_keys_are_refused(cloud: Cloud, name: str):
    keys = assume(cloud, role(cloud, name, "s3:*", "sqs:*"))
    assert code(cloud.client("s3", **keys).list_objects_v2, Bucket="out") == "ok"
    without = {key: value for key, value in keys.items() if key != "aws_session_token"}
    assert code(cloud.client("s3", **without).list_objects_v2, Bucket="out") == "InvalidAccessKeyId"
    forged = keys | {"aws_access_key_id": "ASIAQAAAAAAAFORGED01"}
    assert code(cloud.client("s3", **forged).list_objects_v2, Bucket="out") == "InvalidAccessKeyId"
    assert code(cloud.client("dynamodb", **forged).list_tables) == "UnrecognizedClientException"
    assert cloud.denied("s3:ListObjectsV2", "*", who="nobody")


def test_durations_have_limits(cloud: Cloud, name: str):
    arn = role(cloud, name, "sts:AssumeRole", MaxSessionDuration=7200)
    assume_role = {"RoleArn": arn, "RoleSessionName": "session"}
    assert code(cloud.sts.assume_role, **assume_role, DurationSeconds=7200) == "ok"
    assert code(cloud.sts.assume_role, **assume_role, DurationSeconds=7201) == "ValidationError"
    chained = cloud.client("sts", **assume(cloud, arn))
    assert code(chained.assume_role, **assume_role, DurationSeconds=3601) == "ValidationError"
    assert code(chained.assume_role, **assume_role, DurationSeconds=3600) == "ok"


def test_policies_given_to_assume_role_limit_the_session(cloud: Cloud, name: str):
    arn = role(cloud, name, "*")
    document = policy({"Effect": "Allow", "Action": "sqs:*", "Resource": "*"})
    sqs_only = cloud.iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
    s3_only = policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    for settings, s3, sqs in (
        ({"PolicyArns": [{"arn": sqs_only}]}, "AccessDenied", "ok"),
        ({"PolicyArns": [{"arn": sqs_only}], "Policy": s3_only}, "ok", "ok"),
        ({"PolicyArns": [{"arn": f"{sqs_only}-absent"}]}, "AccessDenied", "AccessDenied"),
    ):
        keys = assume(cloud, arn, **settings)
        assert code(cloud.client("s3", **keys).list_objects_v2, Bucket="out") == s3
        assert code(cloud.client("sqs", **keys).list_queues) == sqs


def test_a_boundary_must_exist_and_stays_while_it_is_in_use(cloud: Cloud, name: str):
    absent = f"arn:aws:iam::{ACCOUNT}:policy/absent"
    bounded = {"RoleName": name, "PermissionsBoundary": absent}
    assert code(cloud.iam.create_role, **bounded, AssumeRolePolicyDocument=trusting()) == "NoSuchEntity"
    role(cloud, name)
    assert code(cloud.iam.put_role_permissions_boundary, **bounded) == "NoSuchEntity"
    document = policy({"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    boundary = cloud.iam.create_policy(PolicyName=name, PolicyDocument=document)["Policy"]["Arn"]
    cloud.iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=boundary)
    assert code(cloud.iam.delete_policy, PolicyArn=boundary) == "DeleteConflict"
    cloud.iam.delete_role_permissions_boundary(RoleName=name)
    cloud.iam.attach_role_policy(RoleName=name, PolicyArn=boundary)
    assert code(cloud.iam.delete_policy, PolicyArn=boundary) == "DeleteConflict"
    cloud.iam.detach_role_policy(RoleName=name, PolicyArn=boundary)
    assert code(cloud.iam.delete_policy, PolicyArn=boundary) == "ok"


def test_a_session_of_a_deleted_role_may_do_nothing(cloud: Cloud, name: str):
    arn = role(cloud, name)
    cloud.s3.create_bucket(Bucket=name)
    to_role = {"Effect": "Allow", "Principal": {"AWS": arn}, "Action": "s3:ListBucket"}
    cloud.s3.put_bucket_policy(Bucket=name, Policy=policy({**to_role, "Resource": f"arn:aws:s3:::{name}"}))
    client = cloud.client("s3", **assume(cloud, arn))
    assert code(client.list_objects_v2, Bucket=name) == "ok"
    cloud.iam.delete_role(RoleName=name)
    assert code(client.list_objects_v2, Bucket=name) == "AccessDenied"
    role(cloud, name, "s3:*")
    assert code(client.list_objects_v2, Bucket=name) == "AccessDenied", "of a new role with the same name"


def test_a_trust_policy_reads_the_parameters_of_assume_role(cloud: Cloud, name: str):
    caller = cloud.client("sts", **assume(cloud, role(cloud, f"{name}-c", "sts:*")))
    condition = {"StringEquals": {"sts:ExternalId": "secret", "sts:RoleSessionName": "session"}}
    arn = role(cloud, name, trust=trusting(Condition=condition))
    assert code(assume, cloud=cloud, arn=arn, sts=caller, ExternalId="secret") == "ok"
    assert code(assume, cloud=cloud, arn=arn, sts=caller, ExternalId="another") == "AccessDenied"
    assert code(assume, cloud=cloud, arn=arn, sts=caller) == "AccessDenied"


def test_session_tags_need_a_permission_of_their_own(cloud: Cloud, name: str):
    caller = cloud.client("sts", **assume(cloud, role(cloud, f"{name}-c", "sts:*")))
    tags = [{"Key": "team", "Value": "a"}]
    without = role(cloud, name)
    assert code(assume, cloud=cloud, arn=without, sts=caller, Tags=tags) == "AccessDenied"
    tagged = {"StringEquals": {"aws:RequestTag/team": "a"}}
    may_tag = role(cloud, f"{name}-t", trust=trusting(Action=["sts:AssumeRole", "sts:TagSession"], Condition=tagged))
    assert code(assume, cloud=cloud, arn=may_tag, sts=caller, Tags=tags) == "ok"
    assert code(assume, cloud=cloud, arn=may_tag, sts=caller, Tags=[{"Key": "team", "Value": "b"}]) == "AccessDenied"


def test_a_policy_that_is_not_json_is_refused_when_it_is_written(cloud: Cloud, name: str):
    url, _ = cloud.queue(name)
    assert code(cloud.sqs.set_queue_attributes, QueueUrl=url, Attributes={"Policy": "{oops"}) == "InvalidAttributeValue"
    assert code(cloud.s3.put_bucket_policy, Bucket="out", Policy=json.dumps({"Statement": []})) == "MalformedPolicy"
    assert code(cloud.sqs.set_queue_attributes, QueueUrl=url, Attributes={"Policy": ""}) == "ok"
