"""`deploy --only` deploys one function, and a deployment that changes nothing ends after the plan."""

import json
from pathlib import Path
from typing import Any

import pytest

from eventloom.clouds import client
from eventloom.deployment import apply, build
from eventloom.deployment.apply import deploy
from eventloom.deployment.outputs import outputs_file
from tests.unit.eventloom.deployment.conftest import BUCKET, FakeTerraform, typed


@pytest.fixture
def built(monkeypatch: pytest.MonkeyPatch, terraform: FakeTerraform, build_folder: Path) -> list[list[str]]:
    """Record the names of the packages that are built. All functions but `digest` have a package already."""
    terraform.deploy("dev", gallery_url="https://gallery", functions={})
    calls: list[list[str]] = []

    def record(names: list[str], *_: Any) -> None:
        calls.append(names)

    monkeypatch.setattr(build, "build_all", record)
    monkeypatch.setattr(apply, "BUILD", build_folder)
    for name in set(build.function_names()) - {"digest"}:
        (build_folder / f"{name}.zip").touch()
    return calls


def subcommands(terraform: FakeTerraform) -> list[str]:
    return [call["arguments"][0] for call in terraform.calls()]


def test_only_one_function_is_built_and_planned(terraform: FakeTerraform, built: list[list[str]]) -> None:
    result = typed("deploy", "--env", "dev", "--only", "notifier")
    assert result.exit_code == 0, result.stderr
    assert built == [["digest", "notifier"]], "Terraform hashes every package, so a missing one is built as well"
    (plan,) = [call["arguments"] for call in terraform.calls() if call["arguments"][0] == "plan"]
    assert [option for option in plan if option.startswith("-target")] == ["-target=module.notifier"]
    assert "apply" in subcommands(terraform)
    assert "only module.notifier and what it needs were compared with the cloud" in " ".join(result.stderr.split())


def test_a_whole_deployment_has_no_target(terraform: FakeTerraform, built: list[list[str]]) -> None:
    assert typed("deploy", "--env", "dev").exit_code == 0
    assert built == [build.function_names()]
    plans = [call["arguments"] for call in terraform.calls() if call["arguments"][0] == "plan"]
    assert not [option for plan in plans for option in plan if option.startswith("-target")]


@pytest.mark.parametrize("verbose", [[], ["--verbose"]])
def test_a_resource_is_replaced_by_its_address(
    terraform: FakeTerraform, built: list[list[str]], verbose: list[str]
) -> None:
    key = "module.api.aws_api_gateway_api_key.this[0]"
    assert typed("deploy", "--env", "dev", "--replace", key, "--replace", "aws_a.b", *verbose).exit_code == 0
    (plan,) = [call["arguments"] for call in terraform.calls() if call["arguments"][0] == "plan"]
    assert [option for option in plan if option.startswith("-replace")] == [f"-replace={key}", "-replace=aws_a.b"]


def test_only_and_replace_do_not_go_together(terraform: FakeTerraform, built: list[list[str]]) -> None:
    result = typed("deploy", "--env", "dev", "--only", "notifier", "--replace", "aws_a.b")
    assert result.exit_code == 1
    assert "run deploy with --replace, but without --only" in " ".join(result.stderr.split())
    assert (terraform.calls(), built) == ([], [])


@pytest.mark.parametrize(
    ("environment", "function", "message"),
    [
        ("dev", "announcer", "there is no function 'announcer'; --only takes one of: activity"),
        ("staging", "notifier", ""),
    ],
)
def test_a_function_or_an_environment_that_does_not_exist_is_refused(
    terraform: FakeTerraform, built: list[list[str]], environment: str, function: str, message: str
) -> None:
    result = typed("deploy", "--env", environment, "--only", function)
    assert result.exit_code == 1
    assert message in " ".join(result.stderr.split())
    assert (terraform.calls(), built) == ([], [])


def test_what_an_interrupted_apply_created_is_not_forgotten(terraform: FakeTerraform, built: list[list[str]]) -> None:
    """Only a whole plan imports the created resources, and the note about them is removed after an apply."""
    note = json.dumps([{"address": "module.raw.aws_s3_bucket.this", "type": "aws_s3_bucket", "id": "raw"}]).encode()
    client("s3").put_object(Bucket=BUCKET, Key="interrupted/dev.json", Body=note)
    result = typed("deploy", "--env", "dev", "--only", "notifier")
    assert result.exit_code == 1
    assert "run deploy without --only first" in result.stderr
    assert client("s3").get_object(Bucket=BUCKET, Key="interrupted/dev.json")["Body"].read() == note
    assert (terraform.calls(), built) == ([], [])


@pytest.mark.parametrize("verbose", [False, True])
def test_without_changes_a_deployment_ends_after_the_plan(
    terraform: FakeTerraform, build_folder: Path, tmp_path: Path, verbose: bool
) -> None:
    (terraform.folder / "unchanged").touch()
    for _ in range(2):
        assert deploy("dev", tmp_path / "dev.tfplan", verbose).outputs["environment"] == "dev"
    assert subcommands(terraform) == ["plan", "output", "plan"], "the second time the outputs are known"


def test_without_changes_the_outputs_are_those_of_the_current_state(terraform: FakeTerraform, tmp_path: Path) -> None:
    (terraform.folder / "unchanged").touch()
    deploy("dev", tmp_path / "dev.tfplan")
    assert outputs_file("dev").exists()
    terraform.deploy("dev", uploads_bucket="of-somebody-else")
    assert deploy("dev", tmp_path / "dev.tfplan").outputs["uploads_bucket"] == "of-somebody-else"
