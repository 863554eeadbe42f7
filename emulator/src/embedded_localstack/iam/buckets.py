"""Look up the settings that limit access to a bucket: object ownership, Block Public Access and ACLs."""
# mypy: disable-error-code="import-not-found, import-untyped"

from collections.abc import Mapping
from typing import Any

from localstack.services.s3.models import s3_stores
from moto.iam.models import iam_backends
from moto.s3control.models import s3control_backends

from embedded_localstack.iam import public_access
from embedded_localstack.iam.lookup import PARTITION, account_of
from embedded_localstack.iam.public_access import PARTS, Settings


def _bucket(name: str, account: str) -> Any | None:
    owner = account_of(f"arn:{PARTITION}:s3:::{name}", account)
    return s3_stores[owner]["us-east-1"].buckets.get(name)


def settings(name: str, account: str) -> Settings:
    """Return the settings of a bucket. They are empty for a missing bucket, which S3 itself reports."""
    bucket = _bucket(name, account)
    if bucket is None:
        return Settings(has_acls=True)
    of_bucket, of_account = bucket.public_access_block or {}, _account_block(bucket.bucket_account_id)
    blocked = {key: bool(of_bucket.get(key)) or of_account.get(key, False) for key in PARTS}
    return Settings(bucket.object_ownership != "BucketOwnerEnforced", blocked, bucket.policy)


def _account_block(account: str) -> dict[str, bool]:
    """Return the parts of Block Public Access that are on for all buckets of an account."""
    block = s3control_backends[account][PARTITION].public_access_block
    return {f"{key[0].upper()}{key[1:]}": value for key, value in block.to_config_dict().items()} if block else {}


def exists(arn: str, account: str) -> bool:
    """Return whether a user or role exists. Users and roles of other accounts count as existing."""
    if arn.split(":")[4] != account:
        return True
    backend = iam_backends[account][PARTITION]
    principals: list[Any] = [*backend.roles.values(), *backend.users.values()]
    return any(principal.arn == arn for principal in principals)


def restricts(resource: str, account: str) -> bool:
    """Return whether RestrictPublicBuckets limits a bucket with a public policy to services and its own account."""
    name = resource.split(":", 5)[-1].partition("/")[0]
    bucket = settings(name, account)
    if not bucket.policy or not bucket.blocked.get("RestrictPublicBuckets"):
        return False
    return public_access.is_public(bucket.policy)


def acl_allows(action: str, resource: str, account: str, *, signed: bool) -> bool:
    """Return whether the ACL of a bucket or object allows an action to everybody or, if `signed`, to AWS users."""
    name, _, key = resource.split(":", 5)[-1].partition("/")
    bucket = _bucket(name, account)
    rules = settings(name, account)
    if bucket is None or not rules.has_acls or rules.blocked.get("IgnorePublicAcls"):
        return False
    stored = bucket.objects.get(key) if key else None
    return public_access.acl_allows(
        action, _grants(bucket), of_object=False, signed=signed
    ) or public_access.acl_allows(action, _grants(stored), of_object=True, signed=signed)


def _grants(owner: Any) -> list[Mapping[str, Any]]:
    return list((getattr(owner, "acl", None) or {}).get("Grants") or [])
