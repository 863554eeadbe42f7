"""Test that reading and writing encrypted data on a running server requires permissions on the KMS key."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from support import ACCOUNT, LOGS, REGION, Cloud, from_service, package, policy

CALL = """
import boto3
from botocore.exceptions import ClientError

def handler(event, context):
    try:
        getattr(boto3.client(event["service"]), event["call"])(**event["with"])
    except ClientError as error:
        return str(error)
    return "done"
"""


def key(cloud: Cloud, *services: str) -> str:
    """Create a KMS key that these services may use, and callers with a policy of the account. Return its ARN."""
    owner = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    use = {"Effect": "Allow", "Action": ["kms:GenerateDataKey", "kms:Decrypt"], "Resource": "*"}
    statements = [use | {"Principal": {"Service": f"{service}.amazonaws.com"}} for service in services]
    return str(cloud.kms.create_key(Policy=policy(owner, *statements))["KeyMetadata"]["Arn"])


def encrypt(cloud: Cloud, bucket: str, algorithm: str, key_arn: str | None) -> None:
    default = {"SSEAlgorithm": algorithm} | ({"KMSMasterKeyID": key_arn} if key_arn else {})
    rules = {"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}
    cloud.s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration=rules)


def test_encrypted_objects_need_permissions_on_the_key(cloud: Cloud, name: str):
    cloud.s3.create_bucket(Bucket=name)
    key_arn = key(cloud)
    cloud.function(
        name,
        role=cloud.role(name, *LOGS, "s3:PutObject", "s3:GetObject", "s3:ListBucket"),
        Code={"ZipFile": package(CALL)},
    )

    def call(operation: str, **parameters: Any) -> str:
        event = {"service": "s3", "call": operation, "with": {"Bucket": name, "Key": "k", **parameters}}
        return str(json.loads(cloud.lambda_.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read()))

    assert call("put_object") == "done"
    encrypt(cloud, name, "aws:kms", None)
    assert call("put_object") == "done", "with the key that AWS manages"
    encrypt(cloud, name, "aws:kms", key_arn)
    assert "kms:GenerateDataKey" in call("put_object")
    assert call("put_object", ServerSideEncryption="AES256") == "done"
    assert cloud.denied("kms:GenerateDataKey", key_arn, who=f"{name}/{name}")
    cloud.grant(name, "kms:GenerateDataKey", resource=key_arn, name="write")
    assert call("put_object") == "done"
    assert "kms:Decrypt" in call("get_object")
    assert "kms:Decrypt" in call("copy_object", CopySource=f"{name}/k", Key="copy")
    assert call("head_object") == "done"
    cloud.grant(name, "kms:Decrypt", resource=key_arn, name="read")
    assert call("get_object") == "done"


def test_encrypted_messages_need_permissions_on_the_key(cloud: Cloud, name: str):
    key_arn = key(cloud)
    url, _ = cloud.queue(name, KmsMasterKeyId=key_arn)
    managed, _ = cloud.queue(f"{name}-managed", KmsMasterKeyId="alias/aws/sqs")
    cloud.function(name, role=cloud.role(name, *LOGS, "sqs:SendMessage"), Code={"ZipFile": package(CALL)})

    def send(queue: str) -> str:
        event = {"service": "sqs", "call": "send_message", "with": {"QueueUrl": queue, "MessageBody": "{}"}}
        return str(json.loads(cloud.lambda_.invoke(FunctionName=name, Payload=json.dumps(event))["Payload"].read()))

    assert send(managed) == "done"
    assert "kms:GenerateDataKey" in send(url)
    cloud.grant(name, "kms:GenerateDataKey", "kms:Decrypt", resource=key_arn, name="key")
    assert send(url) == "done"


@pytest.mark.parametrize("may", [False, True], ids=["refused", "allowed"])
def test_topic_to_queue(cloud: Cloud, name: str, may: bool):
    topic = cloud.sns.create_topic(Name=name)["TopicArn"]
    key_arn = key(cloud, *(["sns"] if may else []))
    url, arn = cloud.queue(name, from_service("sns", topic), KmsMasterKeyId=key_arn)
    cloud.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    cloud.sns.publish(TopicArn=topic, Message="m")
    if may:
        assert cloud.received(url)
    else:
        assert cloud.denied("kms:GenerateDataKey", key_arn, who="sns.amazonaws.com")


def test_an_alarm_to_an_encrypted_topic_needs_the_key_s_policy(cloud: Cloud, name: str):
    key_arn = key(cloud)
    topic = cloud.sns.create_topic(Name=name, Attributes={"KmsMasterKeyId": key_arn})["TopicArn"]
    metric = {
        "Namespace": "test",
        "MetricName": name,
        "Statistic": "Maximum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "Threshold": 1,
    }
    cloud.cloudwatch.put_metric_alarm(
        AlarmName=name, ComparisonOperator="GreaterThanThreshold", AlarmActions=[topic], **metric
    )
    cloud.cloudwatch.set_alarm_state(AlarmName=name, StateValue="ALARM", StateReason="test")
    assert cloud.denied("kms:GenerateDataKey", key_arn, who="cloudwatch.amazonaws.com")


def test_notifications_of_a_bucket_need_the_key_s_policy(cloud: Cloud, name: str):
    cloud.s3.create_bucket(Bucket=name)
    cloud.queue(name, from_service("s3", f"arn:aws:s3:::{name}"), KmsMasterKeyId=key(cloud))
    notify = {
        "QueueConfigurations": [
            {"QueueArn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}", "Events": ["s3:ObjectCreated:*"]}
        ]
    }
    with pytest.raises(ClientError, match="Unable to validate"):
        cloud.s3.put_bucket_notification_configuration(Bucket=name, NotificationConfiguration=notify)


def test_a_log_group_that_exists_gets_a_key_and_loses_it(cloud: Cloud, name: str):
    key_arn = key(cloud, f"logs.{REGION}")
    cloud.logs.create_log_group(logGroupName=name)

    def key_of_group() -> str | None:
        (group,) = cloud.logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"]
        return group.get("kmsKeyId")

    cloud.logs.associate_kms_key(logGroupName=name, kmsKeyId=key_arn)
    assert key_of_group() == key_arn
    cloud.logs.disassociate_kms_key(logGroupName=name)
    assert key_of_group() is None
    cloud.logs.delete_log_group(logGroupName=name)
