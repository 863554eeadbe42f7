"""Hand a plan to another machine through the state bucket, because a plan holds the state's secrets in clear text."""

from pathlib import Path

from eventloom.clouds import client
from eventloom.deployment import state_bucket
from eventloom.errors import UserError


def key(environment: str, run: str) -> str:
    """Return the plan's key in the state bucket."""
    return f"{state_bucket.PLANS}{run}/{environment}.tfplan"


def put(environment: str, run: str, plan: Path) -> None:
    """Send a plan to the state bucket."""
    client("s3").put_object(Bucket=state_bucket.bucket_name(), Key=key(environment, run), Body=plan.read_bytes())


def get(environment: str, run: str, plan: Path) -> None:
    """Fetch a plan from the state bucket. Raises UserError if it is not there."""
    try:
        answer = client("s3").get_object(Bucket=state_bucket.bucket_name(), Key=key(environment, run))
    except client("s3").exceptions.NoSuchKey as error:
        raise UserError(
            f"no plan of {environment} by {run} (kept for {state_bucket.PLAN_DAYS} days); plan again"
        ) from error
    plan.write_bytes(answer["Body"].read())
