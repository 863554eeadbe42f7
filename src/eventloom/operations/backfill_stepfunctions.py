"""Run a backfill in Step Functions. A Distributed Map lists the bucket and sends its objects in parallel executions."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from eventloom.errors import UserError

# Objects in one batch of the state machine. A batch takes at least a second (terraform/backfill.tf).
BATCH = 100


def running(states: Any, machine: str, prefix: str) -> str | None:
    """Return the ARN of the running execution for this prefix, or None.

    `states` is a boto3 client.
    """
    for page in states.get_paginator("list_executions").paginate(stateMachineArn=machine, statusFilter="RUNNING"):
        for execution in page["executions"]:
            arn = str(execution["executionArn"])
            if json.loads(states.describe_execution(executionArn=arn)["input"]).get("prefix") == prefix:
                return arn
    return None


def start(states: Any, machine: str, prefix: str, rate: float) -> str:
    """Start the state machine, and return the execution's ARN.

    `states` is a boto3 client. `rate`, in objects a second, is rounded to whole batches.
    """
    name = f"backfill-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    arguments = {"prefix": prefix, "at_once": max(1, round(rate / BATCH))}
    return str(states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(arguments))["executionArn"])


def follow(states: Any, execution: str, poll_s: float, done: Callable[[int], None]) -> int:
    """Wait until an execution ends and return how many batches it sent. `done` gets the number so far.

    Raises:
        UserError: the execution failed. A redrive of the execution in Step Functions sends the remaining objects.
    """
    while (description := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        done(_sent_batches(states, execution))
        time.sleep(poll_s)
    if description["status"] != "SUCCEEDED":
        reason = f"{description.get('error', '')} {description.get('cause', '')}"
        raise UserError(
            f"the execution ended as {description['status']}: {reason}\n"
            f"To send the rest: aws stepfunctions redrive-execution --execution-arn {execution}"
        )
    return _sent_batches(states, execution)


def _sent_batches(states: Any, execution: str) -> int:
    runs = states.list_map_runs(executionArn=execution)["mapRuns"]
    return sum(states.describe_map_run(mapRunArn=run["mapRunArn"])["executionCounts"]["succeeded"] for run in runs)
