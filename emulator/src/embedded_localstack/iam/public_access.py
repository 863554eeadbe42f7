"""Rules of S3 on bucket policies and ACLs: Block Public Access, object ownership, and policies that S3 refuses.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from embedded_localstack.iam.request import text

GROUPS = "http://acs.amazonaws.com/groups/global/"
PARTS = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
_PUBLIC = {"public-read", "public-read-write", "authenticated-read"}
_GRANTS = ("GrantFullControl", "GrantRead", "GrantReadACP", "GrantWrite", "GrantWriteACP")
_OBJECTS = {"PutObject", "PostObject", "CopyObject", "CreateMultipartUpload", "PutObjectAcl"}
# A statement for everybody is not public if one of these keys has a fixed value.
_FIXED = {
    *("aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip"),
    *("aws:principalorgid", "aws:principalorgpaths", "aws:principalarn", "aws:principalaccount", "aws:userid"),
    *(
        "aws:calledvia",
        "s3:dataaccesspointarn",
        "s3:dataaccesspointaccount",
        "s3:x-amz-server-side-encryption-aws-kms-key-id",
    ),
}
_NAMED = re.compile(r"arn:aws:iam::\d{12}:(role|user)/[^*?]+")
_EQUAL = re.compile(r"(ForAnyValue:)?(String(Equals|Like)(IgnoreCase)?|Arn(Equals|Like)|IpAddress)$")


class RefusedError(Exception):
    """The status, code and message with which S3 refuses a request."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass(frozen=True)
class Settings:
    """The settings of a bucket: whether it has ACLs, and which parts of Block Public Access are on for it."""

    has_acls: bool = False
    blocked: Mapping[str, bool] = field(default_factory=dict)
    policy: str | None = None


def verify(
    operation: str, params: Mapping[str, Any], settings: Settings, exists: Callable[[str], bool], who: str
) -> None:
    """Check an ACL or a bucket policy before it is written.

    Args:
        operation: the operation of S3.
        params: the parsed request.
        settings: the settings of the bucket.
        exists: whether the account has a user or role with an ARN.
        who: the caller, for messages.

    Raises:
        RefusedError: S3 refuses the ACL or the policy.
    """
    if operation == "PutBucketPolicy":
        _verify_policy(params, settings, exists, who)
    elif operation in _OBJECTS or operation == "PutBucketAcl":
        _verify_acl(operation, params, settings)
    elif operation == "CreateBucket":
        _verify_new_bucket(params)


# -- ACLs


def grants_access(params: Mapping[str, Any]) -> bool:
    """Return whether a request has an ACL or grants."""
    return bool(params.get("ACL") or params.get("AccessControlPolicy") or any(params.get(name) for name in _GRANTS))


def _grants_to_public(params: Mapping[str, Any]) -> bool:
    listed = (params.get("AccessControlPolicy") or {}).get("Grants") or []
    groups = [text((grant.get("Grantee") or {}).get("URI")) for grant in listed]
    groups += [text(params.get(name)) for name in _GRANTS]
    return text(params.get("ACL")) in _PUBLIC or any(
        GROUPS + group in grantee for grantee in groups for group in ("AllUsers", "AuthenticatedUsers")
    )


def _verify_acl(operation: str, params: Mapping[str, Any], settings: Settings) -> None:
    if not grants_access(params):
        return
    harmless = operation in _OBJECTS and params.get("ACL") == "bucket-owner-full-control"
    if not settings.has_acls and not harmless:
        raise RefusedError(400, "AccessControlListNotSupported", "The bucket does not allow ACLs")
    if settings.blocked.get("BlockPublicAcls") and _grants_to_public(params):
        raise RefusedError(
            403, "AccessDenied", "Access Denied: BlockPublicAcls of the bucket or its account refuses public ACLs"
        )


def _verify_new_bucket(params: Mapping[str, Any]) -> None:
    """Check the ACL of a new bucket. The bucket has ACLs only if the request enables them, and refuses public ones."""
    if not grants_access(params) or params.get("ACL") == "private":
        return
    if params.get("ObjectOwnership", "BucketOwnerEnforced") == "BucketOwnerEnforced":
        message = "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting"
        raise RefusedError(400, "InvalidBucketAclWithObjectOwnership", message)
    if _grants_to_public(params):
        message = "Bucket cannot have public ACLs set with BlockPublicAccess enabled"
        raise RefusedError(400, "InvalidBucketAclWithBlockPublicAccessError", message)


# -- Bucket policies


def _verify_policy(params: Mapping[str, Any], settings: Settings, exists: Callable[[str], bool], who: str) -> None:
    bucket = text(params.get("Bucket"))
    try:
        document = json.loads(text(params.get("Policy")))
    except ValueError:
        return  # S3 itself refuses it
    for statement in _listed(document.get("Statement") if isinstance(document, dict) else None):
        if problem := _problem(statement, bucket, exists):
            raise RefusedError(400, "MalformedPolicy", problem)
    if settings.blocked.get("BlockPublicPolicy") and is_public(json.dumps(document)):
        message = (
            f'User: {who} is not authorized to perform: s3:PutBucketPolicy on resource: "arn:aws:s3:::{bucket}" '
            "because public policies are blocked by the BlockPublicPolicy block public access setting."
        )
        raise RefusedError(403, "AccessDenied", message)


def _problem(statement: Any, bucket: str, exists: Callable[[str], bool]) -> str:
    """Return why S3 refuses a statement, or an empty text. documents.py checks the grammar of the policy."""
    if not isinstance(statement, dict):
        return ""
    for resource in _listed(statement.get("Resource") or statement.get("NotResource")):
        name = text(resource).removeprefix("arn:aws:s3:::").partition("/")[0]
        if not fnmatchcase(bucket, name):
            return "Policy has invalid resource"
    principals = statement.get("Principal") or statement.get("NotPrincipal")
    named = _listed(principals.get("AWS")) if isinstance(principals, dict) else []
    if any(_NAMED.fullmatch(text(name)) and not exists(text(name)) for name in named):
        return "Invalid principal in policy"
    return ""


def is_public(document: str) -> bool:
    """Return whether a bucket policy is public: it allows something to everybody without a condition on a fixed value.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html#access-control-block-public-access-policy-status
    """
    return any(
        statement.get("Effect") == "Allow" and _for_everybody(statement) and not _is_limited(statement)
        for statement in _listed(json.loads(document).get("Statement"))
    )


def _for_everybody(statement: Mapping[str, Any]) -> bool:
    principal = statement.get("Principal")
    return "NotPrincipal" in statement or "*" in _listed(
        principal.get("AWS") if isinstance(principal, dict) else principal
    )


def _is_limited(statement: Mapping[str, Any]) -> bool:
    return any(
        _EQUAL.match(operator) and key.lower() in _FIXED and all(_is_fixed(value) for value in _listed(values))
        for operator, operands in (statement.get("Condition") or {}).items()
        for key, values in operands.items()
    )


def _is_fixed(value: Any) -> bool:
    """Return whether a value is fixed. Wildcards may be in an ARN's resource. Ranges from /0 to /7 are not fixed."""
    name = text(value)
    if re.fullmatch(r"[\d.]+/[0-7]|[\da-fA-F:]*::[\da-fA-F:]*/([0-9]|[12][0-9]|3[01])", name):
        return False
    fixed = name.split(":", 5)[4] if name.startswith("arn:") and name.count(":") >= 5 else name
    return bool(fixed) and not re.search(r"[*?]|\$\{", fixed)


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list) else [] if value is None else [value]


# -- What an ACL allows

_BY_OBJECT = {
    "READ": {"GetObject", "GetObjectVersion"},
    "READ_ACP": {"GetObjectAcl", "GetObjectVersionAcl"},
    "WRITE_ACP": {"PutObjectAcl", "PutObjectVersionAcl"},
}
_BY_BUCKET = {
    "READ": {"ListBucket", "ListBucketVersions", "ListBucketMultipartUploads"},
    "WRITE": {"PutObject", "DeleteObject", "DeleteObjectVersion"},
    "READ_ACP": {"GetBucketAcl"},
    "WRITE_ACP": {"PutBucketAcl"},
}


def acl_allows(action: str, grants: Iterable[Mapping[str, Any]], *, of_object: bool, signed: bool) -> bool:
    """Return whether grants to a group allow an action, such as "s3:GetObject".

    Args:
        action: the action.
        grants: the grants of the object's or the bucket's ACL.
        of_object: whether the ACL is that of an object.
        signed: whether the request is signed: everybody with an AWS account is in the group AuthenticatedUsers.
    """
    groups = {f"{GROUPS}AllUsers", *([f"{GROUPS}AuthenticatedUsers"] if signed else [])}
    table = _BY_OBJECT if of_object else _BY_BUCKET
    name = action.removeprefix("s3:")
    for grant in grants:
        permission = text(grant.get("Permission"))
        allowed = set().union(*table.values()) if permission == "FULL_CONTROL" else table.get(permission, set())
        if text((grant.get("Grantee") or {}).get("URI")) in groups and name in allowed:
            return True
    return False
