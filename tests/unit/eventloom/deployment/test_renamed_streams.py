"""A renamed trigger of a stream keeps its mapping, so that the stream is not read again."""

from typing import Any

import pytest

from eventloom.deployment import renamed_streams
from eventloom.errors import UserError


def change(
    action: str, key: str, stream: str | None = "arn:clicks", kind: str = "kinesis", module: str = "activity"
) -> Any:
    """Return a plan's change of a mapping."""
    values = {"event_source_arn": stream}
    return {
        "address": f'module.{module}.aws_lambda_event_source_mapping.{kind}["{key}"]',
        "module_address": f"module.{module}",
        "type": "aws_lambda_event_source_mapping",
        "name": kind,
        "change": {
            "actions": [action],
            "before": values if action == "delete" else None,
            "after": values if action == "create" else None,
        },
    }


@pytest.mark.parametrize("kind", ["kinesis", "dynamodb_stream"])
def test_a_renamed_trigger_is_refused_with_the_block_that_keeps_its_mapping(kind: str) -> None:
    plan = {"resource_changes": [change("create", "new", kind=kind), change("delete", "old", kind=kind)]}
    with pytest.raises(UserError) as refused:
        renamed_streams.refuse(plan)
    assert refused.value.message.endswith(
        f'moved {{\n  from = module.activity.aws_lambda_event_source_mapping.{kind}["old"]\n'
        f'  to   = module.activity.aws_lambda_event_source_mapping.{kind}["new"]\n}}'
    )


@pytest.mark.parametrize(
    "changes",
    [
        [change("create", "new")],
        [change("delete", "old")],
        [change("delete", "old"), change("create", "new", stream="arn:orders")],
        [change("delete", "old"), change("create", "new", stream=None)],
        [change("delete", "old"), change("create", "new", module="digest")],
        [change("delete", "old", kind="sqs"), change("create", "new", kind="sqs")],
        [{"address": "module.a.aws_sqs_queue.this", "type": "aws_sqs_queue", "name": "this"}],
    ],
)
def test_other_changes_are_planned(changes: list[Any]) -> None:
    renamed_streams.refuse({"resource_changes": changes})
