"""The applied plan is the reviewed plan, with the packages that it was made from."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from eventloom.clouds import client
from eventloom.deployment import apply, saved_plan
from eventloom.deployment.apply import apply_saved
from eventloom.deployment.outputs import outputs_file, save_outputs
from eventloom.errors import UserError
from tests.unit.eventloom.deployment.conftest import BUCKET, PLAN, FakeTerraform, typed


@pytest.fixture
def plan(terraform: FakeTerraform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide a plan of prod in an account whose state bucket has versions."""
    client("s3").put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    monkeypatch.setattr(apply, "BUILD", tmp_path)
    file = tmp_path / "prod.tfplan"
    file.write_bytes(b"reviewed")
    assert terraform.calls() == []
    return file


def receipt(output: str) -> list[str]:
    """Return the options for the lines that `saved-plan put` prints, as a workflow passes its outputs on."""
    values = dict(line.split("=", 1) for line in output.splitlines())
    return ["--sha256", values["sha256"], "--version-id", values["version_id"]]


def overwrite() -> None:
    """Replace the saved plan, as a person who may write to the state bucket can."""
    client("s3").put_object(Bucket=BUCKET, Key=saved_plan.key("prod", "17"), Body=b"another plan")


def test_the_plan_of_the_receipt_is_fetched_although_another_one_lies_there_now(plan: Path) -> None:
    sent = typed("saved-plan", "put", "--env", "prod", "--run", "17")
    assert sent.exit_code == 0, sent.output
    overwrite()
    plan.unlink()
    fetched = typed("saved-plan", "get", "--env", "prod", "--run", "17", *receipt(sent.stdout))
    assert fetched.exit_code == 0, fetched.output
    assert plan.read_bytes() == b"reviewed"
    assert plan.stat().st_mode & 0o777 == 0o600


def test_a_plan_with_another_digest_is_not_fetched(plan: Path) -> None:
    reviewed = saved_plan.put("prod", "17", plan)
    overwrite()
    newest = client("s3").head_object(Bucket=BUCKET, Key=saved_plan.key("prod", "17"))["VersionId"]
    plan.unlink()
    options = ["--sha256", reviewed.sha256, "--version-id", newest]
    result = typed("saved-plan", "get", "--env", "prod", "--run", "17", *options)
    assert result.exit_code == 1
    assert "is not the plan that was reviewed: its SHA-256 is" in result.stderr
    assert not plan.exists()


def test_a_plan_is_fetched_only_with_both_parts_of_its_receipt(plan: Path) -> None:
    sent = saved_plan.put("prod", "17", plan)
    for options in (["--sha256", sent.sha256], ["--version-id", sent.version_id], []):
        assert typed("saved-plan", "get", "--env", "prod", "--run", "17", *options).exit_code == 2


def test_a_version_that_is_gone_is_named_with_what_to_do(plan: Path) -> None:
    sent = saved_plan.put("prod", "17", plan)
    client("s3").delete_object(Bucket=BUCKET, Key=saved_plan.key("prod", "17"), VersionId=sent.version_id)
    with pytest.raises(UserError, match=r"no plan of prod by 17 with version .* \(kept for 3 days\); plan again"):
        saved_plan.get("prod", "17", plan, sent)


def test_nothing_is_sent_before_a_plan_is_made(plan: Path) -> None:
    plan.unlink()
    result = typed("saved-plan", "put", "--env", "prod", "--run", "17")
    assert result.exit_code == 1
    assert "make one with ./eventloom plan --env prod" in result.stderr


def test_a_plan_that_changed_after_the_review_is_not_applied(plan: Path, terraform: FakeTerraform) -> None:
    digest = hashlib.sha256(plan.read_bytes()).hexdigest()
    plan.write_bytes(b"another plan")
    with pytest.raises(UserError, match="is not the plan that was reviewed"):
        apply_saved("prod", plan, sha256=digest)
    assert terraform.calls() == []
    plan.write_bytes(b"reviewed")
    apply_saved("prod", plan, sha256=digest)
    assert [call["arguments"][0] for call in terraform.calls()].count("apply") >= 1


def test_a_package_that_changed_after_the_plan_is_not_applied(
    plan: Path, terraform: FakeTerraform, tmp_path: Path
) -> None:
    package = tmp_path / "digest.zip"
    package.write_bytes(b"planned")
    planned_hash = base64.b64encode(hashlib.sha256(b"planned").digest()).decode()
    after = {"filename": str(package), "source_code_hash": planned_hash}
    function = {"address": "digest", "type": "aws_lambda_function", "change": {"actions": ["update"], "after": after}}
    (terraform.folder / "plan.json").write_text(json.dumps({"resource_changes": [*PLAN["resource_changes"], function]}))
    apply_saved("prod", plan)
    for change in (lambda: package.write_bytes(b"other"), package.unlink):
        change()
        with pytest.raises(UserError, match=r"digest\.zip is not the package that the plan was made from"):
            apply_saved("prod", plan)
    assert [call["arguments"][:2] for call in terraform.calls()].count(["show", "-json"]) == 3
    assert len([call for call in terraform.calls() if call["arguments"][-1] == str(plan)]) == 4, "3 shown, 1 applied"


@pytest.mark.parametrize("earlier_mode", [None, 0o644])
def test_plans_and_outputs_are_private_to_the_user(
    plan: Path, terraform: FakeTerraform, earlier_mode: int | None
) -> None:
    for file in (plan, outputs_file("prod")):
        file.unlink(missing_ok=True)
        if earlier_mode:
            file.touch()
            file.chmod(earlier_mode)
    apply.deploy("prod", plan)
    save_outputs("prod")
    files = (plan, outputs_file("prod"), terraform.folder / "errored.tfstate")
    assert [oct(file.stat().st_mode & 0o777) for file in files] == ["0o600"] * 3
    assert terraform.count("output", "-json") == 2
