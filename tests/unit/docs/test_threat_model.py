"""Every control of the threat model is held by a test that exists."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in (ROOT / "docs/threat-model.md").read_text().splitlines()
    if line.startswith("|")
][2:]
TESTS = sorted({name for row in ROWS for name in re.findall(r"`([^`]+)`", row[3])})


def test_the_table_says_who_what_which_control_and_which_test() -> None:
    assert len(ROWS) >= 10
    for row in ROWS:
        assert len(row) == 4
        assert all(row), row
        assert re.fullmatch(r"(`[^`]+`(, )?)+", row[3]), row


@pytest.mark.parametrize("name", TESTS)
def test_the_named_test_exists(name: str) -> None:
    path, _, test = name.partition("::")
    text = (ROOT / path).read_text()
    kind = rf'^run "{test}"' if path.endswith(".hcl") else rf"^def {test}\("
    assert re.search(kind if test else r'^def test_|^run "', text, re.MULTILINE), f"{path} has no {test or 'test'}"
