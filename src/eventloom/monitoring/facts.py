"""Convert the figures of an environment to the JSON that `watch --json` and `report --json` print."""

from datetime import UTC, datetime
from typing import Any

from eventloom.monitoring.telemetry import ENDINGS, Function, Reading


def facts(reading: Reading, environment: str) -> dict[str, Any]:
    """Return the figures as JSON types. Times are in ISO 8601 (UTC), durations in ms, and ages in s."""
    return {
        "environment": environment,
        "since": _time(reading.since),
        "until": _time(reading.until),
        "images": {_ending(name): reading.total(name) for name in ENDINGS},
        "images_by_minute": {
            _ending(name): {_time(minute): count for minute, count in sorted(reading.counts[name].items())}
            for name in ENDINGS
        },
        "rejected_by_reason": dict(reading.rejected.most_common()),
        "usd_per_thousand_images": reading.cost_per_thousand,
        "queues": {name: vars(queue) for name, queue in reading.queues.items()},
        "functions": {name: _function(figures) for name, figures in reading.functions.items()},
    }


def _function(figures: Function) -> dict[str, Any]:
    durations = {f"p{share}": value for share, value in figures.durations.items()}
    return {
        "invocations": figures.invocations,
        "errors": figures.errors,
        "duration_ms": durations,
        "gb_s": round(figures.gb_s, 3),
    }


def _ending(name: str) -> str:
    return name.removeprefix("Images").lower()


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
