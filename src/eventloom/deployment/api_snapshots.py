"""Which stages of API Gateway would go on serving what a plan takes away, and how the plan's apply is followed up.

A deployment is a snapshot of an API's methods, and is made before the one that it replaces goes. Terraform removes
methods after that, too: the snapshot still holds those that the plan removes, and an open path that was closed stays
open.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Snapshot:
    """The addresses of a deployment that has to be made once more, and of the stages that serve it."""

    deployment: str
    stages: tuple[str, ...]


def outdated(plan: dict[str, Any]) -> list[Snapshot]:
    """Snapshots that will hold methods that are gone.

    Args:
        plan: as of `terraform show -json`.
    """
    changes = plan.get("resource_changes", [])
    shrunk = {
        change.get("module_address")
        for change in changes
        if change["type"] == "aws_api_gateway_method" and _goes(change)
    }

    def kept(module: str | None, kind: str) -> list[str]:
        found = (change for change in changes if change["type"] == kind and change.get("module_address") == module)
        return [change["address"] for change in found if change["change"]["actions"] != ["delete"]]

    return [
        Snapshot(deployment, tuple(kept(module, "aws_api_gateway_stage")))
        for module in sorted(shrunk, key=str)
        for deployment in kept(module, "aws_api_gateway_deployment")
    ]


def _goes(change: dict[str, Any]) -> bool:
    return "delete" in change["change"]["actions"]
