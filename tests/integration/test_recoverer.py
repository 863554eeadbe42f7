"""The recoverer responds to alarms with limited actions, and reports each action."""

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest

from eventloom.clouds import client
from tests.integration.photos import photo
from tests.integration.support import Deployment, Listener, depth, eventually, listening, uninvited, unique

SCHEDULED = {"detail-type": "Scheduled Event", "source": "aws.events", "detail": {}}


def raise_alarm(name: str, state: str = "ALARM") -> None:
    """Set the state of an alarm. CloudWatch acts only on changes, and may have set the state already."""
    for value in ("INSUFFICIENT_DATA", state):
        client("cloudwatch").set_alarm_state(AlarmName=name, StateValue=value, StateReason="a test")


def ledger(deployment: Deployment) -> list[str]:
    """Return the keys of the recoverer's items in the state table."""
    pages = (
        client("dynamodb")
        .get_paginator("scan")
        .paginate(TableName=deployment["state_table"], ProjectionExpression="pk")
    )
    keys = [item["pk"]["S"] for page in pages for item in page["Items"]]
    return [key for key in keys if key.startswith("recoverer#")]


@pytest.fixture
def reports(deployment: Deployment) -> Iterator[Listener]:
    """Listen to the recoverer's reports. Before and after the test, reset the alarms and the recoverer's items."""

    def forget() -> None:
        for key in ledger(deployment):
            client("dynamodb").delete_item(TableName=deployment["state_table"], Key={"pk": {"S": key}})

    prefix = deployment["prefix"]
    alarms = [
        f"{prefix}-{name}" for name in ("uploads-dlq-not-empty", "uploads-age", "thumbnailer-errors", "notifier-errors")
    ]
    for alarm in alarms:
        raise_alarm(alarm, "OK")
    forget()
    with listening(deployment["notices_topic_arn"]) as listener:
        yield listener
    for alarm in alarms:
        raise_alarm(alarm, "OK")
    deployment.dlq_messages()
    forget()


def remember(deployment: Deployment, acted_at: list[int]) -> None:
    """Record redrives of the dead-letter queue at these times."""
    item = {
        "pk": {"S": f"recoverer#redrive#{queue_arn(deployment['uploads_dlq_url'])}"},
        "revision": {"N": "1"},
        "acted_at": {"L": [{"N": str(moment)} for moment in acted_at]},
    }
    client("dynamodb").put_item(TableName=deployment["state_table"], Item=item)


def queue_arn(url: str) -> str:
    arn: str = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    return arn


def concurrency(deployment: Deployment) -> int:
    """Return the maximum concurrency of the thumbnailer's event source mapping, which the relieve rule changes."""
    alias = deployment["functions"]["thumbnailer"]["alias_arn"]
    (mapping,) = client("lambda").list_event_source_mappings(FunctionName=alias)["EventSourceMappings"]
    limit: int = mapping["ScalingConfig"]["MaximumConcurrency"]
    return limit


@pytest.mark.needs("iam_enforcement")
@pytest.mark.usefixtures("impatient_queue")
def test_uploads_of_an_outage_are_redriven(deployment: Deployment, reports: Listener) -> None:
    key, alarm = unique("redriven.jpg"), f"{deployment['prefix']}-uploads-dlq-not-empty"
    with deployment.outage("thumbnailer", "s3:PutObject"):
        deployment.put(key, photo())
        eventually(lambda: depth(deployment["uploads_dlq_url"]), "a message in the dead-letter queue")
    assert deployment.item(key) is None
    raise_alarm(alarm)
    report = reports.wait_for(alarm=alarm, outcome="acted")
    assert (report["kind"], report["target"]) == ("redrive", queue_arn(deployment["uploads_dlq_url"]))
    deployment.wait_for(key, status="READY")
    assert depth(deployment["uploads_dlq_url"]) == 0


@pytest.mark.parametrize(
    ("ages_s", "reason"),
    [([60], "the cool-down is 900 s"), ([1000, 2000, 3000], "acted on 3 times within a day")],
    ids=["cool-down", "cap"],
)
def test_redriving_has_limits(deployment: Deployment, reports: Listener, ages_s: list[int], reason: str) -> None:
    remember(deployment, [int(time.time()) - age for age in ages_s])
    client("sqs").send_message(QueueUrl=deployment["uploads_dlq_url"], MessageBody="{}")
    alarm = f"{deployment['prefix']}-uploads-dlq-not-empty"
    raise_alarm(alarm)
    assert reason in reports.wait_for(alarm=alarm, outcome="refused")["text"]
    assert depth(deployment["uploads_dlq_url"]) == 1


def test_an_empty_queue_is_not_redriven(deployment: Deployment, reports: Listener) -> None:
    alarm = f"{deployment['prefix']}-uploads-dlq-not-empty"
    raise_alarm(alarm)
    assert "the queue is empty" in reports.wait_for(alarm=alarm, outcome="refused")["text"]


def test_concurrency_is_raised_for_a_backlog_and_lowered_afterwards(deployment: Deployment, reports: Listener) -> None:
    before, alarm = concurrency(deployment), f"{deployment['prefix']}-uploads-age"
    raise_alarm(alarm)
    reports.wait_for(alarm=alarm, outcome="acted", state="ALARM")
    eventually(lambda: concurrency(deployment) == before + 10, "more concurrency")
    raise_alarm(alarm, "OK")
    reports.wait_for(alarm=alarm, outcome="acted", state="OK")
    eventually(lambda: concurrency(deployment) == before, "the concurrency of before")


@pytest.fixture
def bad_version(deployment: Deployment) -> Iterator[dict[str, str]]:
    """Publish a new version of the thumbnailer, and yield this version and the alias's earlier version."""
    functions, name = client("lambda"), deployment["functions"]["thumbnailer"]["function_name"]
    alias = functions.get_alias(FunctionName=name, Name="live")
    description = functions.get_function_configuration(FunctionName=name)["Description"]
    functions.update_function_configuration(FunctionName=name, Description=unique("bad version"))
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    version = functions.publish_version(FunctionName=name)["Version"]
    functions.get_waiter("published_version_active").wait(
        FunctionName=name, Qualifier=version, WaiterConfig={"Delay": 1}
    )
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=version)
    yield {"good": alias["FunctionVersion"], "bad": version}
    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=alias["FunctionVersion"])
    functions.update_function_configuration(FunctionName=name, Description=description)
    functions.get_waiter("function_updated_v2").wait(FunctionName=name, WaiterConfig={"Delay": 1})
    functions.delete_function(FunctionName=name, Qualifier=version)


def test_a_bad_version_is_rolled_back_once(
    deployment: Deployment, reports: Listener, bad_version: dict[str, str]
) -> None:
    name, alarm = deployment["functions"]["thumbnailer"]["function_name"], f"{deployment['prefix']}-thumbnailer-errors"
    functions = client("lambda")
    raise_alarm(alarm)
    report = reports.wait_for(alarm=alarm, outcome="acted")
    assert f"from version {bad_version['bad']}," in report["text"]
    assert functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == bad_version["good"]
    key = unique("after.jpg")
    deployment.put(key, photo())
    deployment.wait_for(key, status="READY")

    functions.update_alias(FunctionName=name, Name="live", FunctionVersion=bad_version["bad"])
    raise_alarm(alarm, "OK")
    raise_alarm(alarm)
    assert "a person must decide" in reports.wait_for(alarm=alarm, outcome="refused")["text"]
    assert functions.get_alias(FunctionName=name, Name="live")["FunctionVersion"] == bad_version["bad"]


def test_an_alarm_without_a_rule_is_reported(deployment: Deployment, reports: Listener) -> None:
    alarm = f"{deployment['prefix']}-notifier-errors"
    raise_alarm(alarm)
    assert reports.wait_for(alarm=alarm)["outcome"] == "no rule"


def test_a_message_that_is_not_an_alarm_is_reported(deployment: Deployment, reports: Listener) -> None:
    topic = deployment["notices_topic_arn"].removesuffix("notices") + "alarms"
    client("sns").publish(TopicArn=topic, Message=json.dumps({"hello": "there"}))
    reports.wait_for(outcome="not an alarm")


@pytest.mark.needs("iam_enforcement")
def test_an_alarm_that_cannot_be_delivered_is_queued(deployment: Deployment, reports: Listener) -> None:
    alarm = f"{deployment['prefix']}-notifier-errors"
    with uninvited(deployment["functions"]["recoverer"]["function_name"], "sns-alarms"):
        raise_alarm(alarm)
        failures = eventually(lambda: deployment.failures("recoverer"), "a failure of the recoverer")
    assert alarm in {json.loads(failure["Message"])["AlarmName"] for failure in failures}
    assert reports.messages(alarm=alarm) == []


@pytest.mark.needs("iam_enforcement")
def test_a_failed_action_is_reported_and_counts_towards_the_limit(deployment: Deployment, reports: Listener) -> None:
    alarm = f"{deployment['prefix']}-uploads-age"
    before = concurrency(deployment)
    with deployment.outage("recoverer", "lambda:UpdateEventSourceMapping"):
        raise_alarm(alarm)
        assert "AccessDenied" in reports.wait_for(alarm=alarm, outcome="failed")["text"]
    assert concurrency(deployment) == before
    raise_alarm(alarm, "OK")
    raise_alarm(alarm)
    assert "cool-down" in reports.wait_for(alarm=alarm, outcome="refused")["text"]


def test_the_schedule_checks_alarms_that_are_still_on(deployment: Deployment, reports: Listener) -> None:
    alarm = f"{deployment['prefix']}-uploads-dlq-not-empty"
    raise_alarm(alarm)
    reports.wait_for(alarm=alarm, outcome="refused")
    outcomes: dict[str, Any] = deployment.invoke("recoverer", SCHEDULED)
    assert outcomes[alarm] == "refused"
    rules = client("events").list_rule_names_by_target(TargetArn=deployment["functions"]["recoverer"]["alias_arn"])[
        "RuleNames"
    ]
    assert [client("events").describe_rule(Name=rule)["ScheduleExpression"] for rule in rules] == ["rate(5 minutes)"]
