"""Events of alarms lead to actions and reports."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from recoverer import handler
from recoverer.alarms import NotAnAlarm, from_cloudwatch, from_description, from_sns
from recoverer.ledger import Ledger
from recoverer.recovery import Recovery
from recoverer.reports import Reporter
from recoverer.responder import Responder
from recoverer.rules import Redrive, Relieve, Rollback, parse_rules
from recoverer.settings import Settings
from shared.clients import client
from shared.settings import SettingsError, load

EVENTS = Path(__file__).parents[3] / "functions/recoverer/events"
MAPPING = "0d4f7a52-7b0c-4f0e-8c59-9b2d3f1a6e01"
AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC).timestamp()


def event(name: str) -> Any:
    return json.loads((EVENTS / f"{name}.json").read_text())


def test_alarms_are_read_in_every_form() -> None:
    dlq = from_sns(event("sns_dlq_alarm")["Records"][0]["Sns"]["Message"])
    assert (dlq.name, dlq.state, dlq.changed_at) == ("eventloom-dev-uploads-dlq-not-empty", "ALARM", AT)
    assert dlq.dimensions == {"QueueName": "eventloom-dev-uploads-dlq"}
    errors = from_cloudwatch(event("cloudwatch_errors_alarm"))
    assert (errors.name, errors.seen_at, errors.dimensions["FunctionName"]) == (
        "eventloom-dev-thumbnailer-errors",
        AT,
        "eventloom-dev-thumbnailer",
    )
    age = from_cloudwatch(event("eventbridge_age_alarm"))
    assert (age.name, age.dimensions) == ("eventloom-dev-uploads-age", {"QueueName": "eventloom-dev-uploads"})


def test_an_alarm_is_as_old_as_its_state_and_not_as_its_last_update() -> None:
    before, after = datetime(2026, 11, 23, 9, 30, tzinfo=UTC), datetime(2026, 11, 23, 11, tzinfo=UTC)
    description = {"AlarmName": "a", "StateValue": "ALARM", "StateUpdatedTimestamp": after}
    assert from_description(description, AT).changed_at == after.timestamp()
    assert from_description(description | {"StateTransitionedTimestamp": before}, AT).changed_at == before.timestamp()


def test_dimensions_may_come_as_pairs() -> None:
    direct = event("cloudwatch_errors_alarm")
    direct["alarmData"]["configuration"]["metrics"][0]["metricStat"]["metric"]["dimensions"] = [
        {"Name": "FunctionName", "Value": "f"}
    ]
    assert from_cloudwatch(direct).dimensions == {"FunctionName": "f"}


def test_an_alarm_on_metric_math_has_the_dimensions_of_its_metrics() -> None:
    """The notice is shaped like an example of AWS.

    https://github.com/aws/aws-lambda-go/blob/main/events/testdata/cloudwatch-alarm-sns-payload-multiple-metrics.json
    """
    pair = {"value": "f", "name": "FunctionName"}
    metrics: list[Any] = [
        {"Expression": "m1*1", "Id": "e1"},
        {"Id": "m1", "MetricStat": {"Metric": {"Dimensions": [pair]}}},
    ]
    notice = {
        "AlarmName": "a",
        "NewStateValue": "ALARM",
        "StateChangeTime": "2026-11-23T09:30:00.000+0000",
        "Trigger": {"Metrics": metrics},
    }
    assert from_sns(json.dumps(notice)).dimensions == {"FunctionName": "f"}
    metrics[1]["MetricStat"]["Metric"]["Dimensions"] = [{"Name": "FunctionName", "Value": "f"}]
    description = {
        "AlarmName": "a",
        "StateValue": "ALARM",
        "StateUpdatedTimestamp": datetime.now(UTC),
        "Metrics": metrics,
    }
    assert from_description(description, AT).dimensions == {"FunctionName": "f"}


@pytest.mark.parametrize(
    "message",
    [
        "",
        "{",
        "[" * 100_000,
        "null",
        "[]",
        "{}",
        '{"AlarmName": "a", "NewStateValue": "BAD", "StateChangeTime": "2026-11-23"}',
        '{"AlarmName": "a", "NewStateValue": "OK", "StateChangeTime": "0001-01-01T00:00:00+23:59"}',
        '{"AlarmName": 1, "NewStateValue": "OK", "StateChangeTime": "2026-11-23"}',
    ],
)
def test_a_message_that_is_not_an_alarm_is_refused(message: str) -> None:
    with pytest.raises(NotAnAlarm):
        from_sns(message)
    with pytest.raises(NotAnAlarm):
        from_cloudwatch({"alarmData": {"state": None}})


@pytest.fixture
def deployed(reports: Any, world: Any) -> Any:
    """Return `deployed(event)`, which handles an event at the time of the recorded alarms, with some rules.

    It returns the outcomes and the reports.
    """
    topic, read = reports
    rules = {
        "eventloom-dev-uploads-dlq-not-empty": Redrive("arn:aws:sqs:us-east-1:123456789012:uploads-dlq"),
        "eventloom-dev-uploads-age": Relieve("mapping", 50),
    }
    recovery = Recovery(
        rules, Settings("state", topic, "{}").limits, Ledger(client("dynamodb"), "state"), world, False, lambda: AT + 5
    )
    responder = Responder(recovery, Reporter(client("sns"), topic), client("cloudwatch"), rules, topic, lambda: AT + 5)
    return lambda alarm_event: (responder.handle(alarm_event), read())


def test_the_handler_uses_the_account_and_its_settings(reports: Any) -> None:
    """The environment of the tests has no rules, so the handler only reports the alarm."""
    topic, read = reports
    outcomes = handler.responder(Settings("state", topic, "{}"), client).handle(event("cloudwatch_errors_alarm"))
    assert outcomes == {"eventloom-dev-thumbnailer-errors": "no rule"}
    assert [report["outcome"] for report in read()] == ["no rule"]


def test_an_alarm_without_a_rule_is_reported(deployed: Any) -> None:
    outcomes, (report,) = deployed(event("cloudwatch_errors_alarm"))
    assert outcomes == {"eventloom-dev-thumbnailer-errors": "no rule"}
    assert report["outcome"] == "no rule"


def test_refusals_are_reported_with_their_reason(deployed: Any, world: Any) -> None:
    world.queue = type(world.queue)(0, False)
    outcomes, (report,) = deployed(event("sns_dlq_alarm"))
    assert list(outcomes.values()) == ["refused"]
    assert report["text"] == "Nothing was done: the queue is empty."


def test_actions_are_reported(deployed: Any, world: Any) -> None:
    outcomes, (report,) = deployed(event("eventbridge_age_alarm"))
    assert list(outcomes.values()) == ["acted"]
    assert report["text"] == "Done: raise concurrency from 10 to 20."


def test_the_end_of_an_alarm_is_not_reported(deployed: Any) -> None:
    over = event("cloudwatch_errors_alarm")
    over["alarmData"]["state"]["value"] = "OK"
    assert deployed(over) == ({"eventloom-dev-thumbnailer-errors": "no rule"}, [])


def test_the_recoverer_never_answers_its_own_reports(deployed: Any, reports: Any) -> None:
    echo = event("sns_dlq_alarm")
    echo["Records"][0]["Sns"]["TopicArn"] = reports[0]
    assert deployed(echo) == ({}, [])


def test_other_messages_are_reported_as_such(deployed: Any) -> None:
    long_event = event("sns_dlq_alarm")
    long_event["Records"][0]["Sns"]["Message"] = "hello"
    outcomes, (report,) = deployed(long_event)
    assert outcomes == {"unknown": "not an alarm"}
    assert report["outcome"] == "not an alarm"


@pytest.mark.parametrize("field", ["AlarmName", "NewStateValue"])
def test_the_report_of_the_longest_message_is_shortened(deployed: Any, field: str) -> None:
    """The report contains the message twice, and SNS accepts 256 KB."""
    long = event("sns_dlq_alarm")
    message = json.loads(long["Records"][0]["Sns"]["Message"]) | {field: "é" * 100_000}
    long["Records"][0]["Sns"]["Message"] = json.dumps(message, ensure_ascii=False)
    outcomes, (report,) = deployed(long)
    assert outcomes == {"unknown": "not an alarm"}
    assert len(report["text"]) < 1_000


def test_a_sweep_reports_only_the_steps_that_it_takes(deployed: Any, world: Any) -> None:
    cloudwatch = client("cloudwatch")
    for name in ("eventloom-dev-uploads-age", "eventloom-dev-uploads-dlq-not-empty", "eventloom-dev-other"):
        cloudwatch.put_metric_alarm(
            AlarmName=name,
            ComparisonOperator="GreaterThanThreshold",
            EvaluationPeriods=1,
            MetricName="m",
            Namespace="n",
            Period=60,
            Statistic="Sum",
            Threshold=0,
        )
        cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="test")
    cloudwatch.set_alarm_state(AlarmName="eventloom-dev-uploads-age", StateValue="ALARM", StateReason="test")
    outcomes, reports = deployed(event("schedule"))
    assert outcomes == {"eventloom-dev-uploads-age": "acted"}
    assert [report["kind"] for report in reports] == ["relieve"]
    assert deployed(event("schedule")) == ({"eventloom-dev-uploads-age": "refused"}, [])
    # The notification about the end of the alarm may have been lost.
    cloudwatch.set_alarm_state(AlarmName="eventloom-dev-uploads-age", StateValue="OK", StateReason="test")
    world.fails = ClientError({"Error": {"Code": "ResourceInUseException"}}, "UpdateEventSourceMapping")
    assert [report["outcome"] for report in deployed(event("schedule"))[1]] == ["failed"]
    assert [report["outcome"] for report in deployed(event("schedule"))[1]] == ["acted"]
    assert world.done == [("raise", 20), ("lower", 10)]
    assert deployed(event("schedule")) == ({"eventloom-dev-uploads-age": "refused"}, [])
    cloudwatch.set_alarm_state(AlarmName="eventloom-dev-uploads-dlq-not-empty", StateValue="ALARM", StateReason="test")
    assert [report["kind"] for report in deployed(event("schedule"))[1]] == ["redrive"]


def test_rules_are_read() -> None:
    text = json.dumps(
        {
            "dlq": {
                "kind": "redrive",
                "dlq_arn": "arn:aws:sqs:us-east-1:1:q",
                "per_second": 5,
                "dimensions": {"QueueName": "q"},
            },
            "age": {"kind": "relieve", "mapping_id": MAPPING},
            "errors": {"kind": "rollback", "function_name": "f", "alias": "live"},
        }
    )
    rules = parse_rules(text, ceiling=40)
    assert rules["dlq"] == Redrive("arn:aws:sqs:us-east-1:1:q", 5, {"QueueName": "q"})
    assert rules["age"] == Relieve(MAPPING, 40)
    assert rules["errors"] == Rollback("f")


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"a": 1}',
        '{"a": {"kind": "restart"}}',
        '{"a": {"kind": "redrive"}}',
        '{"a": {"kind": "redrive", "dlq_arn": "queue"}}',
        '{"a": {"kind": "redrive", "dlq_arn": "arn:aws:sqs:us-east-1:1:q", "per_second": 0}}',
        '{"a": {"kind": "rollback", "function_name": "f", "aliass": "live"}}',
        '{"a": {"kind": "rollback", "function_name": ""}}',
        '{"a": {"kind": "relieve", "mapping_id": "0d4f7a52-7b0c-4f0e-8c59-9b2d3f1a6e01", "step": true}}',
        '{"a": {"kind": "relieve", "mapping_id": "m"}}',
    ],
)
def test_rules_that_cannot_work_fail_at_init(text: str) -> None:
    with pytest.raises(SettingsError):
        parse_rules(text, 50)


@pytest.mark.parametrize(
    "environment", [{"COOLDOWN_S": "5"}, {"REDRIVE_PER_DAY": "-1"}, {"DEPLOY_WINDOW_S": "0"}, {"RULES": ""}]
)
def test_settings_that_cannot_work_fail_at_init(environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        load(Settings, deepcopy({"STATE_TABLE": "s", "REPORT_TOPIC_ARN": "r", "RULES": "{}"}) | environment)
