"""The bucket that holds Terraform's state: private, versioned, encrypted, TLS-only."""

import json

from botocore.exceptions import ClientError

from eventloom.clouds import chosen_cloud, client
from eventloom.errors import UserError

KEY = "eventloom.tfstate"
PLANS, PLAN_DAYS = "plans/", 3


def account() -> str:
    """The id of the account that the credentials belong to."""
    found: str = client("sts").get_caller_identity()["Account"]
    return found


def bucket_name() -> str:
    """`eventloom-state-<account>-<region>`: one state bucket serves every workspace of an account and region."""
    return f"eventloom-state-{account()}-{client('s3').meta.region_name}"


def policy(bucket: str, partition: str) -> str:
    """A bucket policy that refuses everything not sent over TLS. The partition is `aws`, `aws-cn` or `aws-us-gov`."""
    arns = [f"arn:{partition}:s3:::{bucket}", f"arn:{partition}:s3:::{bucket}/*"]
    deny = {"Sid": "DenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": arns}
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{**deny, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}
    )


def exists(bucket: str) -> bool:
    """Whether the account has the bucket.

    Raises UserError when another account has it, even if that one lets this one in.
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
    """The state bucket of another region where an environment without state here is deployed, in the same account; else
    None.
    """
    s3, here = client("s3"), bucket_name()
    if exists(here) and environment in environments(here):
        return None
    names: list[str] = [found["Name"] for found in s3.list_buckets()["Buckets"]]
    for bucket in names:
        if (
            bucket.startswith(f"eventloom-state-{account()}-")
            and bucket != here
            and environment in environments(bucket)
        ):
            state = s3.get_object(Bucket=bucket, Key=f"env:/{environment}/{KEY}")["Body"].read()
            if json.loads(state)["resources"]:  # what was destroyed leaves a state without any
                return bucket
    return None


def environments(bucket: str) -> dict[str, str]:
    """The environments that have a state, each with the version of it.

    Names are Terraform's: env:/<workspace>/<key>.
    """
    found = {}
    for page in client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix="env:/"):
        for state in page.get("Contents", []):
            _, name, key = state["Key"].split("/", 2)
            if key == KEY:
                found[name] = state["ETag"]
    return found


def ensure() -> str:
    """Make the state bucket if it is missing, and set its protections; returns its name."""
    s3, bucket = client("s3"), bucket_name()
    if not exists(bucket):
        region = s3.meta.region_name
        s3.create_bucket(
            Bucket=bucket,
            **({} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}),
        )
    s3.put_public_access_block(
        Bucket=bucket,
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    encryption = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [encryption]})
    partition = client("sts").get_caller_identity()["Arn"].split(":")[1]
    s3.put_bucket_policy(Bucket=bucket, Policy=policy(bucket, partition))
    expiry = {"Expiration": {"Days": PLAN_DAYS}, "NoncurrentVersionExpiration": {"NoncurrentDays": 1}}
    plans = {"ID": "plans", "Status": "Enabled", "Filter": {"Prefix": PLANS}, **expiry}
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [plans]})
    return bucket


def backend(key: str = KEY) -> list[str]:
    """The options of `terraform init` that say where a state lies."""
    settings = {"bucket": bucket_name(), "key": key, "region": client("s3").meta.region_name}
    if chosen_cloud().port:
        settings["use_path_style"] = "true"
    return [f"-backend-config={name}={value}" for name, value in settings.items()]
