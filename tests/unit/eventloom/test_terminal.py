"""What the tools say where."""

import io

import pytest
from rich.console import Console

from eventloom import terminal as console


def test_facts_go_to_a_file_though_the_bar_is_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """As in `make audit ARGS=--json > drift.jsonl`, typed in a terminal."""
    terminal = io.StringIO()
    monkeypatch.setattr(console, "stderr", Console(file=terminal, force_terminal=True))
    with console.progress("comparing", None, "differences") as done:
        done(1)
        console.tell({"drift": "missing_item"}, True, "")
    assert capsys.readouterr().out == '{"drift": "missing_item"}\n'
    assert "comparing" in terminal.getvalue()
    assert "missing_item" not in terminal.getvalue()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("2026/a b+ü 사진 [x].jpg", "2026/a b+ü 사진 [x].jpg"),
        ("a\x1b]0;owned\x07\x1b[2J", r"a\x1b]0;owned\x07\x1b[2J"),
        ("a.jpg\r\nno drift", r"a.jpg\r\nno drift"),
        ("\x9b2J\u202egpj", r"\x9b2J\u202egpj"),
    ],
    ids=["a name", "escape sequences", "another line", "other controls"],
)
def test_a_name_does_nothing_to_the_terminal(text: str, shown: str) -> None:
    assert console.visible(text) == shown
