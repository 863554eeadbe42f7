"""Every command acts only on the named environment. Read-only commands do not create anything."""

import json
from pathlib import Path

import pytest

from eventloom import clouds
from eventloom.clouds import client
from eventloom.deployment import state_bucket
from eventloom.deployment.apply import apply_saved, deploy, prepare
from eventloom.deployment.outputs import current_outputs, outputs_file
from eventloom.errors import UserError
from tests.unit.eventloom.deployment.conftest import BUCKET, FakeTerraform, typed


def bucket_names() -> list[str]:
    return [bucket["Name"] for bucket in client("s3").list_buckets()["Buckets"]]


def test_each_environment_has_outputs_of_its_own(terraform: FakeTerraform, build_folder: Path) -> None:
    for _ in range(2):
        assert current_outputs("prod")["uploads_bucket"] == "prod-uploads"
        assert current_outputs("dev")["uploads_bucket"] == "dev-uploads"
    assert sorted(path.name for path in build_folder.iterdir()) == ["outputs.aws.dev.json", "outputs.aws.prod.json"]
    assert terraform.count("output", "-json") == 2, "the second time the kept ones are used"


def test_a_deployment_from_elsewhere_is_noticed_and_the_selected_workspace_stays(terraform: FakeTerraform) -> None:
    for bucket in ("dev-uploads", "another"):
        terraform.deploy("dev", uploads_bucket=bucket)
        assert current_outputs("dev")["uploads_bucket"] == bucket
    assert [call for call in terraform.calls() if call["arguments"][:2] == ["workspace", "select"]] == []


def test_a_mistyped_environment_is_reported_with_the_known_ones_and_nothing_is_created(
    terraform: FakeTerraform, build_folder: Path
) -> None:
    with pytest.raises(UserError, match=rf"'dve' .*{BUCKET} has the state of dev, prod; ./eventloom deploy --env dve"):
        current_outputs("dve")
    assert terraform.calls() == []
    assert list(build_folder.iterdir()) == []


@pytest.fixture
def no_bucket(terraform: FakeTerraform) -> FakeTerraform:
    """Provide the account without any deployment."""
    for content in client("s3").list_objects_v2(Bucket=BUCKET)["Contents"]:
        client("s3").delete_object(Bucket=BUCKET, Key=content["Key"])
    client("s3").delete_bucket(Bucket=BUCKET)
    return terraform


def test_an_account_without_state_is_reported_and_gets_none(no_bucket: FakeTerraform) -> None:
    with pytest.raises(UserError, match=f"there is no bucket {BUCKET}"):
        current_outputs("dev")
    assert bucket_names() == []
    assert no_bucket.calls() == []


def test_a_destroyed_environment_leaves_no_outputs(terraform: FakeTerraform, build_folder: Path) -> None:
    (terraform.folder / "dev.json").write_text("{}")
    with pytest.raises(UserError, match="its state is empty"):
        current_outputs("dev")
    assert list(build_folder.iterdir()) == []


@pytest.mark.parametrize("command", [["destroy", "--yes"], ["outputs"]])
def test_an_environment_that_does_not_exist_cannot_be_destroyed_or_shown(
    terraform: FakeTerraform, command: list[str]
) -> None:
    result = typed(*command, "--env", "dve")
    assert result.exit_code == 1
    assert "nothing is deployed in 'dve'" in result.stderr
    assert terraform.calls() == []


@pytest.mark.parametrize("command", [["plan"], ["deploy"], ["apply-saved"]])
@pytest.mark.parametrize(("environment", "reason"), [("dve", "local, dev, staging, prod"), ("local", "000000000000")])
def test_an_environment_that_does_not_belong_in_the_account_creates_nothing(
    no_bucket: FakeTerraform, command: list[str], environment: str, reason: str
) -> None:
    result = typed(*command, "--env", environment, "--cloud", "aws")
    assert result.exit_code == 1
    assert reason in result.stderr
    assert bucket_names() == []
    assert no_bucket.calls() == []


def test_an_environment_of_another_region_is_not_deployed_a_second_time(
    terraform: FakeTerraform, monkeypatch: pytest.MonkeyPatch
) -> None:
    client("s3").put_object(Bucket=BUCKET, Key=f"env:/dev/{state_bucket.KEY}", Body=b'{"resources": [{}]}')
    client("s3").put_object(Bucket=BUCKET, Key=f"env:/prod/{state_bucket.KEY}", Body=b'{"resources": []}')  # destroyed
    monkeypatch.setenv("AWS_REGION", "us-east-1")
    clouds.forget_clients()
    with pytest.raises(UserError, match=rf"'dev' is deployed in another region, its state is in {BUCKET}"):
        prepare("dev")
    assert bucket_names() == [BUCKET]
    assert terraform.calls() == []
    prepare("prod")


def test_a_run_that_selects_another_workspace_does_not_affect_this_one(
    terraform: FakeTerraform, tmp_path: Path
) -> None:
    deploy("dev", tmp_path / "dev.tfplan")
    calls = {call["arguments"][0]: call["workspace"] for call in terraform.calls()}
    assert calls == dict.fromkeys(("plan", "show", "apply", "taint", "output"), "dev")


def test_without_changes_nothing_is_applied(terraform: FakeTerraform, tmp_path: Path) -> None:
    (terraform.folder / "unchanged").touch()
    assert deploy("dev", tmp_path / "dev.tfplan").outputs["environment"] == "dev"
    assert [call["arguments"][0] for call in terraform.calls()] == ["plan", "output"]


def test_a_missing_plan_names_the_command_that_makes_one(terraform: FakeTerraform, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no plan .*none.tfplan; make one with ./eventloom plan --env dev"):
        apply_saved("dev", tmp_path / "none.tfplan")


@pytest.mark.usefixtures("terraform")
def test_on_aws_an_environment_has_to_be_named() -> None:
    result = typed("outputs", "--cloud", "aws")
    assert result.exit_code == 2
    assert "--env dev|staging|prod" in result.stderr


@pytest.mark.parametrize(
    ("command", "unchanged"), [("deploy", "prod"), ("apply-saved", "prod"), ("destroy", "prod"), ("destroy", "dev")]
)
def test_a_protected_environment_is_not_changed_without_its_name(
    terraform: FakeTerraform, command: str, unchanged: str
) -> None:
    result = typed(command, "--env", unchanged)
    assert result.exit_code == 1
    assert "was not changed; type its name when asked, or add --yes" in result.stderr
    assert terraform.calls() == []


def test_a_restarted_emulator_forgets_the_cached_outputs(terraform: FakeTerraform, build_folder: Path) -> None:
    outputs_file("local").write_text(json.dumps({"state": "before", "outputs": {"environment": "local"}}))
    with pytest.raises(
        UserError, match=f"{BUCKET} has the state of dev, prod; ./eventloom deploy --env local deploys it"
    ):
        current_outputs("local")
