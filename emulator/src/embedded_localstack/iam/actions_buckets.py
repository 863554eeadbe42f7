"""Permissions that operations on bucket settings and operations of S3 Control need.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html
"""
# ruff: noqa: SIM905 - rows of names read better as words than as lists of strings

from collections.abc import Iterable

from embedded_localstack.iam.request import Request, Row, anything, each, needs, text


def bucket(request: Request) -> str:
    """Return the ARN of a bucket."""
    return f"arn:aws:s3:::{request.params.get('Bucket') or '*'}"


# Operations whose action has another name. Removing a setting needs the same action as putting it.
_RENAMED = {
    "HeadBucket": "ListBucket",
    "GetBucketNotificationConfiguration": "GetBucketNotification",
    "PutBucketNotificationConfiguration": "PutBucketNotification",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketCors": "GetBucketCORS",
    "PutBucketCors": "PutBucketCORS",
    "DeleteBucketCors": "PutBucketCORS",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
}
_SAME = (
    "DeleteBucket DeleteBucketPolicy DeleteBucketWebsite GetBucketAcl GetBucketLocation GetBucketLogging "
    "GetBucketNotification GetBucketOwnershipControls GetBucketPolicy GetBucketPolicyStatus GetBucketRequestPayment "
    "GetBucketTagging GetBucketVersioning GetBucketWebsite PutBucketAcl PutBucketLogging PutBucketNotification "
    "PutBucketOwnershipControls PutBucketPolicy PutBucketRequestPayment PutBucketTagging PutBucketVersioning "
    "PutBucketWebsite"
).split()


def _listed(kinds: Iterable[str]) -> dict[str, Row]:
    """Return the rows for kinds of settings that a bucket can have several of, such as inventories."""
    rows: dict[str, Row] = {}
    for kind in kinds:
        read, write = (needs(f"s3:{verb}{kind}Configuration", bucket) for verb in ("Get", "Put"))
        rows |= {f"GetBucket{kind}Configuration": read, f"ListBucket{kind}Configurations": read}
        rows |= {f"PutBucket{kind}Configuration": write, f"DeleteBucket{kind}Configuration": write}
    return rows


BUCKETS: dict[str, Row] = (
    each("s3", _SAME, bucket)
    | {operation: needs(f"s3:{action}", bucket) for operation, action in _RENAMED.items()}
    | _listed(("Analytics", "IntelligentTiering", "Inventory", "Metrics"))
)

# -- S3 Control


def _access_point(request: Request) -> str:
    return request.arn("s3", f"accesspoint/{text(request.params.get('Name'))}")


def _storage_lens(request: Request) -> str:
    return request.arn("s3", f"storage-lens/{text(request.params.get('ConfigId'))}")


S3CONTROL: dict[str, Row] = (
    {
        "GetPublicAccessBlock": needs("s3:GetAccountPublicAccessBlock", anything),
        "PutPublicAccessBlock": needs("s3:PutAccountPublicAccessBlock", anything),
        "DeletePublicAccessBlock": needs("s3:PutAccountPublicAccessBlock", anything),
    }
    | each("s3", "GetAccessPoint ListAccessPoints ListStorageLensConfigurations".split(), anything)
    | each("s3", ["PutStorageLensConfiguration"], anything)
    | each(
        "s3",
        (
            "CreateAccessPoint DeleteAccessPoint DeleteAccessPointPolicy GetAccessPointPolicy "
            "GetAccessPointPolicyStatus PutAccessPointPolicy"
        ).split(),
        _access_point,
    )
    | each(
        "s3",
        (
            "DeleteStorageLensConfiguration GetStorageLensConfiguration GetStorageLensConfigurationTagging "
            "PutStorageLensConfigurationTagging"
        ).split(),
        _storage_lens,
    )
    | each(
        "s3",
        "ListTagsForResource TagResource UntagResource".split(),
        lambda request: text(request.params.get("ResourceArn")) or "*",
    )
)
