"""What the tools say where."""

import io

import pytest
from rich.console import Console

from operations import console


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
