"""Only the named callers have access, and logs and schedules work with their permissions."""

import re
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest
from botocore.exceptions import ClientError

from eventloom.clouds import client
from tests.integration.support import Deployment, eventually


@pytest.mark.needs("iam_enforcement")
def test_no_other_bucket_may_send_to_the_uploads_queue(deployment: Deployment) -> None:
    s3, bucket = client("s3"), f"stranger-{uuid.uuid4().hex}"
    queue = client("sqs").get_queue_attributes(QueueUrl=deployment["uploads_queue_url"], AttributeNames=["QueueArn"])
    target = {"QueueArn": queue["Attributes"]["QueueArn"], "Events": ["s3:ObjectCreated:*"]}
    s3.create_bucket(Bucket=bucket)
    try:
        s3.put_bucket_notification_configuration(
            Bucket=bucket, NotificationConfiguration={"QueueConfigurations": [target]}
        )
        answer = "S3 accepted it: the policy of the uploads queue must name the uploads bucket (aws:SourceArn)"
    except ClientError as refused:
        answer = str(refused)
    finally:
        s3.delete_bucket(Bucket=bucket)
    assert "Unable to validate the following destination configurations" in answer


def test_functions_share_the_state_table_but_no_keys(deployment: Deployment) -> None:
    iam, owners = client("iam"), dict[str, str]()
    for name, function in deployment["functions"].items():
        role = (
            client("lambda")
            .get_function_configuration(FunctionName=function["function_name"])["Role"]
            .rpartition("/")[2]
        )
        for policy in iam.list_role_policies(RoleName=role)["PolicyNames"]:
            for statement in iam.get_role_policy(RoleName=role, PolicyName=policy)["PolicyDocument"]["Statement"]:
                if deployment["state_table"] in str(statement["Resource"]):
                    (condition,) = statement["Condition"].values()
                    (keys,) = condition["dynamodb:LeadingKeys"]
                    assert owners.setdefault(keys, name) == name, f"{keys} belong to {owners[keys]} and to {name}"
    assert {"digest", "notifier", "recoverer", "catalog_api"} <= set(owners.values())
    assert all(re.fullmatch(r"[a-z_]+#(\*|[a-z_]+)", keys) for keys in owners), owners


@pytest.mark.proves("logs:CreateLogStream", "logs:PutLogEvents")
def test_every_function_writes_its_log(deployment: Deployment) -> None:
    for name in deployment["functions"]:
        if not deployment.log_lines(name, ""):
            client("lambda").invoke(FunctionName=deployment["functions"][name]["alias_arn"], Payload=b"{}")
        eventually(lambda name=name: deployment.log_lines(name, ""), f"a log of {name}")


@pytest.mark.proves("lambda:InvokeFunction", of=["digest", "recoverer"])
def test_schedules_invoke_their_functions(deployment: Deployment) -> None:
    functions = {name: deployment["functions"][name] for name in ("digest", "recoverer")}
    start_ms = int(time.time() * 1000)

    def runs(group: str) -> bool:
        events = client("logs").filter_log_events(logGroupName=group, startTime=start_ms)["events"]
        return any("platform.start" in event["message"] or "START" in event["message"] for event in events)

    with ExitStack() as stack:
        for function in functions.values():
            stack.enter_context(every_minute(function["alias_arn"]))
        for name, function in functions.items():
            eventually(lambda group=function["log_group"]: runs(group), f"a run of {name} by its rule", 150)


@contextmanager
def every_minute(target: str) -> Iterator[None]:
    """Temporarily run the rule of a target every minute. LocalStack applies a new rate only with new targets."""
    events = client("events")
    (name,) = events.list_rule_names_by_target(TargetArn=target)["RuleNames"]
    rule, targets = events.describe_rule(Name=name), events.list_targets_by_rule(Rule=name)["Targets"]
    settings = {key: rule[key] for key in ("Name", "Description", "State")}

    def set_rate(rate: str) -> None:
        events.put_rule(**settings, ScheduleExpression=rate)
        events.put_targets(Rule=name, Targets=targets)

    set_rate("rate(1 minute)")
    try:
        yield
    finally:
        set_rate(rule["ScheduleExpression"])
