"""Parse the log lines of Lambda functions into records with the time at which the function wrote the line."""

import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

# An invocation takes at most 15 minutes, so a line is not older than this when Lambda delivers it.
_LONGEST = timedelta(minutes=16)
_CLOCK_SKEW = timedelta(seconds=5)
# Powertools writes 2026-05-01 12:30:00,123+0000, and Lambda writes 2026-05-01T12:30:00.123Z. Times without fractions of
# a second do not match, because they cannot order the lines.
_FINE_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)[.,](\d{3,6})(Z|[+-]\d\d:?\d\d)")
# https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html
_OF_LAMBDA = re.compile(
    r"(START|END|REPORT|INIT_START|INIT_REPORT|RESTORE_START|RESTORE_REPORT|EXTENSION|XRAY|LOGS|TELEMETRY)\b"
)
_FAILED = re.compile(r"\bStatus: (?!success)\w+")
_TEXT_LEVEL = re.compile(r"\[?(DEBUG|INFO|WARNING|WARN|ERROR|CRITICAL|FATAL)\b")
_LIBRARIES = ("boto3", "botocore", "s3transfer", "urllib3")


@dataclass(frozen=True)
class Record:
    """One log line of a function. `fields` are the fields of a JSON line, or only `message` for a plain-text line."""

    function: str
    time: datetime
    fields: dict[str, Any]

    @property
    def level(self) -> str:
        """Return the level in capitals, or "" if the line has none."""
        if self.failed_report:
            return "ERROR"
        level = self.fields.get("level", self.fields.get("log_level"))
        if isinstance(level, str):
            return level.upper()
        match = _TEXT_LEVEL.match(self.message)
        return match[1] if match else ""

    @property
    def message(self) -> str:
        """Return the message as text, or "" if the line has none."""
        message = self.fields.get("message", "")
        return message.strip() if isinstance(message, str) else json.dumps(message, ensure_ascii=False)

    @property
    def report(self) -> dict[str, Any] | None:
        """Return the content of Lambda's report on an invocation, or None if the line is not a report."""
        report = self.fields.get("record")
        is_report = str(self.fields.get("type")) in {"platform.report", "platform.initReport"}
        return report if is_report and isinstance(report, dict) else None

    @property
    def failed_report(self) -> bool:
        """Return whether the line is Lambda's report on a failed invocation. For a timeout there is no other line."""
        if self.report:
            return bool(self.report.get("status", "success") != "success")
        return bool(_OF_LAMBDA.match(self.message) and _FAILED.search(self.message))

    @property
    def is_detail(self) -> bool:
        """Return whether only --all shows this line.

        Such lines are Lambda's platform lines, metrics, and lines of AWS's libraries up to INFO."""
        if self.failed_report:
            return False
        if str(self.fields.get("type", "")).startswith("platform.") or ("_aws" in self.fields and not self.message):
            return True
        if str(self.fields.get("logger", "")).split(".")[0] in _LIBRARIES:
            return self.level in {"", "TRACE", "DEBUG", "INFO"}
        return bool(_OF_LAMBDA.match(self.message)) and "level" not in self.fields

    def facts(self) -> dict[str, Any]:
        """Return the fields for JSON, with `time` and `function` added."""
        return {"time": self.time.isoformat(timespec="milliseconds"), **self.fields, "function": self.function}


def records(function: str, events: Iterable[dict[str, Any]]) -> Iterator[Record]:
    """Yield a record for each CloudWatch Logs event, with the time at which the function wrote the line.

    An emulator gives all lines of an invocation the time of its end. So the time in the line itself is preferred. A
    line that contains no time gets the time of the previous line if both have the same timestamp.
    """
    previous: dict[str, tuple[int, datetime]] = {}
    for event in events:
        fields, stream, stamp = parse(event["message"]), event.get("logStreamName", ""), event["timestamp"]
        last_stamp, last_time = previous.get(stream, (None, None))
        handed_in = datetime.fromtimestamp(stamp / 1000, UTC)
        written = own_time(fields, handed_in) or (last_time if last_stamp == stamp else None) or handed_in
        previous[stream] = (stamp, written)
        yield Record(function, written, fields)


def parse(message: str) -> dict[str, Any]:
    """Return the fields of a JSON line, or the text of any other line as `message`."""
    if message.startswith("{"):
        with suppress(ValueError):
            fields: dict[str, Any] = json.loads(message)
            return fields
    return {"message": message.rstrip()}


def own_time(fields: dict[str, Any], handed_in: datetime) -> datetime | None:
    """Return the time that a line contains, or None if it has no plausible time with milliseconds."""
    own = _FINE_TIME.fullmatch(str(fields.get("timestamp", fields.get("time", ""))))
    if own is None:
        return None
    with suppress(ValueError):
        written = datetime.fromisoformat(f"{own[1]}T{own[2]}.{own[3]}{own[4]}").astimezone(UTC)
        return written if handed_in - _LONGEST <= written <= handed_in + _CLOCK_SKEW else None
    return None
