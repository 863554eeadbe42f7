"""What `make logs FOLLOW=1` prints while events keep coming, not in the order in which they were written."""

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from eventloom.monitoring import logs

START_MS = 1_800_000_000_000


class Group:
    """A log group; with each look at it, more of `arrivals` is there: (seconds when it was written, message)."""

    def __init__(self, *arrivals: list[tuple[float, str]]) -> None:
        self._arrivals = list(arrivals)
        self._events: list[dict[str, Any]] = []

    def get_paginator(self, _: str) -> "Group":
        return self

    def paginate(self, logGroupName: str, startTime: int) -> Iterator[dict[str, Any]]:
        if not self._arrivals:
            raise KeyboardInterrupt
        for second, message in self._arrivals.pop(0):
            event = {"eventId": str(len(self._events)), "timestamp": START_MS + int(1000 * second), "message": message + "\n"}
            self._events.append(event)
        yield {"events": [event for event in self._events if event["timestamp"] >= startTime]}


@pytest.mark.parametrize(
    "arrivals",
    [
        pytest.param([[(0, "a"), (1, "b")], [(2, "c")], []], id="in-order"),
        pytest.param([[(0, "a"), (2, "c")], [(1.5, "late")], [(3, "d")]], id="of-another-environment"),
        pytest.param([[(0, "a")], [(0, "of the same millisecond")], []], id="same-time"),
        pytest.param([[], [(0, "a")], [(100, "b")], [(99, "late")], [(200, "c")]], id="after-a-pause"),
    ],
)
def test_every_line_is_printed_once(
    arrivals: list[list[tuple[float, str]]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each environment hands its lines in for itself, so that older ones may follow newer ones."""
    group = Group(*arrivals)
    monkeypatch.setattr(logs, "client", lambda _: group)
    monkeypatch.setattr(logs, "environment", lambda _: {})
    monkeypatch.setattr(logs, "deployed_function", lambda *_: {"log_group": "/aws/lambda/hello"})
    monkeypatch.setattr(logs.time, "sleep", lambda _: None)
    monkeypatch.setattr(logs.time, "time", lambda: START_MS / 1000)
    monkeypatch.setattr(sys, "argv", ["logs.py", "hello", "--follow"])
    with pytest.raises(KeyboardInterrupt):
        logs.main()
    printed = [line.split(" ", 1)[1] for line in capsys.readouterr().out.splitlines()]
    assert printed == [message for arrived in arrivals for _, message in arrived]
