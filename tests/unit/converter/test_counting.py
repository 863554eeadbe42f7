"""Both ways of counting give the same counts, and the converter uses the faster one."""

import itertools
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from converter import counting
from converter.macros import FITS, MACROS
from converter.names import Columns
from converter.staging import Staged

TEXTS = (
    *("", " ", "NULL", "n/a", "-", "true", "FALSE", "0", "7", "-12", "+3", "007", "1.7", "2.10", "1.000010", "1e5"),
    *("1E-7", "1_000", "12345678901234567890", "0.1234567890123456789", "inf", "NaN", "2026-01-02", "2026-1-2"),
    *("2026-01-02T03:04:05", "2026-01-02T03:04:05Z", "2026-01-02 03:04:05+01:00", "9" * 101, "x" * 101, "São", "a"),
)


class Recorder:
    """A fake connection that records the query."""

    query = ""

    def execute(self, query: str) -> Any:
        self.query = query
        return self

    def fetchall(self) -> list[Any]:
        return []

    def fetchone(self) -> Iterator[int]:
        return itertools.repeat(0)


def stage(folder: Path, rows: list[list[str | None]], width: int) -> Staged:
    staged = Staged(folder, "csv", None, rows=len(rows), columns=Columns(width, [""] * width))
    staged.rows_file.write_text(json.dumps([[str(n), None, *row] for n, row in enumerate(rows, 1)]))
    return staged


@pytest.mark.parametrize("seed", range(12))
def test_both_ways_give_the_same_counts(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    width = chance.randrange(1, 9)
    texts = [chance.sample(TEXTS, chance.randrange(1, len(TEXTS))) for _ in range(width)]
    # Rows may be shorter than the table: a file of JSON gets new columns later.
    rows: list[list[str | None]] = [
        [chance.choice(texts[index]) or None for index in range(chance.randrange(width + 1))] for _ in range(60)
    ]
    staged = stage(tmp_path, rows, width)
    indexes = sorted(chance.sample(range(width), chance.randrange(1, width + 1)))
    candidates = {index: chance.sample(list(FITS), chance.randrange(1, len(FITS) + 1)) for index in indexes}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(MACROS)
        for limit in (None, 20):
            by_column = counting.count_in_columns(connection, staged, candidates, limit)
            assert by_column == counting.count_in_rows(connection, staged, candidates, limit)
            assert {index: counts.texts for index, counts in by_column.items()} == {
                index: sum(bool(row[index : index + 1] and row[index]) for row in rows[:limit]) for index in indexes
            }


def query_of(folder: Path, rows: int, width: int, sample: int | None = None) -> str:
    recorder = Recorder()
    staged = Staged(folder, "csv", None, rows=rows, columns=Columns(width, [""] * width))
    candidates = {index: ["BIGINT", "DATE"] for index in range(width)}
    counting.count(recorder, staged, candidates, sample)  # type: ignore[arg-type]
    return recorder.query


@pytest.mark.parametrize(("rows", "sample"), [(1, None), (1_000_000, None), (1_000_000, 2000)])
def test_the_query_of_a_wide_table_does_not_grow_with_the_columns(
    tmp_path: Path, rows: int, sample: int | None
) -> None:
    assert len(query_of(tmp_path, rows, 1000, sample)) - len(query_of(tmp_path, rows, 100, sample)) < 10


@pytest.mark.parametrize(
    ("rows", "width", "sample", "is_by_column"),
    [
        (1_000_000, 11, None, True),
        (1_000_000, 11, 2000, False),
        (1_000, 11, None, False),
        (1_000_000, 100, None, False),
    ],
)
def test_only_narrow_and_long_tables_are_counted_with_a_plan_for_each_column(
    tmp_path: Path, rows: int, width: int, sample: int | None, is_by_column: bool
) -> None:
    assert ("v3" in query_of(tmp_path, rows, width, sample)) == is_by_column
