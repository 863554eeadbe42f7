"""Every upload gets a verdict, and no row is lost or invented."""

import csv
import io
import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from converter.conversion import Outcome, convert
from converter.queries import NO_VALUE
from converter.staging import Limits
from shared.deadline import Deadline

from .conftest import Context, rejects_of, rows_of

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CELL = st.text(
    st.one_of(
        st.sampled_from(list('",;\n\r\t\\|0123456789.-:TZ{}[]e ')),
        st.characters(exclude_categories=["Cs"], exclude_characters="\0"),
    ),
    max_size=12,
)
# Unlike the cells of CSV, a JSON text may contain a lone surrogate, as an escape.
TEXT = CELL | st.text(st.sampled_from(["a", "\ud800", "\udc80"]), max_size=3)
VALUE: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=5,
)


def run(name: str, content: bytes, folder: Path) -> Outcome:
    source = folder / "source"
    source.write_bytes(content)
    # A threshold of 1 makes every ambiguous column a text column, so that no value changes.
    outcome = convert(source, name, {}, Limits(memory_limit_mb=128, type_threshold=1.0), Deadline(Context()))
    # The function writes the manifest in the same way.
    json.dumps(outcome.facts, ensure_ascii=False).encode()
    return outcome


@quick
@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1, max_size=8)
    ),
    st.sampled_from(["\n", "\r\n"]),
)
def test_csv_values_survive_the_conversion(rows: list[list[str]], end: str) -> None:
    text = io.StringIO(newline="")
    width = len(rows[0])
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator=end).writerows(
        [[f"column {i}" for i in range(width)], *rows]
    )
    with tempfile.TemporaryDirectory() as folder:
        outcome = run("a.csv", b"\xef\xbb\xbf" + text.getvalue().encode(), Path(folder))
        assert outcome.facts["rejected"] == 0
        if any(cell.strip(" ").upper() not in NO_VALUE for row in rows for cell in row):
            columns = {
                int(column["name"].removeprefix("column_")): column["type"] for column in outcome.facts["columns"]
            }
            rows_read = rows_of(outcome.parquet)
            # In a table of several columns, a row without any value is an empty line.
            rows = [row for row in rows if width == 1 or any(row)]
            assert len(rows_read) == len(rows)
            for row, row_read in zip(rows, rows_read, strict=True):
                for (index, type_), value in zip(columns.items(), row_read, strict=True):
                    if type_ == "VARCHAR":
                        assert value == (row[index] or None)
        else:
            assert outcome.facts["reason"] == "no_rows"


@quick
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1),
    st.sampled_from([repr, "{:.17g}".format, "{:.16e}".format, lambda value: repr(value).replace("e-0", "E-")]),
)
@example([2**-24], lambda value: repr(value).replace("e-0", "E-"))
def test_a_printed_double_is_read_as_a_number(values: list[float], printed: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(
            "a.csv", "\n".join(["value,other", *(f"{printed(value)},x" for value in values)]).encode(), Path(folder)
        )
        assert [row[0] for row in rows_of(outcome.parquet)] == values


@quick
@given(st.lists(st.dictionaries(TEXT, VALUE, max_size=4), max_size=6), st.booleans())
def test_no_row_of_json_is_lost(rows: list[dict[str, Any]], as_lines: bool) -> None:
    text = "\n".join(map(json.dumps, rows)) if as_lines else json.dumps(rows, indent=1)
    with tempfile.TemporaryDirectory() as folder:
        outcome = run("a.jsonl" if as_lines else "a.json", text.encode(), Path(folder))
        rejects = rejects_of(outcome.rejects)
        if outcome.status == "CONVERTED":
            assert len(rows_of(outcome.parquet)) + len(rejects) == len(rows)
        else:
            assert outcome.facts["reason"] in {"no_rows", "no_valid_rows", "few_valid_rows", "empty"}
        assert all(entry["reason"] in {"nul_character", "bad_encoding"} for entry in rejects)


@quick
@given(
    st.sampled_from(["a.csv", "a.json", "a.jsonl", "a.csv.gz", "a.tsv"]),
    st.one_of(
        st.binary(max_size=400),
        st.lists(
            st.sampled_from(
                [
                    b'"',
                    b",",
                    b"\n",
                    b"\r",
                    b"\0",
                    b"\xff",
                    b"\xc3\xa9",
                    b"a",
                    b"1",
                    b"{",
                    b"}",
                    b"[",
                    b"]",
                    b":",
                    b'{"a":1}',
                    b" ",
                ]
            ),
            max_size=80,
        ).map(b"".join),
    ),
)
def test_any_bytes_get_a_verdict(name: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        outcome = run(name, content, Path(folder))
        assert outcome.status in {"CONVERTED", "REJECTED"}
        assert outcome.facts["rejected"] == len(rejects_of(outcome.rejects))
        if outcome.status == "CONVERTED":
            assert outcome.facts["rows"] == len(rows_of(outcome.parquet)) > 0
