"""Format a log record as text: one line, then its traceback. Control characters are escaped."""

import json
import re
from datetime import UTC, datetime
from typing import Any

import click
from rich.text import Text

from eventloom.monitoring.log_records import Record
from eventloom.terminal import printable

all_option = click.option(
    "--all",
    "show_all",
    is_flag=True,
    help="also print Lambda's own lines, metrics, and what AWS's libraries log at INFO",
)
LEVEL_STYLES = {
    "WARNING": "yellow",
    "WARN": "yellow",
    "ERROR": "bold red",
    "CRITICAL": "bold red",
    "FATAL": "bold red",
    "DEBUG": "dim",
}
_LONGEST_VALUE = 60
# Fields that appear elsewhere in the line, or that are only useful to programs
_HIDDEN = {
    *("timestamp", "time", "level", "log_level", "message", "service", "type", "_aws"),
    *(
        "location",
        "logger",
        "xray_trace_id",
        "function_request_id",
        "requestId",
        "message_id",
        "version_id",
        "event_name",
    ),
    *("cold_start", "function_name", "function_memory_size", "function_arn"),
    *("exception", "exception_name", "stack_trace", "stackTrace", "errorType", "errorMessage"),
}
_KEYS = ("object_key", "key")
_ID = "correlation_id"
_PARTS_OF_ID = {"image_id", "sequencer", "notice_id"}


def line(record: Record, width: int = 0, today: datetime | None = None, colour: str = "cyan") -> Text:
    """Return a record as text.

    Args:
        record: the record.
        width: the width of the column with function names. 0 leaves the column out.
        today: the current day (UTC). The text of a record of another day has a date.
        colour: the colour of the function's name.
    """
    moment = record.time.astimezone(UTC)
    date = "" if moment.date() == (today or datetime.now(UTC)).date() else f"{moment:%m-%d} "
    text = Text(f"{date}{moment:%H:%M:%S}.{moment.microsecond // 1000:03d} ", style="dim", end="")
    style = LEVEL_STYLES.get(record.level, "")
    body = Text()
    body.append(f"{printable(record.level):<7} ", style=style)
    if width:
        body.append(f"{printable(record.function):<{width}} ", style=colour)
    first, *rest = _lines(_message(record)) or [""]
    body.append(first, style=style or "bold")
    _append_fields(body, record)
    for extra in [*rest, *_traceback(record.fields)]:
        body.append(f"\n    {extra}")
    return Text.assemble(text, body)


def _message(record: Record) -> str:
    """Return the message. For a failed invocation or an uncaught exception, return a description of the failure."""
    if record.report and record.failed_report:
        metrics = record.report.get("metrics", {})
        error = f" ({record.report['errorType']})" if record.report.get("errorType") else ""
        status, duration_ms = record.report.get("status"), metrics.get("durationMs", 0)
        return f"the invocation ended with status {status}{error} after {duration_ms:,.0f} ms"
    if _is_metrics(record):
        return "metrics"
    error = ": ".join(str(record.fields[name]) for name in ("errorType", "errorMessage") if record.fields.get(name))
    return " ".join(filter(None, [record.message, error])) or str(record.fields.get("type", ""))


def _is_metrics(record: Record) -> bool:
    return "_aws" in record.fields and not record.message


def _shown_fields(record: Record) -> dict[str, Any]:
    """Return the fields to show. Those of Lambda's platform lines and of metrics are flattened."""
    if record.failed_report:
        return {}
    if _is_metrics(record):
        return {
            name: value[0] if isinstance(value, list) and len(value) == 1 else value
            for name, value in record.fields.items()
        }
    inner = record.fields.get("record")
    if str(record.fields.get("type", "")).startswith("platform.") and isinstance(inner, dict):
        metrics = inner.get("metrics")
        return {name: value for name, value in inner.items() if name != "metrics"} | (
            metrics if isinstance(metrics, dict) else {}
        )
    return record.fields


def _append_fields(body: Text, record: Record) -> None:
    """Append the object's key, the other fields in shortened form, and the complete correlation id."""
    fields = _shown_fields(record)
    for name in _KEYS:
        if name in fields:
            body.append(f"  {printable(str(fields[name]))}", style="green")
    hidden = _HIDDEN | {*_KEYS, _ID} | (_PARTS_OF_ID if _ID in fields else set())
    for name, value in fields.items():
        if name not in hidden and value not in (None, ""):
            body.append(f"  {printable(name)}=", style="dim")
            body.append(_short(value))
    if fields.get(_ID):
        body.append(f"  {printable(str(fields[_ID]))}", style="dim")


def _short(value: Any) -> str:
    """Return a value on one line. Long values are truncated, and strings with spaces are quoted."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = printable(text if len(text) <= _LONGEST_VALUE else text[: _LONGEST_VALUE - 1] + "…")
    return f'"{text}"' if " " in text and isinstance(value, str) else text


def _traceback(fields: dict[str, Any]) -> list[str]:
    """Return the lines of the traceback that Powertools (`exception`) or Lambda (`stackTrace`) logged."""
    if isinstance(exception := fields.get("exception"), str):
        return _lines(exception)
    trace = fields.get("stackTrace")
    return [text for frame in trace for text in _lines(str(frame))] if isinstance(trace, list) else []


def _lines(text: str) -> list[str]:
    """Return the lines of a text with control characters escaped.

    Carriage returns end lines too, because Lambda's plain-text logs use them in tracebacks.
    """
    return [printable(part.replace("\t", "  ")).rstrip() for part in re.split(r"\r\n|\n|\r", text.strip("\r\n"))]
