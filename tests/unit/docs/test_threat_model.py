"""The threat model fits on a screen, and tests that exist hold every control."""

import re

import pytest

from eventloom.clouds import ROOT

PAGE = (ROOT / "docs" / "threat-model.md").read_text()
SCREEN, _, LIST = PAGE.partition("\n## Tests\n")
ROWS = [[cell.strip() for cell in line.strip("|").split("|")] for line in SCREEN.splitlines() if line.startswith("| T")]
TESTS = {
    name: re.findall(r"^  - `([^`]+)`$", names, re.MULTILINE)
    for name, names in re.findall(r"^- \*\*(T\d+)\*\*\n((?:  - .*\n)+)", LIST, re.MULTILINE)
}


def test_the_table_names_who_wants_what_and_what_stops_it() -> None:
    assert len(ROWS) >= 10
    assert [row[0] for row in ROWS] == [f"T{number}" for number in range(1, len(ROWS) + 1)]
    for row in ROWS:
        assert len(row) == 4
        assert all(row), row


def test_every_threat_has_tests() -> None:
    assert [*TESTS] == [row[0] for row in ROWS]
    assert all(TESTS.values())
    assert len(re.findall("`", LIST)) == 2 * sum(map(len, TESTS.values())), "a line of the list is not read"


def test_everything_but_the_list_of_tests_fits_on_a_screen() -> None:
    lines = SCREEN.splitlines()
    assert len(lines) <= 50
    assert [line for line in lines if len(line) > 120 and not line.startswith("![")] == []


@pytest.mark.parametrize("name", sorted({name for names in TESTS.values() for name in names}))
def test_the_named_test_exists(name: str) -> None:
    path, _, test = name.partition("::")
    text = (ROOT / path).read_text()
    kind = rf'^run "{test}"' if path.endswith(".hcl") else rf"^def {test}\("
    assert re.search(kind if test else r'^def test_|^run "', text, re.MULTILINE), f"{path} has no {test or 'test'}"
