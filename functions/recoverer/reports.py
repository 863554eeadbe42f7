"""Publish reports of outcomes to the report topic, for people and programs."""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from recoverer.alarms import Alarm
from recoverer.rules import Rule
from shared import sns


@dataclass(frozen=True)
class Report:
    """The report about an alarm. `outcome` is acted, would act (dry run), refused, failed, no rule or not an alarm."""

    alarm: str
    state: str
    outcome: str
    text: str
    changed_at: str = ""
    kind: str = ""
    target: str = ""

    @property
    def subject(self) -> str:
        """Return the subject, with the outcome and the target or alarm."""
        return sns.subject(
            f"Recoverer {self.outcome}: {self.kind or self.alarm} {self.target.rsplit(':', 1)[-1]}".strip()
        )

    @property
    def readable(self) -> str:
        """Return the message for people."""
        facts = [
            ("Alarm", f"{self.alarm} is {self.state} since {self.changed_at}" if self.changed_at else self.alarm),
            ("Rule", self.kind),
            ("Target", self.target),
            ("Outcome", self.outcome),
            ("Details", self.text),
        ]
        return "\n".join(f"{name}: {value}" for name, value in facts if value)


def report_of(alarm: Alarm, rule: Rule | None, outcome: str, text: str) -> Report:
    """Return the report of an alarm."""
    changed_at = datetime.fromtimestamp(alarm.changed_at, UTC).isoformat(timespec="seconds")
    return Report(
        alarm.name, alarm.state, outcome, text, changed_at, rule.kind if rule else "", rule.target if rule else ""
    )


class Reporter:
    """The publisher of reports to the SNS topic. Botocore's errors pass through."""

    def __init__(self, client: Any, topic_arn: str) -> None:
        """`client` is a low-level client of SNS."""
        self._sns = client
        self._topic_arn = topic_arn

    def publish(self, report: Report) -> None:
        """Publish a report as JSON for programs and as text for mail addresses."""
        self._sns.publish(
            TopicArn=self._topic_arn,
            Subject=report.subject,
            Message=json.dumps({"default": json.dumps(asdict(report)), "email": report.readable}),
            MessageStructure="json",
            MessageAttributes={"outcome": {"DataType": "String", "StringValue": report.outcome}},
        )
