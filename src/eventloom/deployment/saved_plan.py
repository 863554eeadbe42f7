"""Send a plan to another machine through the state bucket, because it contains the state's secrets in clear text.

Anyone who may write to the bucket can replace the plan before it is applied. So `put` returns a receipt, which a
workflow passes to the other machine as job outputs. `get` accepts only the plan of that receipt.
"""

import base64
import hashlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from eventloom.clouds import client
from eventloom.deployment import state_bucket
from eventloom.errors import UserError
from eventloom.private_files import write_private


@dataclass(frozen=True)
class Receipt:
    """Identifies a sent plan by the SHA-256 of its bytes, in hexadecimal, and the version of its object in S3."""

    sha256: str
    version_id: str

    def facts(self) -> dict[str, str]:
        """Return the fields for JSON."""
        return asdict(self)


def key(environment: str, run: str) -> str:
    """Return the plan's key in the state bucket."""
    return f"{state_bucket.PLANS}{run}/{environment}.tfplan"


def put(environment: str, run: str, plan: Path) -> Receipt:
    """Send a plan to the state bucket and return its receipt. Raises UserError if there is no plan."""
    if not plan.exists():
        raise no_plan(environment, plan)
    content = plan.read_bytes()
    answer = client("s3").put_object(Bucket=state_bucket.bucket_name(), Key=key(environment, run), Body=content)
    return Receipt(hashlib.sha256(content).hexdigest(), answer["VersionId"])


def get(environment: str, run: str, plan: Path, receipt: Receipt) -> None:
    """Fetch the plan of a receipt from the state bucket.

    Raises:
        UserError: the plan no longer exists, or its SHA-256 is not that of the receipt. No file is written.
    """
    s3 = client("s3")
    version = {"Key": key(environment, run), "VersionId": receipt.version_id}
    try:
        content = s3.get_object(Bucket=state_bucket.bucket_name(), **version)["Body"].read()
    except s3.exceptions.ClientError as error:
        if error.response["Error"]["Code"] not in {"NoSuchKey", "NoSuchVersion", "InvalidArgument"}:
            raise
        raise UserError(
            f"no plan of {environment} by {run} with version {receipt.version_id} "
            f"(kept for {state_bucket.PLAN_DAYS} days); plan again"
        ) from error
    _compare(f"the plan of {environment} by {run}", content, receipt.sha256)
    write_private(plan, content)


def check(plan: Path, sha256: str) -> None:
    """Raise UserError if a plan's SHA-256 is not that of the plan that somebody reviewed."""
    _compare(str(plan), plan.read_bytes(), sha256)


def check_packages(content: dict[str, Any], folder: Path) -> None:
    """Raise UserError if a function's package differs from the one that was planned.

    Terraform uploads the file as it is at the time of the apply. The plan contains the hash of the reviewed file.

    Args:
        content: the output of `terraform show -json`. folder: the root module. Paths in the plan are relative to it.
    """
    for change in content.get("resource_changes", []):
        planned = change["change"].get("after") or {}
        file, planned_hash = planned.get("filename"), planned.get("source_code_hash")
        if change["type"] != "aws_lambda_function" or not file or not planned_hash:
            continue
        package = folder / file
        content_hash = hashlib.sha256(package.read_bytes() if package.exists() else b"").digest()
        if base64.b64encode(content_hash).decode() != planned_hash:
            raise UserError(
                f"{package.resolve()} is not the package that the plan was made from; "
                "nothing was applied: fetch the packages of the plan, or plan again"
            )


def no_plan(environment: str, plan: Path) -> UserError:
    """Return the error for a missing plan. Its message names the command that makes a plan."""
    return UserError(f"there is no plan {plan}; make one with ./eventloom plan --env {environment}")


def _compare(name: str, content: bytes, sha256: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256.lower():
        raise UserError(
            f"{name} is not the plan that was reviewed: its SHA-256 is {digest} and not {sha256}. "
            "Nothing was applied; find out who replaced it, and plan again"
        )
