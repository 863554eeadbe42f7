"""The benchmark of the emulator finds its processes, compares checkouts, and records the table."""

import os
import subprocess
import sys
from pathlib import Path

from scripts.bench import emulator

ROUNDS = [
    dict.fromkeys(emulator.ROWS, 10.0) | {"start_mb": 300.0},
    dict.fromkeys(emulator.ROWS, 20.0) | {"start_mb": 200.0},
]


def test_the_lowest_value_of_each_figure_counts() -> None:
    assert emulator.best(ROUNDS) == ROUNDS[0] | {"start_mb": 200.0}


def test_the_table_has_a_column_for_each_checkout_and_their_ratio() -> None:
    before, now = ROUNDS[1], ROUNDS[0]
    rows = emulator.table({"old": before, "new": now}).splitlines()
    assert rows[0] == "| what | old | new | ratio |"
    assert rows[2] == "| from the start to the first answer, CPU s | 20 | 10 | 0.50 |"
    assert len(rows) == 2 + len(emulator.ROWS)
    assert emulator.table({"new": now}).splitlines()[0] == "| what | new |"


def test_the_table_replaces_what_is_between_the_marks(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{emulator.BEGIN}\nold\n{emulator.END}\nafter\n")
    for text in ("first", "second \\1"):
        emulator.record(text, page)
    assert page.read_text() == f"before\n{emulator.BEGIN}\n\nsecond \\1\n\n{emulator.END}\nafter\n"


def test_the_page_has_the_marks() -> None:
    assert emulator.PAGE.read_text().count(emulator.BEGIN) == emulator.PAGE.read_text().count(emulator.END) == 1


def test_backends_are_counted_and_functions_are_not() -> None:
    names = ("embedded_localstack.moto_server", "a function")
    code = "print(flush=True); input()"
    children = [
        subprocess.Popen([sys.executable, "-c", code, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for name in names
    ]
    try:
        for child in children:
            assert child.stdout
            child.stdout.readline()  # Popen returns before /proc has the command line of the new program
        assert emulator.backends(os.getpid()) == [children[0].pid]
        assert emulator.cpu_s(children[0].pid) >= 0
    finally:
        for child in children:
            child.communicate(b"\n")
