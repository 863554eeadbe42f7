"""Test which permissions the operations of S3 need."""

from typing import Any

import pytest

from actions import ACCOUNT, REGION, ROLES, Cases, checked, keys, needed

POINT = f"arn:aws:s3:{REGION}:{ACCOUNT}:accesspoint"
B = {"Bucket": "b", "Key": "dir/k"}
CASES: Cases = [
    ("s3", "ListBucketMetricsConfigurations", B, [("s3:GetMetricsConfiguration", "arn:aws:s3:::b")]),
    ("s3", "DeleteBucketInventoryConfiguration", B, [("s3:PutInventoryConfiguration", "arn:aws:s3:::b")]),
    ("s3", "DeleteBucketTagging", B, [("s3:PutBucketTagging", "arn:aws:s3:::b")]),
    ("s3", "PutObjectLockConfiguration", B, [("s3:PutBucketObjectLockConfiguration", "arn:aws:s3:::b")]),
    (
        "s3",
        "PutBucketReplication",
        {**B, "ReplicationConfiguration": {"Role": f"{ROLES}/r"}},
        [("s3:PutReplicationConfiguration", "arn:aws:s3:::b"), ("iam:PassRole", f"{ROLES}/r")],
    ),
    ("s3control", "PutPublicAccessBlock", {"AccountId": ACCOUNT}, [("s3:PutAccountPublicAccessBlock", "*")]),
    ("s3control", "CreateAccessPoint", {"Name": "p"}, [("s3:CreateAccessPoint", f"{POINT}/p")]),
    ("s3control", "TagResource", {"ResourceArn": "arn:aws:s3:::b"}, [("s3:TagResource", "arn:aws:s3:::b")]),
    ("s3", "GetObject", B, [("s3:GetObject", "arn:aws:s3:::b/dir/k")]),
    ("s3", "GetObject", {**B, "VersionId": "v"}, [("s3:GetObjectVersion", "arn:aws:s3:::b/dir/k")]),
    ("s3", "GetObjectAttributes", B, [(f"s3:GetObject{part}", "arn:aws:s3:::b/dir/k") for part in ("", "Attributes")]),
    (
        "s3",
        "GetObjectAttributes",
        {**B, "VersionId": "v"},
        [(f"s3:GetObjectVersion{part}", "arn:aws:s3:::b/dir/k") for part in ("", "Attributes")],
    ),
    ("s3", "HeadObject", B, [("s3:GetObject", "arn:aws:s3:::b/dir/k")]),
    ("s3", "GetObjectTagging", {**B, "VersionId": "v"}, [("s3:GetObjectVersionTagging", "arn:aws:s3:::b/dir/k")]),
    ("s3", "PutObject", B, [("s3:PutObject", "arn:aws:s3:::b/dir/k")]),
    (
        "s3",
        "PutObject",
        {**B, "Tagging": "a=b", "ACL": "private"},
        [(f"s3:PutObject{part}", "arn:aws:s3:::b/dir/k") for part in ("", "Tagging", "Acl")],
    ),
    (
        "s3",
        "PutObject",
        {**B, "GrantRead": "id=1", "ObjectLockMode": "GOVERNANCE", "ObjectLockLegalHoldStatus": "ON"},
        [(f"s3:PutObject{part}", "arn:aws:s3:::b/dir/k") for part in ("", "Acl", "Retention", "LegalHold")],
    ),
    (
        "s3",
        "CreateBucket",
        {"Bucket": "b", "ACL": "public-read", "ObjectLockEnabledForBucket": True, "ObjectOwnership": "ObjectWriter"},
        [
            (f"s3:{action}", "arn:aws:s3:::b")
            for action in (
                "CreateBucket",
                "PutBucketAcl",
                "PutBucketObjectLockConfiguration",
                "PutBucketVersioning",
                "PutBucketOwnershipControls",
            )
        ],
    ),
    (
        "s3",
        "DeleteObject",
        {**B, "BypassGovernanceRetention": True},
        [(f"s3:{action}", "arn:aws:s3:::b/dir/k") for action in ("DeleteObject", "BypassGovernanceRetention")],
    ),
    (
        "s3",
        "CopyObject",
        {**B, "CopySource": "from/tagged"},
        [
            ("s3:GetObject", "arn:aws:s3:::from/tagged"),
            ("s3:PutObject", "arn:aws:s3:::b/dir/k"),
            ("s3:GetObjectTagging", "arn:aws:s3:::from/tagged"),
            ("s3:PutObjectTagging", "arn:aws:s3:::b/dir/k"),
        ],
    ),
    (
        "s3",
        "CopyObject",
        {**B, "CopySource": "from/tagged", "TaggingDirective": "REPLACE"},
        [("s3:GetObject", "arn:aws:s3:::from/tagged"), ("s3:PutObject", "arn:aws:s3:::b/dir/k")],
    ),
    ("s3", "CreateBucket", {"Bucket": "b", "ACL": "private"}, [("s3:CreateBucket", "arn:aws:s3:::b")]),
    ("s3", "UploadPart", B, [("s3:PutObject", "arn:aws:s3:::b/dir/k")]),
    ("s3", "AbortMultipartUpload", B, [("s3:AbortMultipartUpload", "arn:aws:s3:::b/dir/k")]),
    ("s3", "DeleteObject", {**B, "VersionId": "v"}, [("s3:DeleteObjectVersion", "arn:aws:s3:::b/dir/k")]),
    (
        "s3",
        "DeleteObjects",
        {"Bucket": "b", "Delete": {"Objects": [{"Key": "1"}, {"Key": "2", "VersionId": "v"}]}},
        [("s3:DeleteObject", "arn:aws:s3:::b/1"), ("s3:DeleteObjectVersion", "arn:aws:s3:::b/2")],
    ),
    (
        "s3",
        "CopyObject",
        {**B, "CopySource": "/from/a%20b?versionId=1"},
        [("s3:GetObjectVersion", "arn:aws:s3:::from/a b"), ("s3:PutObject", "arn:aws:s3:::b/dir/k")],
    ),
    (
        "s3",
        "CopyObject",
        {**B, "CopySource": {"Bucket": "from", "Key": "x"}},
        [("s3:GetObject", "arn:aws:s3:::from/x"), ("s3:PutObject", "arn:aws:s3:::b/dir/k")],
    ),
    ("s3", "ListObjectsV2", {"Bucket": "b"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
    ("s3", "ListObjectVersions", {"Bucket": "b"}, [("s3:ListBucketVersions", "arn:aws:s3:::b")]),
    ("s3", "HeadBucket", {"Bucket": "b"}, [("s3:ListBucket", "arn:aws:s3:::b")]),
    ("s3", "PutBucketNotificationConfiguration", {"Bucket": "b"}, [("s3:PutBucketNotification", "arn:aws:s3:::b")]),
    ("s3", "DeleteBucketCors", {"Bucket": "b"}, [("s3:PutBucketCORS", "arn:aws:s3:::b")]),
]


@pytest.mark.parametrize(
    ("service", "operation", "params", "expected"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
def test_operations_need_their_permissions(
    service: str, operation: str, params: dict[str, Any], expected: list[tuple[str, str]]
):
    assert needed(service, operation, **params) == expected


def test_requests_have_their_condition_keys():
    assert keys("s3", "ListObjectsV2", Bucket="b", Prefix="p/", MaxKeys=1) == {"s3:prefix": "p/", "s3:max-keys": "1"}
    assert keys("s3", "ListObjectsV2", Bucket="b") == {}
    assert keys("s3", "PutObject", **B, ServerSideEncryption="AES256") == {"s3:x-amz-server-side-encryption": "AES256"}
    version = {"s3:versionid": "v"}
    assert keys("s3", "CopyObject", **B, CopySource="from/a?versionId=v") == version
    assert keys("s3", "DeleteObjects", Bucket="b", Delete={"Objects": [{"Key": "k", "VersionId": "v"}]}) == version
    assert checked("s3", "PutObject", **B, ACL="private")[1].keys == {"s3:x-amz-acl": "private"}
