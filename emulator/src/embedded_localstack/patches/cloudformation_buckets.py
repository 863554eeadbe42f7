"""Create the buckets of templates with their settings, and set an ACL only if the template has one.

LocalStack requests the ACL public-read, which S3 refuses for new buckets. It ignores half of the settings, and it
changes nothing when a template is updated.
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html
"""
# mypy: disable-error-code="import-not-found, untyped-decorator"

import re
from collections.abc import Callable, Iterable
from typing import Any

Properties = dict[str, Any]
# S3 refuses these ACLs until Block Public Access is off, so they are set after it. CreateBucket sets the others.
PUBLIC = ("AuthenticatedRead", "PublicRead", "PublicReadWrite")


def install() -> None:
    """Replace the call that creates a bucket, apply the other settings after it, and update buckets."""
    from localstack.services.cloudformation.resource_provider import (  # noqa: PLC0415 - only a running server has it
        OperationStatus,
        ProgressEvent,
    )
    from localstack.services.s3.resource_providers.aws_s3_bucket import S3BucketProvider  # noqa: PLC0415
    from localstack.utils.patch import patch  # noqa: PLC0415

    @patch(S3BucketProvider._create_bucket_if_does_not_exist)
    def make(_original: Any, _self: Any, model: Properties, region: str, s3: Any) -> None:
        s3.create_bucket(**creation(model, region))

    @patch(S3BucketProvider.create)
    def create(original: Callable[..., Any], self: Any, request: Any) -> Any:
        event = original(self, request)
        for operation, arguments in settings(request.desired_state):
            getattr(request.aws_client_factory.s3, operation)(Bucket=event.resource_model["BucketName"], **arguments)
        return event

    @patch(S3BucketProvider.update)
    def update(_original: Any, self: Any, request: Any) -> Any:
        model, s3 = request.desired_state, request.aws_client_factory.s3
        bucket = request.previous_state["BucketName"]
        for operation, arguments in [*settings(model), *later_settings(self, {**model, "BucketName": bucket})]:
            getattr(s3, operation)(Bucket=bucket, **arguments)
        acl = model.get("AccessControl") or "Private"
        if acl != (request.previous_state.get("AccessControl") or "Private") and acl not in PUBLIC:
            s3.put_bucket_acl(Bucket=bucket, ACL=_canned(acl))
        for operation in removals(request.previous_state, model):
            getattr(s3, operation)(Bucket=bucket)
        state = {**request.previous_state, **model, "BucketName": bucket}
        return ProgressEvent(status=OperationStatus.SUCCESS, resource_model=state)


def creation(model: Properties, region: str) -> Properties:
    """Return the arguments of CreateBucket."""
    arguments: Properties = {"Bucket": model["BucketName"]}
    if rules := (model.get("OwnershipControls") or {}).get("Rules"):
        arguments["ObjectOwnership"] = rules[0]["ObjectOwnership"]
    if (acl := model.get("AccessControl")) and acl not in PUBLIC:
        arguments["ACL"] = _canned(acl)
    if _is_true(model.get("ObjectLockEnabled")):
        arguments["ObjectLockEnabledForBucket"] = True
    if region != "us-east-1":
        arguments["CreateBucketConfiguration"] = {"LocationConstraint": region}
    return arguments


def settings(model: Properties) -> Iterable[tuple[str, Properties]]:
    """Yield the calls for the settings that LocalStack ignores. Block Public Access comes before the ACL."""
    if rules := (model.get("OwnershipControls") or {}).get("Rules"):
        yield "put_bucket_ownership_controls", {"OwnershipControls": {"Rules": rules}}
    if block := model.get("PublicAccessBlockConfiguration"):
        flags = {name: _is_true(value) for name, value in block.items()}
        yield "put_public_access_block", {"PublicAccessBlockConfiguration": flags}
    if (acl := model.get("AccessControl")) in PUBLIC:
        yield "put_bucket_acl", {"ACL": _canned(acl)}
    if encryption := model.get("BucketEncryption"):
        rules = [_encryption_rule(rule) for rule in encryption["ServerSideEncryptionConfiguration"]]
        yield "put_bucket_encryption", {"ServerSideEncryptionConfiguration": {"Rules": rules}}
    if lifecycle := model.get("LifecycleConfiguration"):
        rules = [_lifecycle_rule(rule) for rule in lifecycle["Rules"]]
        yield "put_bucket_lifecycle_configuration", {"LifecycleConfiguration": {"Rules": rules}}
    if logging := model.get("LoggingConfiguration"):
        target = logging.get("DestinationBucketName") or model["BucketName"]
        enabled = {"TargetBucket": target, "TargetPrefix": logging.get("LogFilePrefix") or ""}
        yield "put_bucket_logging", {"BucketLoggingStatus": {"LoggingEnabled": enabled}}


def later_settings(provider: Any, model: Properties) -> Iterable[tuple[str, Properties]]:
    """Yield the calls for the settings that LocalStack sets only when it creates a bucket."""
    if notifications := provider._get_s3_bucket_notification_config(model):
        notifications.pop("Bucket")
        yield "put_bucket_notification_configuration", notifications
    if versioning := model.get("VersioningConfiguration"):
        yield "put_bucket_versioning", {"VersioningConfiguration": {"Status": versioning["Status"]}}
    if rules := provider._transform_cfn_cors(model.get("CorsConfiguration")):
        yield "put_bucket_cors", {"CORSConfiguration": rules}
    if tags := model.get("Tags"):
        yield "put_bucket_tagging", {"Tagging": {"TagSet": tags}}
    if website := provider._transform_website_configuration(model.get("WebsiteConfiguration")):
        yield "put_bucket_website", {"WebsiteConfiguration": website}


REMOVALS = {
    "BucketEncryption": "delete_bucket_encryption",
    "CorsConfiguration": "delete_bucket_cors",
    "LifecycleConfiguration": "delete_bucket_lifecycle",
    "OwnershipControls": "delete_bucket_ownership_controls",
    "PublicAccessBlockConfiguration": "delete_public_access_block",
    "Tags": "delete_bucket_tagging",
    "WebsiteConfiguration": "delete_bucket_website",
}


def removals(before: Properties, after: Properties) -> list[str]:
    """Return the calls for the settings that an update removes."""
    return [operation for name, operation in REMOVALS.items() if before.get(name) and not after.get(name)]


def _canned(acl: str) -> str:
    """Return the name of an ACL in S3's API. For example, `PublicRead` becomes `public-read`."""
    return re.sub("(?<!^)(?=[A-Z])", "-", acl).lower()


def _is_true(value: Any) -> bool:
    return str(value).lower() == "true"


def _encryption_rule(rule: Properties) -> Properties:
    default = rule.get("ServerSideEncryptionByDefault") or {}
    return {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": _is_true(rule.get("BucketKeyEnabled"))}


def _lifecycle_rule(rule: Properties) -> Properties:
    """Return a template's lifecycle rule in the form of S3's API."""
    sizes = {name: int(rule[name]) for name in ("ObjectSizeGreaterThan", "ObjectSizeLessThan") if rule.get(name)}
    prefix = {"Prefix": rule["Prefix"]} if rule.get("Prefix") else {}
    tags = rule.get("TagFilters") or []
    parts = len(sizes) + len(prefix) + len(tags)
    several = {**prefix, **sizes, **({"Tags": tags} if tags else {})}
    single = {**prefix, **sizes, **({"Tag": tags[0]} if tags else {})} or {"Prefix": ""}
    expiration = {
        "Days": rule.get("ExpirationInDays"),
        "Date": rule.get("ExpirationDate"),
        "ExpiredObjectDeleteMarker": rule.get("ExpiredObjectDeleteMarker"),
    }
    noncurrent = rule.get("NoncurrentVersionExpiration") or {}
    if days := rule.get("NoncurrentVersionExpirationInDays"):
        noncurrent = {"NoncurrentDays": days}
    older = rule.get("NoncurrentVersionTransitions") or filter(None, [rule.get("NoncurrentVersionTransition")])
    moved = {
        "ID": rule.get("Id"),
        "Expiration": _without_none(expiration),
        "NoncurrentVersionExpiration": _numbers(noncurrent),
        "AbortIncompleteMultipartUpload": _numbers(rule.get("AbortIncompleteMultipartUpload") or {}),
        "Transitions": [
            _transition(each) for each in rule.get("Transitions") or filter(None, [rule.get("Transition")])
        ],
        "NoncurrentVersionTransitions": [_transition(each, "Noncurrent") for each in older],
    }
    filtered = {"And": several} if parts > 1 else single
    return {"Status": rule["Status"], "Filter": filtered, **{name: value for name, value in moved.items() if value}}


def _transition(rule: Properties, versions: str = "") -> Properties:
    moved = {
        "StorageClass": rule["StorageClass"],
        "Date": rule.get("TransitionDate"),
        f"{versions}Days": rule.get("TransitionInDays"),
        "NewerNoncurrentVersions": rule.get("NewerNoncurrentVersions"),
    }
    return _numbers(_without_none(moved))


def _without_none(values: Properties) -> Properties:
    return _numbers({name: value for name, value in values.items() if value is not None})


def _numbers(values: Properties) -> Properties:
    """Return values with the types that the SDK requires. Templates may contain numbers and booleans as strings."""
    numbers = ("Days", "NoncurrentDays", "NewerNoncurrentVersions", "DaysAfterInitiation")
    read: dict[str, Callable[[Any], Any]] = {"ExpiredObjectDeleteMarker": _is_true} | dict.fromkeys(numbers, int)
    return {name: read[name](value) if name in read else value for name, value in values.items()}
