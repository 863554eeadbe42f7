"""Each value of random tables in many dialects and encodings is read as written, or its row is set aside.

`make test-faults ONLY=tests/faults/test_written_tables.py` tries thousands of tables.
"""

from pathlib import Path
from random import Random

import pytest

from .written import PROGRAMS, converted, faults, is_same, written


@pytest.mark.parametrize("seed", range(24))
def test_tables_of_other_programs_are_converted_without_loss(tmp_path: Path, seed: int) -> None:
    table = written(Random(seed), list(PROGRAMS)[seed % len(PROGRAMS)])
    assert faults(table, converted(table, tmp_path)) == []


def test_the_check_finds_changed_and_lost_values(tmp_path: Path) -> None:
    table = written(Random(1), "pandas")
    outcome = converted(table, tmp_path)
    table.rows[0][0] = "another name"
    assert any("lost" in fault for fault in faults(table, outcome))
    assert not is_same("1.10", 1.2, "DOUBLE")
    assert not is_same("01", "1", "VARCHAR")
    assert not is_same("x", None, "BIGINT")
