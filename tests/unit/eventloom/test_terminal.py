"""Commands print facts on stdout and everything else on stderr."""

import io

import pytest
from rich.console import Console

from eventloom import terminal


def test_facts_go_to_a_file_though_the_bar_is_on_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """This is what `./eventloom audit --json > drift.jsonl` does in a terminal."""
    screen = io.StringIO()
    monkeypatch.setattr(terminal, "stderr", Console(file=screen, force_terminal=True))
    with terminal.progress("comparing", None, "differences") as done:
        done(1)
        terminal.report({"drift": "missing_item"}, True, "")
    assert capsys.readouterr().out == '{"drift": "missing_item"}\n'
    assert "comparing" in screen.getvalue()
    assert "missing_item" not in screen.getvalue()


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
    assert terminal.printable(text) == shown
