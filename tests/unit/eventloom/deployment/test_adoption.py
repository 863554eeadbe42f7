"""What an interrupted apply had created comes into the state, even if the provider did not return its id."""

import json
from pathlib import Path
from typing import Any

import pytest

from eventloom.deployment.adoption import Creations, adopt
from eventloom.deployment.terraform import Terraform
from eventloom.errors import UserError
from tests.unit.eventloom.deployment.conftest import FakeTerraform


def change(address: str, kind: str, **after: Any) -> dict[str, Any]:
    return {"address": address, "type": kind, "change": {"actions": ["create"], "after": after}}


PLAN = {
    "resource_changes": [
        change("aws_kinesis_stream.a", "aws_kinesis_stream", name="stream"),
        change('module.m["x y"].aws_lambda_function.this', "aws_lambda_function", function_name="function"),
        change("aws_dynamodb_table.known", "aws_dynamodb_table", name="table"),
        change("aws_iam_role.later", "aws_iam_role", name=None),
        change("aws_sqs_queue.again", "aws_sqs_queue", name="queue"),
    ]
}


def message(kind: str, address: str, action: str = "create") -> str:
    return json.dumps({"type": kind, "hook": {"resource": {"addr": address}, "action": action}}) + "\n"


@pytest.mark.parametrize(
    "lines",
    [
        [
            message("apply_start", "a"),
            message("apply_start", "b"),
            message("apply_start", "changed", "update"),
            message("apply_complete", "a"),
            message("apply_errored", "b"),
            json.dumps({"type": "change_summary", "changes": {}}),
            "{half a line",
        ],
        [
            "a: Creating...\n",
            "\x1b[0m\x1b[1mb: Creating...\x1b[0m\x1b[0m\n",
            "a: Still creating... [10s elapsed]\n",
            "a: Creation complete after 1s [id=a]\n",
        ],
    ],
    ids=["json", "text"],
)
def test_a_creation_is_unfinished_until_terraform_says_that_it_is_complete(lines: list[str]) -> None:
    creations, passed_on = Creations(), list[str]()
    for line in lines:
        creations.before(passed_on.append)(line)
    assert creations.unfinished == {"b"}
    assert passed_on == lines


def imports(terraform: FakeTerraform) -> list[list[str]]:
    return [call["arguments"][2:] for call in terraform.calls() if call["arguments"][0] == "import"]


def test_what_the_state_does_not_have_is_imported(terraform: FakeTerraform, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (terraform.folder / "state.txt").write_text("aws_dynamodb_table.known\n")
    every = {entry["address"] for entry in PLAN["resource_changes"]} | {"not planned"}
    adopt(Terraform(tmp_path, tmp_path), "dev", PLAN, every)
    assert imports(terraform) == [["aws_kinesis_stream.a", "stream"], ['module.m["x y"].aws_lambda_function.this', "function"]]
    assert {call["workspace"] for call in terraform.calls()} == {"dev"}
    assert "aws_kinesis_stream.a was created before the interruption" in capsys.readouterr().err


def test_what_was_not_created_is_left_alone_without_a_word(
    terraform: FakeTerraform, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    terraform.fail("import", "Error: Cannot import non-existent remote object\n")
    terraform.fail("state", "No state file was found!\n")
    adopt(Terraform(tmp_path, tmp_path), "dev", PLAN, {"aws_kinesis_stream.a"})
    assert imports(terraform) == [["aws_kinesis_stream.a", "stream"]]
    assert capsys.readouterr() == ("", "")


def test_an_import_fails_as_terraform_does(terraform: FakeTerraform, tmp_path: Path) -> None:
    """The fake really fails, so the test above means something."""
    terraform.fail("import", "Error\n")
    with pytest.raises(UserError):
        Terraform(tmp_path, tmp_path)("import", "a", "b")
