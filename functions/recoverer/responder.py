"""Handle the alarms of an event, and report the outcomes that need a message."""

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from recoverer.alarms import Alarm, NotAnAlarm, from_cloudwatch, from_description, from_sns
from recoverer.recovery import Recovery
from recoverer.reports import Report, Reporter
from recoverer.rules import Relieve, Rule
from shared.observability import MetricUnit, logger, metrics

# DescribeAlarms accepts up to 100 names.
_NAMES_AT_ONCE = 100


class Responder:
    """The handler of events, which contain alarms or come from the schedule for a check of all alarms."""

    def __init__(  # noqa: PLR0913, PLR0917 - each is a service or what it is asked for
        self,
        recovery: Recovery,
        reporter: Reporter,
        cloudwatch: Any,
        rules: Mapping[str, Rule],
        report_topic_arn: str,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`cloudwatch` is a low-level client."""
        self._recovery = recovery
        self._reporter = reporter
        self._cloudwatch = cloudwatch
        self._rules = rules
        self._report_topic_arn = report_topic_arn
        self._clock = clock

    def handle(self, event: Mapping[str, Any]) -> dict[str, str]:
        """Handle the alarms of an event. Returns the outcome by alarm name."""
        outcomes = {}
        for arrival in self._arrivals(event):
            report = self._recovery.handle(arrival) if isinstance(arrival, Alarm) else arrival
            outcomes[report.alarm] = report.outcome
            logger.info("handled", extra={"alarm": report.alarm, "outcome": report.outcome, "details": report.text})
            metrics.add_metric(f"Outcome{report.outcome.title().replace(' ', '')}", MetricUnit.Count, 1)
            if _is_news(event, report):
                self._reporter.publish(report)
        metrics.add_metric("Alarms", MetricUnit.Count, len(outcomes))
        return outcomes

    def _arrivals(self, event: Mapping[str, Any]) -> Iterator[Alarm | Report]:
        """Yield the alarms of an event, and a report for each message that is not an alarm."""
        if _is_scheduled(event):
            yield from self._current_alarms()
            return
        for record in event.get("Records", [{"direct": event}]):
            sns = record.get("Sns", {})
            if sns.get("TopicArn") == self._report_topic_arn:
                # Reporting this message would cause an endless loop.
                logger.error("subscribed to its own report topic: message ignored")
                continue
            try:
                yield from_cloudwatch(record["direct"]) if "direct" in record else from_sns(sns.get("Message", ""))
            except NotAnAlarm as problem:
                yield Report("unknown", "unknown", "not an alarm", f"A message was not understood: {problem}.")

    def _current_alarms(self) -> Iterator[Alarm]:
        """Yield the current state of all alarms with a rule.

        CloudWatch reports only changes of state, but an alarm may need more than one action.
        """
        names = sorted(self._rules)
        for start in range(0, len(names), _NAMES_AT_ONCE):
            answer = self._cloudwatch.describe_alarms(AlarmNames=names[start : start + _NAMES_AT_ONCE])
            for description in answer.get("MetricAlarms", []):
                alarm = from_description(description, self._clock())
                if alarm.state == "ALARM" or isinstance(self._rules[alarm.name], Relieve):
                    yield alarm


def _is_scheduled(event: Mapping[str, Any]) -> bool:
    return event.get("detail-type") == "Scheduled Event"


def _is_news(event: Mapping[str, Any], report: Report) -> bool:
    """Return whether a report needs a message.

    It needs none if there was nothing to do when an alarm ended, or while an alarm continues.
    """
    if report.outcome in ("acted", "failed", "not an alarm"):
        return True
    return not _is_scheduled(event) and (report.state == "ALARM" or report.outcome == "would act")
