"""The bucket of Terraform's states and of plans that wait to be applied."""

import json
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from botocore.exceptions import ClientError
from moto import mock_aws

from eventloom import clouds
from eventloom.clouds import ROOT, client
from eventloom.deployment import examples, saved_plan, state_bucket
from eventloom.errors import UserError


@pytest.fixture(params=["eu-central-1", "cn-north-1", "us-gov-west-1"])
def region(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Provide an empty account in a region."""
    for name, value in {
        "CLOUD": "aws",
        "AWS_REGION": request.param,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    clouds.forget_clients()
    with mock_aws():
        yield request.param
    clouds.forget_clients()


def test_plain_http_is_refused_in_every_partition(region: str) -> None:
    bucket = state_bucket.ensure()
    (statement,) = json.loads(client("s3").get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    partition = {"cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov"}.get(region, "aws")
    assert statement["Effect"] == "Deny"
    assert statement["Resource"] == [f"arn:{partition}:s3:::{bucket}", f"arn:{partition}:s3:::{bucket}/*"]


@pytest.mark.parametrize("region", ["eu-central-1"], indirect=True)
def test_a_plan_waits_in_the_state_bucket_and_not_for_long(region: str, tmp_path: Path) -> None:
    bucket = state_bucket.ensure()
    # moto ignores conditions, so it would refuse requests with TLS too.
    client("s3").delete_bucket_policy(Bucket=bucket)
    (tmp_path / "plan").write_bytes(b"planned")
    saved_plan.put("dev", "17", tmp_path / "plan")
    saved_plan.get("dev", "17", tmp_path / "elsewhere")
    assert (tmp_path / "elsewhere").read_bytes() == b"planned"
    with pytest.raises(UserError, match="no plan of dev by 18"):
        saved_plan.get("dev", "18", tmp_path / "elsewhere")
    (rule,) = client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    (lying,) = client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert lying["Key"].startswith(rule["Filter"]["Prefix"])
    assert not "env:/dev/eventloom.tfstate".startswith(rule["Filter"]["Prefix"]), "states stay"
    assert rule["Expiration"]["Days"] + rule["NoncurrentVersionExpiration"]["NoncurrentDays"] <= 4
    assert all(client("s3").get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())


@pytest.mark.parametrize("region", ["eu-central-1"], indirect=True)
def test_a_bucket_of_another_account_is_not_used_even_if_that_one_lets_everybody_in(
    region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def head_bucket(Bucket: str, ExpectedBucketOwner: str | None = None) -> None:  # moto does not check the owner.
        if ExpectedBucketOwner == "123456789012":
            raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadBucket")

    monkeypatch.setattr(client("s3"), "head_bucket", head_bucket)
    with pytest.raises(UserError, match=rf"eventloom-state-123456789012-{region} belongs to another account"):
        state_bucket.ensure()


@pytest.mark.parametrize("region", ["eu-central-1"], indirect=True)
def test_an_example_that_was_never_deployed_is_said_to_be_none(region: str) -> None:
    with pytest.raises(UserError, match=r"cron-job is not deployed .* no bucket eventloom-state-"):
        examples.destroy("cron-job")
    assert client("s3").list_buckets()["Buckets"] == []


def test_a_workflow_s_artifacts_hold_no_plan() -> None:
    uploaded = {}
    for workflow in (ROOT / ".github/workflows").glob("*.yml"):
        for job in yaml.safe_load(workflow.read_text())["jobs"].values():
            steps = [step for step in job["steps"] if step.get("uses", "").startswith("actions/upload-artifact@")]
            uploaded |= {step["with"]["name"]: step["with"]["path"].split() for step in steps}
    assert uploaded["packages"] == ["build/*.zip", "build/manifest.json"]
    assert not [
        path
        for paths in uploaded.values()
        for path in paths
        if fnmatch("build/dev.tfplan", path) or path.rstrip("/") == "build"
    ]
