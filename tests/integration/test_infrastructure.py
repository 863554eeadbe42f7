"""The deployed resources have the documented protections, and a second plan is empty."""

import json
import os

import pytest

from eventloom.clouds import chosen_cloud, client
from eventloom.deployment import api_logs
from tests.integration.support import Deployment, terraform


def test_a_second_plan_shows_no_change(deployment: Deployment) -> None:
    if chosen_cloud().name == "compose":
        # LocalStack's image loses the tags from an alarm's creation, and keeps those that a second apply adds.
        second_apply = terraform("apply", "-input=false", "-auto-approve", "-no-color")
        assert second_apply.returncode == 0, second_apply.stdout + second_apply.stderr
    process = terraform("plan", "-input=false", "-detailed-exitcode", "-no-color")
    assert process.returncode == 0, process.stdout + process.stderr


def test_alarms_carry_the_default_tags(deployment: Deployment) -> None:
    cloudwatch = client("cloudwatch")
    pages = cloudwatch.get_paginator("describe_alarms").paginate(AlarmNamePrefix=deployment["prefix"])
    arns = {alarm["AlarmName"]: alarm["AlarmArn"] for page in pages for alarm in page["MetricAlarms"]}
    assert len(arns) > 20
    tags = {
        name: {tag["Key"] for tag in cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]}
        for name, arn in arns.items()
    }
    assert {name for name, keys in tags.items() if not keys >= {"Project", "Environment", "ManagedBy"}} == set()


@pytest.mark.parametrize("bucket", ["uploads_bucket", "thumbnails_bucket"])
def test_buckets_are_private_encrypted_and_tls_only(deployment: Deployment, bucket: str) -> None:
    s3, name = client("s3"), deployment[bucket]
    block = s3.get_public_access_block(Bucket=name)["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    rule = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]["Rules"][0]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] in {"AES256", "aws:kms"}
    statements = json.loads(s3.get_bucket_policy(Bucket=name)["Policy"])["Statement"]
    assert [
        s for s in statements if s["Effect"] == "Deny" and s["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    ]
    assert s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]


def test_uploads_keep_their_versions(deployment: Deployment) -> None:
    assert client("s3").get_bucket_versioning(Bucket=deployment["uploads_bucket"])["Status"] == "Enabled"


def test_the_queue_has_a_dead_letter_queue_and_room_for_retries(deployment: Deployment) -> None:
    sqs = client("sqs")
    queue = sqs.get_queue_attributes(QueueUrl=deployment["uploads_queue_url"], AttributeNames=["All"])["Attributes"]
    dlq = sqs.get_queue_attributes(QueueUrl=deployment["uploads_dlq_url"], AttributeNames=["All"])["Attributes"]
    redrive = json.loads(queue["RedrivePolicy"])
    function = client("lambda").get_function_configuration(FunctionName=deployment["functions"]["thumbnailer"]["arn"])
    assert redrive["deadLetterTargetArn"] == dlq["QueueArn"]
    assert int(redrive["maxReceiveCount"]) >= 5
    assert int(queue["VisibilityTimeout"]) >= 6 * function["Timeout"]
    assert int(dlq["MessageRetentionPeriod"]) >= int(queue["MessageRetentionPeriod"])
    assert queue["SqsManagedSseEnabled"] == "true"


def test_the_catalog_is_on_demand_recoverable_encrypted_and_has_a_stream(deployment: Deployment) -> None:
    dynamodb, name = client("dynamodb"), deployment["catalog_table"]
    table = dynamodb.describe_table(TableName=name)["Table"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert table["StreamSpecification"] == {"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"}
    assert sorted(index["IndexName"] for index in table["GlobalSecondaryIndexes"]) == [
        "by_sha256",
        "by_status",
        "by_taken",
    ]
    backups = dynamodb.describe_continuous_backups(TableName=name)["ContinuousBackupsDescription"]
    assert backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert dynamodb.describe_time_to_live(TableName=name)["TimeToLiveDescription"]["AttributeName"] == "expires_at"


def test_the_function_runs_through_its_alias_with_retained_logs(deployment: Deployment) -> None:
    function = deployment["functions"]["thumbnailer"]
    assert function["alias_arn"].endswith(":live")
    (group,) = client("logs").describe_log_groups(logGroupNamePrefix=function["log_group"])["logGroups"]
    assert group["retentionInDays"] > 0
    mappings = client("lambda").list_event_source_mappings(FunctionName=function["alias_arn"])["EventSourceMappings"]
    assert [mapping["FunctionResponseTypes"] for mapping in mappings] == [["ReportBatchItemFailures"]]


def test_the_default_workspace_is_refused(deployment: Deployment) -> None:
    process = terraform("plan", "-input=false", "-no-color", TF_WORKSPACE="default")
    assert process.returncode == 1
    assert "workspace" in process.stderr


def test_another_environment_leaves_the_accounts_role_for_api_logs(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the account's role is set, by an environment or somebody else, another environment uses it unchanged."""
    monkeypatch.setenv(api_logs.VARIABLE, "unset")
    other = api_logs.account("prod" if deployment["environment"] != "prod" else "dev")
    arn = other.role()
    assert arn
    api_logs.choose(other)
    assert os.environ[api_logs.VARIABLE] == "false"
    assert f"{arn}; it stays" in capsys.readouterr().err
    assert other.role() == arn
