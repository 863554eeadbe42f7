"""A backfill by Step Functions: a Distributed Map lists the bucket and sends its objects, from many executions at once."""

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from eventloom.errors import UserError

# What one batch of the state machine holds; each takes a second at least (terraform/backfill.tf).
BATCH = 100


def start(states: Any, machine: str, prefix: str, rate: float) -> str:
    """Start the state machine, unless it works on this prefix already; the execution's ARN.

    `states` is a low-level client, `rate` objects a second, which is rounded to whole batches.
    """
    wanted = {"prefix": prefix, "at_once": max(1, round(rate / BATCH))}
    for page in states.get_paginator("list_executions").paginate(stateMachineArn=machine, statusFilter="RUNNING"):
        for running in page["executions"]:
            arn = str(running["executionArn"])
            if json.loads(states.describe_execution(executionArn=arn)["input"]).get("prefix") == prefix:
                return arn
    name = f"backfill-{datetime.now(UTC):%Y%m%dT%H%M%S%f}"
    return str(states.start_execution(stateMachineArn=machine, name=name, input=json.dumps(wanted))["executionArn"])


def follow(states: Any, execution: str, every_s: float, done: Callable[[int], None]) -> int:
    """Wait for the end; how many batches were sent.

    Raises UserError if it failed: what was not sent is kept by Step Functions, which goes on from there.
    """
    while (found := states.describe_execution(executionArn=execution))["status"] == "RUNNING":
        done(_sent(states, execution))
        time.sleep(every_s)
    if found["status"] != "SUCCEEDED":
        raise UserError(
            f"the execution ended as {found['status']}: {found.get('error', '')} {found.get('cause', '')}\n"
            f"What it did not send goes on by: aws stepfunctions redrive-execution --execution-arn {execution}"
        )
    return _sent(states, execution)


def _sent(states: Any, execution: str) -> int:
    runs = states.list_map_runs(executionArn=execution)["mapRuns"]
    return sum(states.describe_map_run(mapRunArn=run["mapRunArn"])["executionCounts"]["succeeded"] for run in runs)
