"""Hand the plan that `make plan` saved to another machine, through the state bucket: a plan holds the state's secrets in clear.

Usage: saved_plan.py put|get --env ENV --run RUN      (RUN: whatever tells one plan from the next, such as a workflow run's id)
"""

import argparse
from pathlib import Path

from eventloom import errors
from eventloom.clouds import BUILD, client
from eventloom.deployment import state_bucket
from eventloom.errors import PipelineError


def key(environment: str, run: str) -> str:
    """Where the plan lies in the state bucket."""
    return f"{state_bucket.PLANS}{run}/{environment}.tfplan"


def put(environment: str, run: str, plan: Path) -> None:
    """Send a plan there."""
    client("s3").put_object(Bucket=state_bucket.bucket_name(), Key=key(environment, run), Body=plan.read_bytes())


def get(environment: str, run: str, plan: Path) -> None:
    """Fetch it from there. Raises PipelineError if there is none."""
    try:
        found = client("s3").get_object(Bucket=state_bucket.bucket_name(), Key=key(environment, run))
    except client("s3").exceptions.NoSuchKey as error:
        raise PipelineError(f"no plan of {environment} by {run} (kept for {state_bucket.PLAN_DAYS} days); plan again") from error
    plan.write_bytes(found["Body"].read())


def main() -> None:
    """Parse the command line and act."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("action", choices=["put", "get"])
    parser.add_argument("--env", required=True, help="the workspace")
    parser.add_argument("--run", required=True, help="whose plan it is")
    options = parser.parse_args()
    (put if options.action == "put" else get)(options.env, options.run, BUILD / f"{options.env}.tfplan")


if __name__ == "__main__":
    errors.run("saved_plan", main)
