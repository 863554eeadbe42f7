"""How a digest names its day and writes its texts."""

from typing import Any

import pytest

from digest import rendering
from digest.settings import Settings
from digest.summary import Image, Summary, day_of
from shared.settings import SettingsError, load


@pytest.mark.parametrize(
    ("event", "day"),
    [
        ({"time": "2026-11-23T06:00:00Z"}, "2026-11-22"),
        ({"time": "2026-03-01T00:00:00Z"}, "2026-02-28"),
        ({"time": "2026-11-23T01:00:00+02:00"}, "2026-11-21"),
        ({"day": "2026-11-22", "time": "2026-01-01T00:00:00Z"}, "2026-11-22"),
    ],
)
def test_an_event_names_the_day_of_its_digest(event: dict[str, str], day: str) -> None:
    assert day_of(event) == day


@pytest.mark.parametrize("event", [{}, {"day": "yesterday"}, {"day": None}, {"time": "soon"}])
def test_events_without_a_valid_day_are_refused(event: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"day|isoformat"):
        day_of(event)


def test_keys_and_reasons_are_made_harmless() -> None:
    image = Image("<script>alert(1)</script>\r\nBcc: x\u202egpj.exe", "2026-11-22T10:00:00.000Z", "READY", 1500)
    summary = Summary("2026-11-22", {"READY": 1234567, "REJECTED": 1}, 10**13, {"<b>": 1}, [image], {"dlq": 3})
    html = rendering.html(summary)
    assert "<script>" not in html
    assert "<b>" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;??Bcc: x?gpj.exe" in html
    assert "10:00:00 <script>alert(1)</script>??Bcc: x?gpj.exe  1.5 kB" in rendering.text(summary)
    assert (
        rendering.subject(summary, "prod") == "eventloom prod 2026-11-22: 1,234,567 images, 1 rejected, 3 dead letters"
    )


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (10**9, "1.0 GB"), (10**13, "10.0 TB"), (10**17, "100000.0 TB")],
)
def test_sizes_are_written_with_a_unit(count: int, words: str) -> None:
    assert rendering.size(count) == words


@pytest.mark.parametrize("variables", [{"SENDER": "a@example.com"}, {"RECIPIENTS": "a@example.com"}, {"NEWEST": "0"}])
def test_settings_that_would_do_nothing_are_refused(variables: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        load(Settings, {"CATALOG_TABLE": "c", "STATE_TABLE": "s"} | variables)
