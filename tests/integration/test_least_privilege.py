"""Nobody but who is named may; and what runs unseen, such as logs and clocks, does its work with what it may."""

import time
import uuid

import pytest
from botocore.exceptions import ClientError
from support import Deployment, eventually

from clouds import client


@pytest.mark.needs("iam_enforcement")
def test_no_other_bucket_may_send_to_the_uploads_queue(deployment: Deployment) -> None:
    s3, bucket = client("s3"), f"stranger-{uuid.uuid4().hex}"
    queue = client("sqs").get_queue_attributes(QueueUrl=deployment["uploads_queue_url"], AttributeNames=["QueueArn"])
    target = {"QueueArn": queue["Attributes"]["QueueArn"], "Events": ["s3:ObjectCreated:*"]}
    s3.create_bucket(Bucket=bucket)
    try:
        s3.put_bucket_notification_configuration(Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [target]})
        answer = "the policy of the uploads queue lets every bucket send: it must name the uploads bucket (aws:SourceArn)"
    except ClientError as refused:
        answer = str(refused)
    finally:
        s3.delete_bucket(Bucket=bucket)
    assert "Unable to validate the following destination configurations" in answer


@pytest.mark.proves("logs:CreateLogStream", "logs:PutLogEvents")
def test_every_function_writes_its_log(deployment: Deployment) -> None:
    for name in deployment["functions"]:
        if not deployment.logged(name, ""):
            client("lambda").invoke(FunctionName=deployment["functions"][name]["alias_arn"], Payload=b"{}")
        eventually(lambda name=name: deployment.logged(name, ""), f"a log of {name}")


@pytest.mark.proves("lambda:InvokeFunction", of="digest")
def test_the_clock_runs_it(deployment: Deployment) -> None:
    """The digest. The recoverer's rule is made by the same module, but LocalStack takes a new rate only with new targets."""
    events, function = client("events"), "digest"
    (name,) = events.list_rule_names_by_target(TargetArn=deployment["functions"][function]["alias_arn"])["RuleNames"]
    rule = events.describe_rule(Name=name)
    settings = {key: rule[key] for key in ("Name", "Description", "State")}
    began = int(time.time() * 1000)

    def runs() -> bool:
        found = client("logs").filter_log_events(logGroupName=deployment["functions"][function]["log_group"], startTime=began)["events"]
        return any("platform.start" in event["message"] or "START" in event["message"] for event in found)

    events.put_rule(**settings, ScheduleExpression="rate(1 minute)")
    try:
        eventually(runs, f"a run of {function} by its rule {name}", 150)
    finally:
        events.put_rule(**settings, ScheduleExpression=rule["ScheduleExpression"])
