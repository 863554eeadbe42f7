"""Plans that wait in the state bucket for another machine: a plan holds the state's secrets in clear text."""

from pathlib import Path

from eventloom.clouds import client
from eventloom.deployment import state_bucket
from eventloom.errors import UserError


def key(environment: str, run: str) -> str:
    """Where the plan lies in the state bucket."""
    return f"{state_bucket.PLANS}{run}/{environment}.tfplan"


def put(environment: str, run: str, plan: Path) -> None:
    """Send a plan there."""
    client("s3").put_object(Bucket=state_bucket.bucket_name(), Key=key(environment, run), Body=plan.read_bytes())


def get(environment: str, run: str, plan: Path) -> None:
    """Fetch it from there. Raises UserError if there is none."""
    try:
        found = client("s3").get_object(Bucket=state_bucket.bucket_name(), Key=key(environment, run))
    except client("s3").exceptions.NoSuchKey as error:
        raise UserError(
            f"no plan of {environment} by {run} (kept for {state_bucket.PLAN_DAYS} days); plan again"
        ) from error
    plan.write_bytes(found["Body"].read())
