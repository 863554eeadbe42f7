"""The next plan imports the resources of an interrupted apply, even if the provider did not return their ids."""

import json
import os
import signal
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from moto import mock_aws

from eventloom.deployment import examples
from eventloom.deployment.apply import apply_saved
from eventloom.deployment.interruptions import Creations, adopt, forget, identify, imports, noted, remember
from eventloom.deployment.terraform import Interrupted, Terraform
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


def diagnostic(address: str, text: str) -> str:
    return (
        json.dumps(
            {
                "type": "diagnostic",
                "diagnostic": {"severity": "error", "summary": text, "detail": "", "address": address},
            }
        )
        + "\n"
    )


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
            message("apply_start", "failed"),
            diagnostic("failed", "the table exists"),
            diagnostic("b", "waiting for b: context canceled"),
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


class Existing:
    """Clients of services that only have resources with these names."""

    def __init__(self, *names: str) -> None:
        self.names = names

    def __call__(self, _service: str) -> "Existing":
        return self

    def __getattr__(self, _operation: str) -> Callable[..., Any]:
        def call(**arguments: str) -> dict[str, Any]:
            if not set(arguments.values()) & set(self.names):
                raise ClientError(
                    {"Error": {"Code": "ResourceNotFoundException"}, "ResponseMetadata": {"HTTPStatusCode": 400}}, "Get"
                )  # type: ignore[typeddict-item]
            return {}

        return call


EVERY = {entry["address"] for entry in PLAN["resource_changes"]} | {"not planned"}


def test_the_next_plan_imports_resources_that_are_missing_in_the_state(
    terraform: FakeTerraform, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (terraform.folder / "state.txt").write_text("aws_dynamodb_table.known\n")
    remember("dev", PLAN, EVERY)
    with imports(Terraform(tmp_path, tmp_path), "dev", Existing("stream", "table")):
        assert (tmp_path / "interrupted-dev.tf").read_text() == (
            'import {\n  for_each = terraform.workspace == "dev" ? toset(["stream"]) : toset([])\n'
            "  to       = aws_kinesis_stream.a\n  id       = each.value\n}\n"
        )
    assert not (tmp_path / "interrupted-dev.tf").exists()
    assert terraform.count("untaint", "aws_dynamodb_table.known") == 1
    assert [call["arguments"][0] for call in terraform.calls()] == ["state", "untaint"]
    assert "taking over what an interrupted apply created: aws_kinesis_stream.a\n" in capsys.readouterr().err


def test_an_untainted_resource_of_the_state_is_not_changed(terraform: FakeTerraform, tmp_path: Path) -> None:
    (terraform.folder / "state.txt").write_text("aws_dynamodb_table.known\n")
    terraform.fail("untaint", "Error: Resource instance is not tainted\n")
    remember("dev", PLAN, {"aws_dynamodb_table.known"})
    with imports(Terraform(tmp_path, tmp_path), "dev", Existing("table")):
        assert list(tmp_path.glob("*.tf")) == []


def test_the_file_goes_even_if_the_plan_fails(terraform: FakeTerraform, tmp_path: Path) -> None:
    terraform.fail("state", "No state file was found!\n")
    remember("dev", PLAN, EVERY)
    with pytest.raises(UserError), imports(Terraform(tmp_path, tmp_path), "dev", Existing("stream")):  # noqa: PT012
        assert (tmp_path / "interrupted-dev.tf").exists()
        raise UserError("no plan")
    assert list(tmp_path.glob("*.tf")) == []


def test_another_environment_imports_nothing_and_asks_terraform_nothing(
    terraform: FakeTerraform, tmp_path: Path
) -> None:
    remember("dev", PLAN, EVERY)
    with imports(Terraform(tmp_path, tmp_path), "prod", Existing("stream")):
        assert list(tmp_path.glob("*.tf")) == []
    assert terraform.calls() == []


def test_a_second_interruption_adds_to_the_first_and_a_whole_apply_forgets_them(terraform: FakeTerraform) -> None:
    for address in ("aws_kinesis_stream.a", "aws_dynamodb_table.known"):
        remember("dev", PLAN, {address})
    assert [entry["id"] for entry in noted("dev")] == ["stream", "table"]
    forget("dev")
    assert noted("dev") == []


def test_a_destroy_imports_what_only_the_cloud_has(terraform: FakeTerraform, tmp_path: Path) -> None:
    (terraform.folder / "state.txt").write_text("aws_dynamodb_table.known\n")
    remember("dev", PLAN, EVERY)
    adopt(Terraform(tmp_path, tmp_path), "dev", clients=Existing("stream", "table"))
    assert terraform.count("import", "-input=false", "aws_kinesis_stream.a", "stream") == 1
    assert [call["arguments"][0] for call in terraform.calls()] == ["state", "import"]


def test_an_interrupted_example_is_noted_under_its_name(terraform: FakeTerraform) -> None:
    (terraform.folder / "plan.json").write_text(json.dumps(PLAN))
    (terraform.folder / "apply.txt").write_text("aws_kinesis_stream.a: Creating...\n")
    (terraform.folder / "wait-apply").touch()
    examples.packages("cron-job").mkdir(parents=True, exist_ok=True)
    interrupt_the_apply(terraform)
    with pytest.raises(Interrupted):
        examples.apply("cron-job")
    assert [entry["id"] for entry in noted("examples/cron-job")] == ["stream"]
    assert noted("dev") == []


def interrupt_the_apply(terraform: FakeTerraform) -> None:
    """Send SIGINT to this process a second after Terraform begins to apply, as Ctrl-C does."""

    def interrupt() -> None:
        while not any(call["arguments"][0] == "apply" for call in terraform.calls()):
            time.sleep(0.05)
        time.sleep(1)
        os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=interrupt, daemon=True).start()


@mock_aws
def test_existing_resources_are_listed_for_each_type(monkeypatch: pytest.MonkeyPatch) -> None:
    def clients(service: str) -> Any:
        return boto3.client(service, region_name="us-east-1")  # type: ignore[call-overload]

    kinds: dict[str, Callable[[], Any]] = {
        "aws_cloudwatch_log_group": lambda: clients("logs").create_log_group(logGroupName="name"),
        "aws_dynamodb_table": lambda: clients("dynamodb").create_table(
            TableName="name",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        ),
        "aws_iam_role": lambda: clients("iam").create_role(RoleName="name", AssumeRolePolicyDocument="{}"),
        "aws_kinesis_stream": lambda: clients("kinesis").create_stream(StreamName="name", ShardCount=1),
        "aws_s3_bucket": lambda: clients("s3").create_bucket(Bucket="name"),
    }
    for kind, create in kinds.items():
        resource = {"address": "a", "type": kind, "id": "name"}
        assert identify(resource, clients) is None, kind
        create()
        assert identify(resource, clients) == "name", kind
    assert identify({"address": "a", "type": "aws_lambda_function", "id": "name"}, clients) is None


def test_the_latest_api_of_the_name_is_imported_by_its_id() -> None:
    apis = [
        {"id": f"api{number}", "name": name, "createdDate": datetime(2026, 1, number, tzinfo=UTC)}
        for number, name in ((1, "catalog"), (2, "catalog"), (3, "another"))
    ]
    gateway = boto3.client("apigateway", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    with Stubber(gateway) as stubber:
        for items in (apis, []):
            stubber.add_response("get_rest_apis", {"items": items})
        resource = {"address": "a", "type": "aws_api_gateway_rest_api", "id": "catalog"}
        assert identify(resource, lambda _: gateway) == "api2"
        assert identify(resource, lambda _: gateway) is None


def test_an_interrupted_apply_is_noted_and_the_next_one_imports(terraform: FakeTerraform, tmp_path: Path) -> None:
    """The apply runs in its own process, and is interrupted as by Ctrl-C."""
    plan = tmp_path / "dev.tfplan"
    plan.write_text("a plan")
    (terraform.folder / "plan.json").write_text(json.dumps(PLAN))
    (terraform.folder / "wait-apply").touch()
    (terraform.folder / "apply.txt").write_text(message("apply_start", "aws_kinesis_stream.a"))
    interrupt_the_apply(terraform)
    with pytest.raises(Interrupted):
        apply_saved("dev", plan)
    assert [entry["id"] for entry in noted("dev")] == ["stream"]
    (terraform.folder / "wait-apply").unlink()
    apply_saved("dev", plan)
    assert noted("dev") == []
