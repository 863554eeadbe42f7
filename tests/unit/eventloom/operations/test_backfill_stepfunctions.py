"""A backfill by Step Functions runs once for a prefix at a time, and is followed to its end."""

import json
from typing import Any

import pytest

from eventloom.errors import UserError
from eventloom.operations import backfill_stepfunctions

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:eventloom-dev-backfill"


class FakeStates:
    """Step Functions with executions that end after a few descriptions."""

    def __init__(self, descriptions: int = 2, end: str = "SUCCEEDED") -> None:
        self.started: dict[str, dict[str, Any]] = {}
        self._descriptions, self._end = descriptions, end

    def get_paginator(self, _: str) -> "FakeStates":
        return self

    def paginate(self, stateMachineArn: str, statusFilter: str) -> list[dict[str, Any]]:
        assert (stateMachineArn, statusFilter) == (MACHINE, "RUNNING")
        return [{"executions": [{"executionArn": arn} for arn in self.started]}]

    def start_execution(self, stateMachineArn: str, name: str, input: str) -> dict[str, str]:
        arn = f"{stateMachineArn.replace('stateMachine', 'execution')}:{name}"
        self.started[arn] = json.loads(input)
        return {"executionArn": arn}

    def describe_execution(self, executionArn: str) -> dict[str, Any]:
        self._descriptions -= 1
        status = "RUNNING" if self._descriptions > 0 else self._end
        reason = {"error": "S3.AccessDenied", "cause": "no"} if status == "FAILED" else {}
        return {"status": status, "input": json.dumps(self.started[executionArn]), **reason}

    def list_map_runs(self, executionArn: str) -> dict[str, Any]:
        return {"mapRuns": [{"mapRunArn": executionArn + "/Objects:1"}]}

    def describe_map_run(self, mapRunArn: str) -> dict[str, Any]:
        assert mapRunArn.endswith("/Objects:1")
        return {"executionCounts": {"succeeded": 7, "failed": 0}}


@pytest.mark.parametrize(("rate", "at_once"), [(1, 1), (100, 1), (200, 2), (5_000, 50)])
def test_the_rate_becomes_a_number_of_batches_at_once(rate: float, at_once: int) -> None:
    states = FakeStates()
    execution = backfill_stepfunctions.start(states, MACHINE, "2025/", rate)
    assert states.started[execution] == {"prefix": "2025/", "at_once": at_once}


def test_the_same_prefix_follows_the_running_execution() -> None:
    states = FakeStates()
    first = backfill_stepfunctions.start(states, MACHINE, "2025/", 100)
    assert backfill_stepfunctions.running(states, MACHINE, "2025/") == first
    assert backfill_stepfunctions.running(states, MACHINE, "2026/") is None


def test_an_execution_is_followed_to_its_end() -> None:
    states, progress = FakeStates(descriptions=3), list[int]()
    execution = backfill_stepfunctions.start(states, MACHINE, "", 100)
    assert backfill_stepfunctions.follow(states, execution, 0, progress.append) == 7
    assert progress == [7, 7]


def test_a_failed_execution_says_how_to_continue() -> None:
    states = FakeStates(end="FAILED")
    execution = backfill_stepfunctions.start(states, MACHINE, "", 100)
    with pytest.raises(
        UserError, match=rf"(?s)FAILED: S3.AccessDenied no.*redrive-execution --execution-arn {execution}"
    ):
        backfill_stepfunctions.follow(states, execution, 0, lambda _: None)
