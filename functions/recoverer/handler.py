"""CloudWatch alarms, by SNS or directly, become at most a few bounded recovery actions, each one reported."""

import time
from collections.abc import Iterator
from typing import Any

from recoverer.alarms import Alarm, NotAnAlarm, from_cloudwatch, from_description, from_sns
from recoverer.ledger import Ledger
from recoverer.recovery import Recovery
from recoverer.reports import Report, Reporter
from recoverer.rules import Relieve, parse_rules
from recoverer.settings import Settings
from recoverer.targets import Targets
from shared.clients import client
from shared.observability import MetricUnit, logger, metrics, with_metrics
from shared.settings import load

SETTINGS = load(Settings)
RULES = parse_rules(SETTINGS.rules, SETTINGS.concurrency_ceiling)


@with_metrics
def lambda_handler(event: dict[str, Any], _: object) -> dict[str, Any]:
    """Handle the alarms of an event; returns the outcome by alarm name."""
    ledger, targets = Ledger(client("dynamodb"), SETTINGS.state_table), Targets(client("sqs"), client("lambda"))
    recovery = Recovery(RULES, SETTINGS.limits, ledger, targets, SETTINGS.dry_run)
    reporter = Reporter(client("sns"), SETTINGS.report_topic_arn)
    outcomes = {}
    for found in alarms_of(event):
        report = recovery.handle(found) if isinstance(found, Alarm) else found
        outcomes[report.alarm] = report.outcome
        logger.info("handled", extra={"alarm": report.alarm, "outcome": report.outcome, "details": report.text})
        metrics.add_metric(f"Outcome{report.outcome.title().replace(' ', '')}", MetricUnit.Count, 1)
        if is_news(event, report):
            reporter.tell(report)
    metrics.add_metric("Alarms", MetricUnit.Count, len(outcomes))
    return outcomes


def alarms_of(event: dict[str, Any]) -> Iterator[Alarm | Report]:
    """The alarms of an event; a report in place of what is none."""
    if event.get("detail-type") == "Scheduled Event":
        yield from sweep()
        return
    for record in event.get("Records", [{"direct": event}]):
        sns = record.get("Sns", {})
        if sns.get("TopicArn") == SETTINGS.report_topic_arn:
            # Answering would send the answer here again.
            logger.error("subscribed to its own report topic: message ignored")
            continue
        try:
            yield from_cloudwatch(record["direct"]) if "direct" in record else from_sns(sns.get("Message", ""))
        except NotAnAlarm as problem:
            yield Report("unknown", "unknown", "not an alarm", f"A message was not understood: {problem}.")


def sweep() -> Iterator[Alarm]:
    """Alarms with a rule, as they are now: CloudWatch tells only about changes, but one step may not have been enough."""
    names = sorted(RULES)
    for start in range(0, len(names), 100):
        answer = client("cloudwatch").describe_alarms(AlarmNames=names[start : start + 100])
        found = (from_description(alarm, time.time()) for alarm in answer.get("MetricAlarms", []))
        yield from (alarm for alarm in found if alarm.state == "ALARM" or isinstance(RULES[alarm.name], Relieve))


def is_news(event: dict[str, Any], report: Report) -> bool:
    """Whether a report is worth a message: not that nothing was due when an alarm ended, or while it goes on."""
    if report.outcome in ("acted", "failed", "not an alarm"):
        return True
    return event.get("detail-type") != "Scheduled Event" and (report.state == "ALARM" or report.outcome == "would act")
