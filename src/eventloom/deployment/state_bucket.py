"""Create and read the bucket for Terraform's state, which is private, versioned, encrypted and TLS-only."""

import json

from botocore.exceptions import ClientError

from eventloom import terminal
from eventloom.clouds import chosen_cloud, client
from eventloom.deployment import protections
from eventloom.errors import UserError

KEY = "eventloom.tfstate"
PLANS, PLAN_DAYS = protections.PLANS, protections.PLAN_DAYS


def account() -> str:
    """Return the id of the account that the credentials belong to."""
    account_id: str = client("sts").get_caller_identity()["Account"]
    return account_id


def bucket_name() -> str:
    """Return `eventloom-state-<account>-<region>`. All workspaces of an account and region share this bucket."""
    return f"eventloom-state-{account()}-{client('s3').meta.region_name}"


def exists(bucket: str) -> bool:
    """Return whether the bucket exists in this account.

    Raises UserError if the bucket belongs to another account, even if that account grants access.
    """
    try:
        client("s3").head_bucket(Bucket=bucket, ExpectedBucketOwner=account())
    except ClientError as error:
        if error.response["Error"]["Code"] in {"404", "NoSuchBucket"}:
            return False
        if error.response["Error"]["Code"] in {"403", "AccessDenied"}:
            raise UserError(
                f"{bucket} belongs to another account, or these credentials lack s3:ListBucket on it"
            ) from error
        raise
    return True


def in_another_region(environment: str) -> str | None:
    """Return the state bucket of another region in which the environment is deployed.

    Returns None if there is none, or if the environment has a state in this region.
    """
    s3, here = client("s3"), bucket_name()
    if exists(here) and environment in environments(here):
        return None
    names: list[str] = [entry["Name"] for entry in s3.list_buckets()["Buckets"]]
    for bucket in names:
        if (
            bucket.startswith(f"eventloom-state-{account()}-")
            and bucket != here
            and environment in environments(bucket)
        ):
            state = s3.get_object(Bucket=bucket, Key=f"env:/{environment}/{KEY}")["Body"].read()
            if json.loads(state)["resources"]:  # A destroyed environment leaves a state without resources.
                return bucket
    return None


def environments(bucket: str) -> dict[str, str]:
    """Return the ETag of each environment's state, by environment.

    Terraform names the objects env:/<workspace>/<key>.
    """
    versions = {}
    for page in client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="env:/"):
        for state in page.get("Contents", []):
            _, name, key = state["Key"].split("/", 2)
            if key == KEY:
                versions[name] = state["ETag"]
    return versions


def ensure(*, protected: bool = False) -> str:
    """Create the state bucket with its protections if it does not exist. Returns its name.

    An existing bucket is not changed, because its owner may protect it in another way. Its differences are printed to
    stderr. With `protected`, the protections of an existing bucket are set again.
    """
    s3, bucket = client("s3"), bucket_name()
    if exists(bucket):
        if protected:
            _protect(bucket)
            return bucket
        if differences := protections.differences(s3, bucket):
            terminal.note(
                f"{bucket} differs from the bucket that Eventloom makes, and stays as it is: {'; '.join(differences)}. "
                "./eventloom state-bucket --protect sets its protections again"
            )
        return bucket
    region = s3.meta.region_name
    s3.create_bucket(
        Bucket=bucket,
        **({} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}),
    )
    _protect(bucket)
    return bucket


def _protect(bucket: str) -> None:
    """Set all protections of the state bucket, and overwrite its current settings."""
    partition = client("sts").get_caller_identity()["Arn"].split(":")[1]
    protections.put(client("s3"), bucket, partition)


def backend(key: str = KEY) -> list[str]:
    """Return the -backend-config options with which `terraform init` finds a state."""
    settings = {"bucket": bucket_name(), "key": key, "region": client("s3").meta.region_name}
    if chosen_cloud().port:
        settings["use_path_style"] = "true"
    return [f"-backend-config={name}={value}" for name, value in settings.items()]
