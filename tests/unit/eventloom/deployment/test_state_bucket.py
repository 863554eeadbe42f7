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
    receipt = saved_plan.put("dev", "17", tmp_path / "plan")
    saved_plan.get("dev", "17", tmp_path / "elsewhere", receipt)
    assert (tmp_path / "elsewhere").read_bytes() == b"planned"
    with pytest.raises(UserError, match="no plan of dev by 18"):
        saved_plan.get("dev", "18", tmp_path / "elsewhere", receipt)
    (rule,) = client("s3").get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    (lying,) = client("s3").list_objects_v2(Bucket=bucket)["Contents"]
    assert lying["Key"].startswith(rule["Filter"]["Prefix"])
    assert not "env:/dev/eventloom.tfstate".startswith(rule["Filter"]["Prefix"]), "states stay"
    assert rule["Expiration"]["Days"] + rule["NoncurrentVersionExpiration"]["NoncurrentDays"] <= 4
    assert all(client("s3").get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())


def harden(bucket: str) -> None:
    """Protect a bucket in another way than Eventloom does: an audit account, a separate key, one lifecycle rule."""
    audit = {"Sid": "AuditAccount", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}
    audit |= {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{bucket}/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [audit]})
    client("s3").put_bucket_policy(Bucket=bucket, Policy=policy)
    kms = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "alias/state"}}
    client("s3").put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [kms]})
    states = {"ID": "old-states", "Status": "Enabled", "Filter": {"Prefix": "env:/"}}
    states["NoncurrentVersionExpiration"] = {"NoncurrentDays": 365}
    client("s3").put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": [states]})


def protections(bucket: str) -> list[object]:
    """Return what protects a bucket, as S3 describes it."""
    s3 = client("s3")
    return [
        s3.get_bucket_policy(Bucket=bucket)["Policy"],
        s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"],
        s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
        s3.get_bucket_versioning(Bucket=bucket)["Status"],
        s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
    ]


@pytest.mark.parametrize("region", ["eu-central-1"], indirect=True)
def test_a_bucket_that_its_owner_protects_stays_as_it_is_and_what_differs_is_named(
    region: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = state_bucket.ensure()
    harden(bucket)
    before = protections(bucket)
    assert capsys.readouterr().err == ""
    assert state_bucket.ensure() == bucket
    assert protections(bucket) == before
    message = " ".join(capsys.readouterr().err.split())
    assert "encryption: aws:kms with alias/state" in message
    assert "policy: requests without TLS are not refused; it has the statements AuditAccount" in message
    assert "lifecycle: plans are kept for more than 3 days; it has the rules old-states" in message
    assert "./eventloom state-bucket --protect" in message


@pytest.mark.parametrize("region", ["eu-central-1"], indirect=True)
def test_missing_settings_of_a_bucket_are_named(region: str, capsys: pytest.CaptureFixture[str]) -> None:
    bucket, s3 = state_bucket.ensure(), client("s3")
    s3.delete_bucket_policy(Bucket=bucket)
    s3.delete_bucket_lifecycle(Bucket=bucket)
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    state_bucket.ensure()
    message = " ".join(capsys.readouterr().err.split())
    assert "public access: there is none; versioning: off" in message
    assert "policy: there is none; lifecycle: there is none" in message


def test_a_bucket_is_only_described_again_where_nothing_differs(
    region: str, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = state_bucket.ensure()
    before = protections(bucket)
    # moto ignores conditions, so it would refuse every request; the policy itself is compared below.
    document = json.loads(client("s3").get_bucket_policy(Bucket=bucket)["Policy"])
    assert state_bucket.ensure() == bucket
    assert protections(bucket) == before
    assert document["Statement"][0]["Sid"] == "DenyInsecureTransport"
    assert capsys.readouterr().err == "", region


@pytest.mark.parametrize("region", ["eu-central-1"], indirect=True)
def test_the_protections_are_set_again_on_request_only(region: str, capsys: pytest.CaptureFixture[str]) -> None:
    bucket = state_bucket.ensure()
    expected = protections(bucket)
    harden(bucket)
    state_bucket.ensure(protected=True)
    assert protections(bucket) == expected
    assert capsys.readouterr().err == "", region


@pytest.mark.parametrize("region", ["eu-central-1"], indirect=True)
def test_credentials_that_may_not_read_the_protections_can_still_plan(
    region: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bucket = state_bucket.ensure()

    def get_bucket_policy(Bucket: str) -> None:
        raise ClientError({"Error": {"Code": "AccessDenied", "Message": Bucket}}, "GetBucketPolicy")

    monkeypatch.setattr(client("s3"), "get_bucket_policy", get_bucket_policy)
    assert state_bucket.ensure() == bucket
    assert "policy: these credentials may not read it" in " ".join(capsys.readouterr().err.split()), region


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
