"""Build the data points of metric filters from log events.

https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_MetricTransformation.html
"""

from collections.abc import Iterable, Mapping
from typing import Any

from embedded_localstack.log_patterns.values import InvalidPattern, Match, Pattern, as_number

_MOST_DIMENSIONS = 3


def check(transformation: Mapping[str, Any]) -> None:
    """Raise InvalidPattern if a transformation has a value, a default or dimensions that AWS refuses."""
    value = str(transformation.get("metricValue", ""))
    if not value.startswith("$") and as_number(value) is None:
        raise InvalidPattern(f"Invalid metric transformation: the metric value '{value}' is no number and no field")
    dimensions = transformation.get("dimensions") or {}
    if len(dimensions) > _MOST_DIMENSIONS:
        raise InvalidPattern(f"Invalid metric transformation: it has more than {_MOST_DIMENSIONS} dimensions")
    if dimensions and transformation.get("defaultValue") is not None:
        raise InvalidPattern("Invalid metric transformation: dimensions and default value are mutually exclusive")


def points(
    pattern: Pattern, transformation: Mapping[str, Any], events: Iterable[tuple[int, str]]
) -> tuple[bool, list[dict[str, Any]]]:
    """Return whether any event matches, and the data points of the matching events.

    Each event is a pair of its time in milliseconds and its message. An event without the metric value or a dimension
    gives no data point.
    """
    matches = [(time, match) for time, message in events if (match := pattern.match(message))]
    data = (_point(transformation, time, match) for time, match in matches)
    return bool(matches), [point for point in data if point]


def point(transformation: Mapping[str, Any], time_ms: int, value: float) -> dict[str, Any]:
    """Return a data point in the form of PutMetricData."""
    return {
        "MetricName": transformation["metricName"],
        "Timestamp": time_ms / 1000,
        "Value": value,
        "Unit": transformation.get("unit") or "None",
    }


def _point(transformation: Mapping[str, Any], time_ms: int, match: Match) -> dict[str, Any] | None:
    text = str(transformation["metricValue"])
    number = as_number(match.select(text) if text.startswith("$") else text)
    dimensions = {name: match.select(field) for name, field in (transformation.get("dimensions") or {}).items()}
    if number is None or not all(dimensions.values()):
        return None
    made = point(transformation, time_ms, number)
    if dimensions:
        made["Dimensions"] = [{"Name": name, "Value": value} for name, value in dimensions.items()]
    return made
