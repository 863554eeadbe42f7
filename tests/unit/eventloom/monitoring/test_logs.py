"""Logs are read completely while events keep arriving, including late events."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import pytest
from click.testing import CliRunner

from eventloom import cli
from eventloom.monitoring.log_records import Record
from eventloom.monitoring.logs import Reader, follow_rounds, print_record

START_MS = 1_800_000_000_000


class LogGroups:
    """Log groups of CloudWatch.

    Each read of a group adds its next arrivals: (second at which it was written, message).
    """

    def __init__(self, **arrivals: list[list[tuple[float, str]]]) -> None:
        self._arrivals = arrivals
        self._events: dict[str, list[dict[str, Any]]] = {name: [] for name in arrivals}

    def get_paginator(self, _: str) -> "LogGroups":
        return self

    def paginate(self, logGroupName: str, startTime: int) -> Iterator[dict[str, Any]]:
        events = self._events[logGroupName]
        for second, message in self._arrivals[logGroupName].pop(0):
            event = {"eventId": str(len(events)), "timestamp": START_MS + int(1000 * second), "message": message + "\n"}
            events.append(event)
        yield {"events": [event for event in events if event["timestamp"] >= startTime]}


@pytest.mark.parametrize(
    "arrivals",
    [
        pytest.param([[(0, "a"), (1, "b")], [(2, "c")], []], id="in order"),
        pytest.param([[(0, "a"), (2, "c")], [(1.5, "late")], [(3, "d")]], id="from another execution environment"),
        pytest.param([[(0, "a")], [(0, "in the same millisecond")], []], id="same time"),
        pytest.param([[], [(0, "a")], [(100, "b")], [(99, "late")], [(200, "c")]], id="after a pause"),
    ],
)
def test_follow_yields_every_line_once(arrivals: list[list[tuple[float, str]]]) -> None:
    expected, waits = [message for arrived in arrivals for _, message in arrived], []
    reader = Reader(LogGroups(hello=list(arrivals)), {"hello": "hello"}, START_MS)
    rounds = list(islice(follow_rounds(reader, waits.append), len(arrivals)))
    assert [record.message for records in rounds for record in records] == expected
    assert waits == [1.0] * (len(arrivals) - 1)


def test_lines_of_several_functions_are_merged_by_time() -> None:
    groups = LogGroups(a=[[(0, "first"), (2, "third")]], b=[[(1, "second")]])
    records = Reader(groups, {"function_a": "a", "function_b": "b"}, START_MS).read()
    assert [(record.function, record.message) for record in records] == [
        ("function_a", "first"),
        ("function_b", "second"),
        ("function_a", "third"),
    ]


def test_following_many_functions_stays_below_the_requests_that_cloudwatch_allows() -> None:
    waits: list[float] = []
    names = [f"f{number}" for number in range(20)]
    reader = Reader(LogGroups(**{name: [[], []] for name in names}), {name: name for name in names}, START_MS)
    list(islice(follow_rounds(reader, waits.append), 2))
    assert len(names) / waits[0] <= 5


def test_json_has_the_fields_of_the_line_and_nothing_that_controls_a_terminal(
    capsys: pytest.CaptureFixture[str],
) -> None:
    fields = {"message": "a\x1b[2J\x9b2J\ud800 로켓", "level": "INFO"}
    print_record(Record("hello", datetime(2026, 5, 1, 12, 30, tzinfo=UTC), fields), 0, as_json=True)
    assert capsys.readouterr().out == (
        '{"time": "2026-05-01T12:30:00.000+00:00", "message": "a\\u001b[2J\\u009b2J\\ud800 로켓", "level": "INFO", '
        '"function": "hello"}\n'
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--minutes", "0"], "--minutes"),
        (["a", "b"], "unexpected extra argument"),
        (["--minutes", "x"], "not a valid integer"),
    ],
)
def test_wrong_usage_exits_with_2(arguments: list[str], words: str) -> None:
    result = CliRunner().invoke(cli.main, ["logs", *arguments])
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
