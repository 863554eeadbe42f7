"""Log lines are parsed into records, and records are shown to people."""

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from rich.console import Console

from eventloom.monitoring.log_lines import line
from eventloom.monitoring.log_records import Record, parse, records

MOMENT = datetime(2026, 5, 1, 12, 30, 0, 123_000, tzinfo=UTC)
STAMP = int(MOMENT.timestamp() * 1000)
POWERTOOLS = {
    "level": "INFO",
    "location": "_attempt:117",
    "message": "done",
    "timestamp": "2026-05-01 12:30:00,123+0000",
    "service": "thumbnailer",
    "correlation_id": "c438-0018",
    "image_id": "c438",
    "sequencer": "0018",
    "object_key": "2026/my cat.jpg",
    "result": "REJECTED",
    "reason": "corrupt",
    "duration_ms": 71,
    "xray_trace_id": "1-6b",
}
REPORT = {"requestId": "r", "metrics": {"durationMs": 3000.4, "billedDurationMs": 3001}, "status": "success"}


def record(message: str | dict[str, Any], function: str = "hello") -> Record:
    text = message if isinstance(message, str) else json.dumps(message)
    (line,) = records(function, [{"message": text + "\n", "timestamp": STAMP}])
    return line


def shown(message: str | dict[str, Any], width: int = 0, **options: Any) -> str:
    """Return the text that a console shows of a line."""
    console = Console(file=io.StringIO(), **options)
    console.print(line(record(message), width, today=MOMENT), soft_wrap=True)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    return text.removesuffix("\n")


def test_a_line_has_time_level_message_key_and_the_other_fields() -> None:
    assert (
        shown(POWERTOOLS)
        == "12:30:00.123 INFO    done  2026/my cat.jpg  result=REJECTED  reason=corrupt  duration_ms=71  c438-0018"
    )


def test_lines_of_several_functions_name_the_function() -> None:
    assert shown({"level": "INFO", "message": "done"}, width=7) == "12:30:00.123 INFO    hello   done"


def test_a_line_of_another_day_has_its_date() -> None:
    text = line(record("hello"), today=datetime(2026, 5, 2, tzinfo=UTC)).plain
    assert text.startswith("05-01 12:30:00.123 ")


def test_long_values_are_cut_and_texts_with_spaces_are_quoted() -> None:
    text = shown({"message": "m", "details": "two words", "list": [1] * 100, "nothing": None})
    assert 'details="two words"' in text
    assert len(text) < 130
    assert text.endswith("…")
    assert "nothing" not in text


def test_levels_have_colours_on_a_terminal_only() -> None:
    error = {"level": "ERROR", "message": "broken"}
    assert "\x1b[1;31m" in shown(error, force_terminal=True, color_system="standard")
    assert "\x1b" not in shown(error)


def test_a_traceback_is_printed_line_by_line() -> None:
    trace = 'Traceback (most recent call last):\n  File "a.py", line 1, in f\n    1/0\nZeroDivisionError: x'
    text = shown({"level": "ERROR", "message": "failed", "exception_name": "ZeroDivisionError", "exception": trace})
    assert text.splitlines() == ["12:30:00.123 ERROR   failed", *(f"    {part}" for part in trace.split("\n"))]


def test_an_uncaught_exception_has_its_type_message_and_traceback() -> None:
    fields = {
        "level": "ERROR",
        "errorType": "KeyError",
        "errorMessage": "'Records'",
        "stackTrace": ["  File x\n    y\n"],
    }
    assert shown(fields).splitlines() == ["12:30:00.123 ERROR   KeyError: 'Records'", "      File x", "        y"]


def test_a_traceback_in_plain_text_is_separated_by_carriage_returns() -> None:
    text = shown("[ERROR] KeyError: 'a'\rTraceback (most recent call last):\r\xa0 File x")
    assert text.splitlines()[:2] == [
        "12:30:00.123 ERROR   [ERROR] KeyError: 'a'",
        "    Traceback (most recent call last):",
    ]


@pytest.mark.parametrize("where", ["message", "object_key", "reason", "correlation_id", "level", "\x1b[2J"])
def test_no_field_can_control_the_terminal(where: str) -> None:
    text = shown(POWERTOOLS | {where: "a\x1b]0;owned\x07\x9b2J\u202e"}, force_terminal=True, color_system=None)
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(text)
    assert r"\x1b]0;owned" in text.lower()


def test_markup_in_a_message_is_text() -> None:
    assert "[bold]x[/bold] [/]" in shown({"message": "[bold]x[/bold] [/]"})


@pytest.mark.parametrize(
    "detail",
    [
        {"type": "platform.start", "record": {"requestId": "r"}},
        {"type": "platform.report", "record": REPORT},
        {"_aws": {"Timestamp": STAMP, "CloudWatchMetrics": []}, "ImagesReady": [1.0]},
        {"level": "INFO", "logger": "botocore.credentials", "message": "Found credentials in environment variables."},
        "START RequestId: 8f Version: 1",
        "END RequestId: 8f",
        "REPORT RequestId: 8f\tDuration: 3.00 ms",
        "INIT_START Runtime Version: python:3.13",
    ],
)
def test_lines_of_lambda_metrics_and_libraries_are_details(detail: str | dict[str, Any]) -> None:
    assert record(detail).is_detail
    assert shown(detail).startswith("12:30:00.123 ")


@pytest.mark.parametrize(
    "important",
    [
        POWERTOOLS,
        {"level": "WARNING", "logger": "botocore.retries", "message": "throttled"},
        {"type": "platform.report", "record": REPORT | {"status": "timeout"}},
        "REPORT RequestId: 8f\tDuration: 3000.00 ms\tStatus: timeout",
        "2026-05-01T12:30:03Z 8f Task timed out after 3.00 seconds",
        "STARTED well",
        "plain text",
        {"message": "START here", "level": "INFO"},
    ],
)
def test_other_lines_are_shown_also_without_all(important: str | dict[str, Any]) -> None:
    assert not record(important).is_detail


def test_a_timeout_is_an_error_with_a_sentence() -> None:
    timeout = {"type": "platform.report", "record": REPORT | {"status": "timeout"}}
    assert shown(timeout) == "12:30:00.123 ERROR   the invocation ended with status timeout after 3,000 ms"
    crash = {"type": "platform.report", "record": REPORT | {"status": "error", "errorType": "Runtime.OutOfMemory"}}
    assert "status error (Runtime.OutOfMemory)" in shown(crash)


def test_details_show_what_is_in_them() -> None:
    assert shown({"type": "platform.report", "record": REPORT}).endswith(
        "platform.report  status=success  durationMs=3000.4  billedDurationMs=3001"
    )
    assert shown({"_aws": {"x": 1}, "ImagesReady": [1.0]}).endswith("metrics  ImagesReady=1.0")


@pytest.mark.parametrize("message", ["hello", "5", "[1]", '{"cut', '"text"'])
def test_a_line_that_is_not_a_json_object_is_a_message(message: str) -> None:
    assert parse(message + "\n") == {"message": message}


def test_a_message_that_is_an_object_is_printed_as_json() -> None:
    assert shown({"level": "INFO", "message": {"a": 1}}).endswith('INFO    {"a": 1}')


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("2026-05-01 12:29:59,500+0000", "12:29:59.500"),
        ("2026-05-01 14:29:59,500+0200", "12:29:59.500"),
        ("2026-05-01T12:29:59.500Z", "12:29:59.500"),
        ("2026-05-01T12:29:59Z", "12:30:00.123"),
        ("2031-01-01T00:00:00.000Z", "12:30:00.123"),
        ("2026-05-01T12:00:00.000Z", "12:30:00.123"),
        ("2026-99-01T12:00:00.000Z", "12:30:00.123"),
        ("yesterday", "12:30:00.123"),
    ],
    ids=[
        "Powertools",
        "another offset",
        "Lambda",
        "whole seconds",
        "future",
        "longer ago than a function runs",
        "no date",
        "no time",
    ],
)
def test_the_time_is_the_lines_own_if_that_can_be_true(text: str, written: str) -> None:
    line = record({"timestamp": text, "message": "m"})
    assert line.time.isoformat(timespec="milliseconds")[11:23] == written


def test_a_line_without_a_time_takes_that_of_the_line_before_it_with_the_same_stamp() -> None:
    lines = [{"timestamp": "2026-05-01T12:29:59.500Z", "message": "a"}, {"message": "b"}]
    events = [{"message": json.dumps(fields), "timestamp": STAMP, "logStreamName": "s"} for fields in lines]
    later = {"message": "c", "timestamp": STAMP + 1, "logStreamName": "s"}
    other = {"message": "d", "timestamp": STAMP, "logStreamName": "another"}
    times = [line.time.isoformat(timespec="milliseconds")[11:23] for line in records("hello", [*events, other, later])]
    assert times == ["12:29:59.500", "12:29:59.500", "12:30:00.123", "12:30:00.124"]
