"""Protect the state bucket: private, versioned, encrypted, TLS-only, and with plans that expire.

The protections are set when the bucket is created. Later runs only compare them, so that the owner's changes stay: a
stricter policy, another key or more lifecycle rules.
"""

import json
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

PLANS, PLAN_DAYS = "plans/", 3
_PUBLIC_ACCESS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
# S3's error codes for a bucket without the setting
_MISSING = {
    "NoSuchBucketPolicy",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "ServerSideEncryptionConfigurationNotFoundError",
}


def policy(bucket: str, partition: str) -> str:
    """Return a bucket policy that refuses requests without TLS. `partition` is `aws`, `aws-cn` or `aws-us-gov`."""
    arns = [f"arn:{partition}:s3:::{bucket}", f"arn:{partition}:s3:::{bucket}/*"]
    deny = {"Sid": "DenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": arns}
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
    )


def put(s3: Any, bucket: str, partition: str) -> None:
    """Set every protection of a bucket. `s3` is a boto3 client."""
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=dict.fromkeys(_PUBLIC_ACCESS, True))
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    encryption = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [encryption]})
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, partition))
    expiry = {"Expiration": {"Days": PLAN_DAYS}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}
    plans = {"ID": "plans", "Status": "Enabled", "Filter": {"Prefix": PLANS}, **expiry}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [plans]})


def differences(s3: Any, bucket: str) -> list[str]:
    """Return the settings that differ from those that `put` sets, each as "setting: difference". Changes nothing."""
    readers: dict[str, Callable[[Any, str], str | None]] = {
        "public access": _public_access,
        "versioning": _versioning,
        "encryption": _encryption,
        "policy": _policy,
        "lifecycle": _lifecycle,
    }
    answers = {}
    for name, read in readers.items():
        try:
            answers[name] = read(s3, bucket)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code not in _MISSING | {"AccessDenied"}:
                raise
            answers[name] = "these credentials may not read it" if code == "AccessDenied" else "there is none"
    return [f"{name}: {answer}" for name, answer in answers.items() if answer]


def _public_access(s3: Any, bucket: str) -> str | None:
    blocked = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    allowed = [name for name in _PUBLIC_ACCESS if not blocked.get(name)]
    return f"{', '.join(allowed)} is off" if allowed else None


def _versioning(s3: Any, bucket: str) -> str | None:
    status = s3.get_bucket_versioning(Bucket=bucket).get("Status")
    return None if status == "Enabled" else "off, so that no earlier state can be restored"


def _encryption(s3: Any, bucket: str) -> str | None:
    (rule, *_) = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    default = rule["ApplyServerSideEncryptionByDefault"]
    key = default.get("KMSMasterKeyID")
    return None if default["SSEAlgorithm"] == "AES256" else " with ".join(filter(None, (default["SSEAlgorithm"], key)))


def _policy(s3: Any, bucket: str) -> str | None:
    statements = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    (expected,) = json.loads(policy(bucket, "*"))["Statement"]
    without_tls = [statement for statement in statements if _same_denial(statement, expected)]
    others = [statement.get("Sid", "without a Sid") for statement in statements if statement not in without_tls]
    faults = ["requests without TLS are not refused"] if not without_tls else []
    return "; ".join([*faults, *([f"it has the statements {', '.join(others)}"] if others else [])]) or None


def _same_denial(statement: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Return whether a statement refuses the expected requests. The partition of its ARNs is ignored."""
    resources = {arn.split(":::")[-1] for arn in statement.get("Resource", [])}
    same = {"Effect", "Principal", "Action", "Condition"}
    return resources == {arn.split(":::")[-1] for arn in expected["Resource"]} and all(
        statement.get(field) == expected[field] for field in same
    )


def _lifecycle(s3: Any, bucket: str) -> str | None:
    rules = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    expiring = [
        rule
        for rule in rules
        if rule["Status"] == "Enabled"
        and rule.get("Filter", {}).get("Prefix") == PLANS
        and rule.get("Expiration", {}).get("Days", PLAN_DAYS + 1) <= PLAN_DAYS
    ]
    others = [rule.get("ID", "without an id") for rule in rules if rule not in expiring]
    faults = [f"plans are kept for more than {PLAN_DAYS} days"] if not expiring else []
    return "; ".join([*faults, *([f"it has the rules {', '.join(others)}"] if others else [])]) or None
