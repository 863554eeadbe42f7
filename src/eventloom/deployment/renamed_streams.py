"""Find stream triggers that a plan renames. The new event source mappings would read all records again."""

from typing import Any

from eventloom.errors import UserError

TYPE = "aws_lambda_event_source_mapping"
STREAMS = ("dynamodb_stream", "kinesis")


def refuse(plan: dict[str, Any]) -> None:
    """Raise UserError if a plan renames a stream's trigger. The message has `moved` blocks that keep the mapping."""
    if renames := _renames(plan):
        blocks = "\n".join(f"moved {{\n  from = {old}\n  to   = {new}\n}}" for old, new in renames)
        raise UserError(
            "the plan renames triggers of streams, whose records would all be read again; add this to a .tf file in "
            f"terraform/, so that the mappings stay:\n{blocks}"
        )


def _renames(plan: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the old and new address of each mapping that the plan removes and creates for the same stream."""
    changes = [
        change
        for change in plan.get("resource_changes", [])
        if change.get("type") == TYPE and change.get("name") in STREAMS
    ]
    removed = {_key(change, "before"): change["address"] for change in changes if _actions(change) == ["delete"]}
    created = [change for change in changes if _actions(change) == ["create"]]
    return [
        (removed[_key(change, "after")], change["address"]) for change in created if _key(change, "after") in removed
    ]


def _actions(change: dict[str, Any]) -> list[str]:
    actions: list[str] = change["change"]["actions"]
    return actions


def _key(change: dict[str, Any], side: str) -> tuple[str, Any]:
    """Return the module of a mapping and the ARN of its stream.

    If the plan creates the stream, it has no ARN yet, and the address of the mapping is used instead.
    """
    return change.get("module_address", ""), (change["change"][side] or {}).get("event_source_arn") or change["address"]
