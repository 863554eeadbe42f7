"""Parse CloudWatch alarms in each form in which a function receives them.

- by SNS: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
- straight from CloudWatch: https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarms-and-actions-Lambda.html
- as an EventBridge event ("CloudWatch Alarm State Change")
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

# The longest name of an alarm: https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
_LONGEST_NAME = 255
# The maximum length of the text about a message that is not an alarm. SNS limits the size of a report.
_LONGEST_PROBLEM = 500


class NotAnAlarm(Exception):
    """A message is not an alarm. The text says why."""

    def __init__(self, error: Exception) -> None:
        super().__init__(f"{type(error).__name__}: {error}"[:_LONGEST_PROBLEM])


@dataclass(frozen=True)
class Alarm:
    """An alarm's state. Times are seconds since the epoch."""

    name: str
    # ALARM, OK or INSUFFICIENT_DATA
    state: str
    reason: str
    changed_at: float
    # The time at which it was last known to be in this state: the time of the change, or of DescribeAlarms
    seen_at: float
    dimensions: Mapping[str, str] = field(default_factory=dict)


def from_sns(message: str) -> Alarm:
    """Return the alarm of an SNS message from CloudWatch. Raises NotAnAlarm."""
    try:
        content = json.loads(message)
        changed_at = _seconds(content["StateChangeTime"])
        trigger = content.get("Trigger") or {}
        dimensions = _dimensions(trigger.get("Dimensions") or []) | _dimensions_in(
            trigger.get("Metrics"), "MetricStat", "Metric", "Dimensions"
        )
        return _alarm(
            content["AlarmName"], content["NewStateValue"], content.get("NewStateReason"), changed_at, dimensions
        )
    except _WRONG as error:
        raise NotAnAlarm(error) from error


def from_cloudwatch(event: Mapping[str, Any]) -> Alarm:
    """Return the alarm of a direct invocation or an EventBridge event. Raises NotAnAlarm."""
    try:
        data = event["alarmData"] if "alarmData" in event else event["detail"]
        state = data["state"]
        dimensions = _dimensions_in(
            (data.get("configuration") or {}).get("metrics"), "metricStat", "metric", "dimensions"
        )
        changed_at = _seconds(state.get("timestamp") or event["time"])
        return _alarm(data["alarmName"], state["value"], state.get("reason"), changed_at, dimensions)
    except _WRONG as error:
        raise NotAnAlarm(error) from error


def from_description(alarm: Mapping[str, Any], now: float) -> Alarm:
    """Return an alarm that DescribeAlarms has just returned."""
    # StateUpdatedTimestamp may change although the state does not:
    # https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_MetricAlarm.html
    changed = alarm.get("StateTransitionedTimestamp") or alarm["StateUpdatedTimestamp"]
    return Alarm(
        name=alarm["AlarmName"],
        state=alarm["StateValue"],
        reason=alarm.get("StateReason", ""),
        changed_at=changed.timestamp(),
        seen_at=now,
        dimensions=_dimensions(alarm.get("Dimensions", []))
        | _dimensions_in(alarm.get("Metrics"), "MetricStat", "Metric", "Dimensions"),
    )


_WRONG = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


def _alarm(name: Any, state: Any, reason: Any, changed_at: float, dimensions: Mapping[str, str]) -> Alarm:
    if not isinstance(name, str) or len(name) > _LONGEST_NAME:
        raise ValueError(f"{name!r} is not the name of an alarm")
    if state not in ("ALARM", "OK", "INSUFFICIENT_DATA"):
        raise ValueError(f"{state!r} is not the state of an alarm")
    return Alarm(name, state, str(reason or ""), changed_at, changed_at, dimensions)


def _dimensions(dimensions: Any) -> dict[str, str]:
    """Return dimensions as a dict by name.

    SNS sends objects with "name" and "value", some senders "Name" and "Value", and direct invocations a mapping.
    """
    if isinstance(dimensions, Mapping):
        return {str(name): str(value) for name, value in dimensions.items()}
    return {str(pair.get("name", pair.get("Name"))): str(pair.get("value", pair.get("Value"))) for pair in dimensions}


def _dimensions_in(metrics: Any, stat: str, metric: str, dimensions: str) -> dict[str, str]:
    """Return the dimensions of all metrics. Metric math expressions have none.

    `stat`, `metric` and `dimensions` are the keys in this form of alarm.
    """
    merged: dict[str, str] = {}
    for query in metrics or []:
        merged |= _dimensions(((query.get(stat) or {}).get(metric) or {}).get(dimensions) or {})
    return merged


def _seconds(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).timestamp()
