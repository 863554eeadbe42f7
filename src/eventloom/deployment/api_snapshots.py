"""Find the stages of API Gateway that would still serve the methods that a plan removes.

A deployment is a snapshot of an API's methods. Terraform creates the new deployment before it deletes the old one, and
removes methods only afterwards. So the new snapshot still includes the methods that the plan removes, and the stage
serves them until another deployment is made.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Snapshot:
    """The addresses of an API deployment that must be replaced once more, and of the stages that serve it."""

    deployment: str
    stages: tuple[str, ...]


def outdated(plan: dict[str, Any]) -> list[Snapshot]:
    """Return the snapshots that will include removed methods. `plan` is the output of `terraform show -json`."""
    changes = plan.get("resource_changes", [])
    shrunk = {
        change.get("module_address")
        for change in changes
        if change["type"] == "aws_api_gateway_method" and _goes(change)
    }

    def remaining(module: str | None, kind: str) -> list[str]:
        matches = (change for change in changes if change["type"] == kind and change.get("module_address") == module)
        return [change["address"] for change in matches if change["change"]["actions"] != ["delete"]]

    return [
        Snapshot(deployment, tuple(remaining(module, "aws_api_gateway_stage")))
        for module in sorted(shrunk, key=str)
        for deployment in remaining(module, "aws_api_gateway_deployment")
    ]


def _goes(change: dict[str, Any]) -> bool:
    return "delete" in change["change"]["actions"]
