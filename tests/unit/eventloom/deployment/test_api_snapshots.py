"""The outdated snapshots of API Gateway are found in a plan."""

from typing import Any

import pytest

from eventloom.deployment.api_snapshots import Snapshot, outdated

DEPLOYMENT, STAGE = "module.api.aws_api_gateway_deployment.this", "module.api.aws_api_gateway_stage.this"
REPLACED, KEPT = ["create", "delete"], ["no-op"]


def change(address: str, *actions: str) -> dict[str, Any]:
    """Return the change of a resource, as in a plan."""
    module, _, resource = address.rpartition("aws_")
    entry = {"address": address, "type": f"aws_{resource}".partition(".")[0], "change": {"actions": list(actions)}}
    return entry | ({"module_address": module.rstrip(".")} if module else {})


def plan(method: list[str], deployment: list[str], stage: list[str]) -> dict[str, Any]:
    """Return a plan for an API whose open path changes, and for another API."""
    return {
        "resource_changes": [
            change('module.api.aws_api_gateway_method.this["GET /health"]', *method),
            change(DEPLOYMENT, *deployment),
            change(STAGE, *stage),
            change("module.other.aws_api_gateway_deployment.this", *REPLACED),
            change("module.other.aws_api_gateway_stage.this", "update"),
            change("module.other.aws_sqs_queue.this", "delete"),
        ]
    }


@pytest.mark.parametrize(
    ("method", "deployment", "stage"),
    [
        (["delete"], REPLACED, ["update"]),
        (["delete", "create"], REPLACED, ["update"]),
        (["delete"], KEPT, KEPT),  # A previous apply was interrupted halfway.
    ],
)
def test_a_snapshot_holds_a_method_that_goes(method: list[str], deployment: list[str], stage: list[str]) -> None:
    assert outdated(plan(method, deployment, stage)) == [Snapshot(DEPLOYMENT, (STAGE,))]


@pytest.mark.parametrize(
    ("method", "deployment", "stage"),
    [
        (["create"], REPLACED, ["update"]),
        (["update"], REPLACED, ["update"]),
        (KEPT, KEPT, KEPT),
        (["delete"], ["delete"], ["delete"]),  # The plan deletes the whole API.
    ],
)
def test_other_plans_leave_none(method: list[str], deployment: list[str], stage: list[str]) -> None:
    assert outdated(plan(method, deployment, stage)) == []


def test_an_api_of_the_root_counts_too() -> None:
    changes = [change("aws_api_gateway_method.this", "delete"), change("aws_api_gateway_deployment.this", *REPLACED)]
    assert outdated({"resource_changes": changes}) == [Snapshot("aws_api_gateway_deployment.this", ())]
