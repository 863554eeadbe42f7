"""Test the rules of S3 on bucket policies and ACLs."""

import json
from typing import Any

import pytest

from embedded_localstack.iam.public_access import GROUPS, RefusedError, Settings, acl_allows, is_public, verify

ROLE = "arn:aws:iam::000000000000:role/r"
BLOCKED = Settings(blocked={"BlockPublicPolicy": True, "BlockPublicAcls": True})
WITH_ACLS = Settings(has_acls=True)


def document(**parts: Any) -> str:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*", **parts}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def refused(operation: str, settings: Settings = WITH_ACLS, **params: Any) -> str:
    """Return the error code of a request, or an empty text."""
    try:
        verify(operation, {"Bucket": "b", **params}, settings, lambda arn: arn == ROLE, "caller")
    except RefusedError as error:
        return error.code
    return ""


@pytest.mark.parametrize(
    ("parts", "public"),
    [
        ({}, True),
        ({"Principal": {"AWS": ["*"]}}, True),
        ({"Principal": {"AWS": ROLE}}, False),
        ({"Principal": {"Service": "logs.amazonaws.com"}}, False),
        ({"Effect": "Deny"}, False),
        ({"Condition": {"StringEquals": {"aws:SourceAccount": "000000000000"}}}, False),
        ({"Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}}, True),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:000000000000:*"}}}, False),
        ({"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:sns:us-east-1:*:t"}}}, True),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}, False),
        ({"Condition": {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}}, True),
        ({"Condition": {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}}, True),
        ({"Condition": {"StringEquals": {"aws:UserAgent": "a"}}}, True),
    ],
)
def test_a_policy_is_public_if_no_fixed_value_limits_it(parts: dict[str, Any], public: bool):
    assert is_public(document(**parts)) is public
    assert refused("PutBucketPolicy", BLOCKED, Policy=document(**parts)) == ("AccessDenied" if public else "")
    assert not refused("PutBucketPolicy", Policy=document(**parts))


@pytest.mark.parametrize(
    "parts",
    [
        {"Resource": "arn:aws:s3:::other/*"},
        {"Resource": ["arn:aws:s3:::b", "arn:aws:s3:::bucket/*"]},
        {"Principal": {"AWS": "arn:aws:iam::000000000000:role/nobody"}},
        {"Principal": {"AWS": [ROLE, "arn:aws:iam::000000000000:user/nobody"]}},
    ],
)
def test_a_policy_names_its_own_bucket_and_principals_that_exist(parts: dict[str, Any]):
    assert refused("PutBucketPolicy", Policy=document(**parts)) == "MalformedPolicy"


@pytest.mark.parametrize(
    "principal",
    [
        "000000000000",
        "arn:aws:iam::111111111111:root",
        ROLE,
        "arn:aws:sts::000000000000:assumed-role/r/s",
        "AROA" + "A" * 17,
    ],
)
def test_s3_takes_principals_that_exist(principal: str):
    assert not refused("PutBucketPolicy", Policy=document(Principal={"AWS": principal}))


PUBLIC_ACL = {"AccessControlPolicy": {"Grants": [{"Grantee": {"URI": f"{GROUPS}AllUsers"}, "Permission": "READ"}]}}


@pytest.mark.parametrize(
    ("operation", "params", "expected"),
    [
        ("PutObject", {}, ("", "")),
        ("PutObject", {"ACL": "bucket-owner-full-control"}, ("", "")),
        ("PutObject", {"ACL": "private"}, ("AccessControlListNotSupported", "")),
        ("PutObject", {"ACL": "public-read"}, ("AccessControlListNotSupported", "AccessDenied")),
        ("CopyObject", {"GrantRead": f'uri="{GROUPS}AllUsers"'}, ("AccessControlListNotSupported", "AccessDenied")),
        ("PutBucketAcl", PUBLIC_ACL, ("AccessControlListNotSupported", "AccessDenied")),
        ("PutBucketAcl", {"ACL": "private"}, ("AccessControlListNotSupported", "")),
    ],
)
def test_acls_need_a_bucket_that_has_them(operation: str, params: dict[str, Any], expected: tuple[str, str]):
    blocked = Settings(has_acls=True, blocked={"BlockPublicAcls": True})
    assert (refused(operation, Settings(), **params), refused(operation, blocked, **params)) == expected
    assert not refused(operation, WITH_ACLS, **params)


def test_a_new_bucket_has_no_public_acl():
    assert refused("CreateBucket", ACL="public-read") == "InvalidBucketAclWithObjectOwnership"
    public = refused("CreateBucket", ACL="public-read", ObjectOwnership="ObjectWriter")
    assert public == "InvalidBucketAclWithBlockPublicAccessError"
    assert not refused("CreateBucket", ACL="private")


@pytest.mark.parametrize(
    ("group", "permission", "action", "of_object", "signed", "allowed"),
    [
        ("AllUsers", "READ", "s3:GetObject", True, False, True),
        ("AllUsers", "READ", "s3:GetObjectAcl", True, False, False),
        ("AllUsers", "READ", "s3:ListBucket", False, False, True),
        ("AllUsers", "READ", "s3:GetObject", False, False, False),
        ("AllUsers", "FULL_CONTROL", "s3:PutObjectAcl", True, False, True),
        ("AllUsers", "WRITE", "s3:DeleteObject", False, False, True),
        ("AuthenticatedUsers", "READ", "s3:GetObject", True, False, False),
        ("AuthenticatedUsers", "READ", "s3:GetObject", True, True, True),
        ("LogDelivery", "READ", "s3:GetObject", True, True, False),
    ],
)
def test_what_an_acl_allows(  # noqa: PLR0917 - one column of the table each
    group: str, permission: str, action: str, of_object: bool, signed: bool, allowed: bool
):
    grants = [{"Grantee": {"URI": GROUPS + group}, "Permission": permission}]
    assert acl_allows(action, grants, of_object=of_object, signed=signed) is allowed
