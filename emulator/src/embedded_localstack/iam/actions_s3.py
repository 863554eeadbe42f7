"""Permissions that S3 operations need.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-with-s3-policy-actions.html
"""

from typing import Any
from urllib.parse import unquote

from embedded_localstack.iam.actions_buckets import BUCKETS, bucket
from embedded_localstack.iam.public_access import grants_access
from embedded_localstack.iam.request import Check, Request, Resource, Row, anything, needs, text


def _object(request: Request) -> str:
    return f"{bucket(request)}/{request.params.get('Key') or '*'}"


def _object_keys(request: Request) -> dict[str, str]:
    names = {
        "s3:x-amz-acl": "ACL",
        "s3:x-amz-server-side-encryption": "ServerSideEncryption",
        "s3:x-amz-server-side-encryption-aws-kms-key-id": "SSEKMSKeyId",
        "s3:x-amz-storage-class": "StorageClass",
        "s3:versionid": "VersionId",
        "s3:x-amz-copy-source": "CopySource",
    }
    return {key: text(request.params[name]) for key, name in names.items() if isinstance(request.params.get(name), str)}


def _versioned(action: str) -> Row:
    """Return a row for an action such as GetObject, or GetObjectVersion if the request names a version."""

    def row(request: Request) -> list[Check]:
        name = f"{action}Version" if request.params.get("VersionId") else action
        name = name.replace("TaggingVersion", "VersionTagging").replace("AclVersion", "VersionAcl")
        return [Check(f"s3:{name}", _object(request), _object_keys(request))]

    return row


def _attributes(request: Request) -> list[Check]:
    """Return the permissions of GetObjectAttributes: to read the object and to read its attributes."""
    version = "Version" if request.params.get("VersionId") else ""
    return [
        *_versioned("GetObject")(request),
        Check(f"s3:GetObject{version}Attributes", _object(request), _object_keys(request)),
    ]


def _put(request: Request) -> list[Check]:
    params = request.params
    actions = ["s3:PutObject"]
    if params.get("Tagging"):
        actions.append("s3:PutObjectTagging")
    if grants_access(params):
        actions.append("s3:PutObjectAcl")
    if params.get("ObjectLockMode") or params.get("ObjectLockRetainUntilDate"):
        actions.append("s3:PutObjectRetention")
    if params.get("ObjectLockLegalHoldStatus"):
        actions.append("s3:PutObjectLegalHold")
    return [Check(action, _object(request), _object_keys(request)) for action in actions]


def _create(request: Request) -> list[Check]:
    """Return the permissions of CreateBucket. An ACL, Object Lock or object ownership needs further permissions.

    The ACL "private" needs none: https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html
    """
    params = request.params
    actions = ["s3:CreateBucket"]
    if grants_access(params) and params.get("ACL") != "private":
        actions.append("s3:PutBucketAcl")
    if params.get("ObjectLockEnabledForBucket"):
        actions += ["s3:PutBucketObjectLockConfiguration", "s3:PutBucketVersioning"]
    if params.get("ObjectOwnership"):
        actions.append("s3:PutBucketOwnershipControls")
    return [Check(action, bucket(request), _object_keys(request)) for action in actions]


def _bypassing(row: Row, resource: Resource) -> Row:
    """Return a row that needs one more permission if the request bypasses governance retention."""

    def with_bypass(request: Request) -> list[Check]:
        bypass = [Check("s3:BypassGovernanceRetention", resource(request))]
        return [*row(request), *(bypass if request.params.get("BypassGovernanceRetention") else [])]

    return with_bypass


def copy_source(value: Any) -> tuple[str, str, str]:
    """Return the bucket, key and version ID in x-amz-copy-source. The version ID is empty if the value has none."""
    if isinstance(value, dict):
        return text(value.get("Bucket")), text(value.get("Key")), text(value.get("VersionId"))
    path, _, query = text(value).partition("?")
    name, _, key = unquote(path).removeprefix("/").partition("/")
    return name, key, query.removeprefix("versionId=")


def _copy(request: Request) -> list[Check]:
    """Return the permissions of a copy: the caller must be allowed to read the source and to write the target.

    A copy includes the tags of its source unless the request replaces them.
    """
    name, key, version = copy_source(request.params.get("CopySource"))
    source = f"arn:aws:s3:::{name}/{key}"
    checks = [_version_check("GetObject", source, version), *_put(request)]
    takes_tags = request.operation == "CopyObject" and request.params.get("TaggingDirective") != "REPLACE"
    if takes_tags and request.facts.has_tags(name, key, version):
        reading = "s3:GetObjectVersionTagging" if version else "s3:GetObjectTagging"
        checks += [Check(reading, source), Check("s3:PutObjectTagging", _object(request), _object_keys(request))]
    return checks


def _version_check(action: str, arn: str, version: str) -> Check:
    return Check(f"s3:{action}Version", arn, {"s3:versionid": version}) if version else Check(f"s3:{action}", arn)


def _delete_all(request: Request) -> list[Check]:
    """Return one permission for each key, in the order of the keys. handler.py decides on each key separately."""
    objects = (request.params.get("Delete") or {}).get("Objects") or []
    return [
        _version_check("DeleteObject", f"{bucket(request)}/{item.get('Key')}", text(item.get("VersionId")))
        for item in objects
    ] or [Check("s3:DeleteObject", f"{bucket(request)}/*")]


def _list_keys(request: Request) -> dict[str, str]:
    """Return the condition keys of a listing.

    An absent parameter has no condition key, so a policy that requires s3:prefix does not allow a call without it.
    """
    names = {"s3:prefix": "Prefix", "s3:delimiter": "Delimiter", "s3:max-keys": "MaxKeys"}
    return {key: text(request.params[name]) for key, name in names.items() if request.params.get(name) is not None}


S3: dict[str, Row] = BUCKETS | {
    "CreateBucket": _create,
    "ListBuckets": needs("s3:ListAllMyBuckets", anything),
    "ListObjects": needs("s3:ListBucket", bucket, _list_keys),
    "ListObjectsV2": needs("s3:ListBucket", bucket, _list_keys),
    "ListObjectVersions": needs("s3:ListBucketVersions", bucket, _list_keys),
    "GetObject": _versioned("GetObject"),
    "HeadObject": _versioned("GetObject"),
    "GetObjectAttributes": _attributes,
    "SelectObjectContent": needs("s3:GetObject", _object),
    "GetObjectTagging": _versioned("GetObjectTagging"),
    "PutObjectTagging": _versioned("PutObjectTagging"),
    "DeleteObjectTagging": _versioned("DeleteObjectTagging"),
    "GetObjectAcl": _versioned("GetObjectAcl"),
    "PutObjectAcl": _versioned("PutObjectAcl"),
    "PutObject": _put,
    "PostObject": _put,
    "CopyObject": _copy,
    "UploadPartCopy": _copy,
    "CreateMultipartUpload": _put,
    "UploadPart": needs("s3:PutObject", _object),
    "CompleteMultipartUpload": needs("s3:PutObject", _object),
    "AbortMultipartUpload": needs("s3:AbortMultipartUpload", _object),
    "ListParts": needs("s3:ListMultipartUploadParts", _object),
    "DeleteObject": _bypassing(_versioned("DeleteObject"), _object),
    "GetObjectLegalHold": needs("s3:GetObjectLegalHold", _object, _object_keys),
    "GetObjectRetention": needs("s3:GetObjectRetention", _object, _object_keys),
    "PutObjectLegalHold": needs("s3:PutObjectLegalHold", _object, _object_keys),
    "PutObjectRetention": _bypassing(needs("s3:PutObjectRetention", _object, _object_keys), _object),
    "DeleteObjects": _delete_all,
    "GetObjectTorrent": needs("s3:GetObjectTorrent", _object),
    "RestoreObject": needs("s3:RestoreObject", _object),
}
