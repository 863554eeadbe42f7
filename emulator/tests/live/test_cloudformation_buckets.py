"""Test the buckets of CloudFormation templates: their settings after a create and after an update."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from embedded_localstack.patches.cloudformation_buckets import creation, settings
from support import Cloud, eventually

OPEN = dict.fromkeys(("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets"), False)
SETTINGS: dict[str, Any] = {
    "OwnershipControls": {"Rules": [{"ObjectOwnership": "ObjectWriter"}]},
    "PublicAccessBlockConfiguration": OPEN,
    "AccessControl": "PublicRead",
    "BucketEncryption": {
        "ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
    },
    "LifecycleConfiguration": {"Rules": [{"Id": "old", "Prefix": "logs/", "Status": "Enabled", "ExpirationInDays": 3}]},
}


def deploy(cloud: Cloud, operation: str, stack: str, **buckets: dict[str, Any]) -> dict[str, str]:
    """Create or update a stack, and return the names of its buckets."""
    resources = {name: {"Type": "AWS::S3::Bucket", "Properties": each} for name, each in buckets.items()}
    getattr(cloud.cloudformation, operation)(StackName=stack, TemplateBody=json.dumps({"Resources": resources}))

    def status() -> str:
        (shown,) = cloud.cloudformation.describe_stacks(StackName=stack)["Stacks"]
        return str(shown["StackStatus"])

    assert eventually(lambda: not status().endswith("_IN_PROGRESS"))
    assert status() in ("CREATE_COMPLETE", "UPDATE_COMPLETE")
    made = cloud.cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    return {resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in made}


def test_a_bucket_of_a_template_has_its_settings_and_no_acl_of_its_own(cloud: Cloud, name: str):
    stack, s3 = "buckets-of-templates", cloud.s3
    names = deploy(cloud, "create_stack", stack, Plain={"AccessControl": "Private"}, Set=SETTINGS)
    assert len(s3.get_bucket_acl(Bucket=names["Plain"])["Grants"]) == 1
    assert len(s3.get_bucket_acl(Bucket=names["Set"])["Grants"]) == 2
    bucket = names["Set"]
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == OPEN
    assert s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"] == SETTINGS["OwnershipControls"]
    (rule,) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    (rule,) = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    assert rule["Expiration"] == {"Days": 3}
    assert rule["Filter"] == {"Prefix": "logs/"}

    left_out = ("LifecycleConfiguration", "AccessControl")
    changed = {name: value for name, value in SETTINGS.items() if name not in left_out}
    versioned = {"VersioningConfiguration": {"Status": "Enabled"}, "Tags": [{"Key": "a", "Value": "b"}]}
    assert deploy(cloud, "update_stack", stack, Plain=versioned, Set=changed) == names
    assert s3.get_bucket_versioning(Bucket=names["Plain"])["Status"] == "Enabled"
    assert s3.get_bucket_tagging(Bucket=names["Plain"])["TagSet"] == versioned["Tags"]
    assert len(s3.get_bucket_acl(Bucket=bucket)["Grants"]) == 1
    with pytest.raises(ClientError, match="NoSuchLifecycleConfiguration"):
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)


def test_a_bucket_with_an_acl_needs_object_ownership_that_allows_acls():
    assert creation({"BucketName": "b", "AccessControl": "PublicRead"}, "us-east-1") == {"Bucket": "b"}
    assert creation({"BucketName": "b", "ObjectLockEnabled": "true"}, "eu-west-1") == {
        "Bucket": "b",
        "ObjectLockEnabledForBucket": True,
        "CreateBucketConfiguration": {"LocationConstraint": "eu-west-1"},
    }
    operations = [operation for operation, _ in settings({"BucketName": "b", **SETTINGS})]
    assert operations.index("put_public_access_block") < operations.index("put_bucket_acl")


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            {"Status": "Enabled", "NoncurrentVersionExpirationInDays": "7"},
            {"Status": "Enabled", "Filter": {"Prefix": ""}, "NoncurrentVersionExpiration": {"NoncurrentDays": 7}},
        ),
        (
            {
                "Status": "Enabled",
                "Prefix": "a/",
                "ObjectSizeGreaterThan": "10",
                "Transitions": [{"StorageClass": "GLACIER", "TransitionInDays": 30}],
            },
            {
                "Status": "Enabled",
                "Filter": {"And": {"Prefix": "a/", "ObjectSizeGreaterThan": 10}},
                "Transitions": [{"StorageClass": "GLACIER", "Days": 30}],
            },
        ),
        (
            {"Status": "Disabled", "ExpiredObjectDeleteMarker": "true", "TagFilters": [{"Key": "k", "Value": "v"}]},
            {
                "Status": "Disabled",
                "Filter": {"Tag": {"Key": "k", "Value": "v"}},
                "Expiration": {"ExpiredObjectDeleteMarker": True},
            },
        ),
    ],
)
def test_a_lifecycle_rule_of_a_template_becomes_one_of_s3(rule: dict[str, Any], expected: dict[str, Any]):
    ((_, arguments),) = settings({"BucketName": "b", "LifecycleConfiguration": {"Rules": [rule]}})
    assert arguments == {"LifecycleConfiguration": {"Rules": [expected]}}
