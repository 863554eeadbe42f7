"""A value is read as it was written, or its row is set aside. No value changes to fit a type."""

import math
from typing import Any

import pytest

from converter.conversion import Outcome

from .conftest import Run, rejects_of, rows_of


def types_of(outcome: Outcome) -> dict[str, str]:
    return {column["name"]: column["type"] for column in outcome.facts["columns"]}


def column(values: list[Any]) -> str:
    """Return a file of numbered rows with one column of the values."""
    return "id,value\n" + "".join(f"{number},{value}\n" for number, value in enumerate(values, 1))


def test_strings_of_json_stay_texts(run: Run) -> None:
    outcome = run(
        "a.json",
        '[{"id": "10", "version": "1.10", "code": "1E5", "is": "true", "unit": "NA", "no": "-", "on": "2026-11-30"},'
        ' {"id": "11", "version": "1.9", "code": "12E3", "is": "false", "unit": "7", "no": "-", "on": "2026-12-01"}]',
    )
    assert set(types_of(outcome).values()) == {"VARCHAR", "DATE"}
    assert rows_of(outcome.parquet)[0][:6] == ("10", "1.10", "1E5", "true", "NA", "-")
    assert types_of(outcome)["on"] == "DATE"


@pytest.mark.parametrize(
    ("values", "type_", "expected"),
    [
        (["1e3", "2.5"], "DOUBLE", [1000.0, 2.5]),
        (["1.10", "1.9"], "DOUBLE", [1.1, 1.9]),
        (["true", "false", '"NA"'], "BOOLEAN", [True, False, None]),
        # Words for no value, among numbers
        (["1e3", '"NA"', '"-"', "null"], "DOUBLE", [1000.0, None, None, None]),
        # A string of digits among numbers is a text, and so is the string "true" among booleans.
        (["1", "2", "3", "4", "5", '"6"'], "VARCHAR", ["1", "2", "3", "4", "5", "6"]),
        (["true", "true", "true", "true", '"true"'], "VARCHAR", ["true"] * 5),
        # A rare string that is not a number is a typing error.
        (["1", "2", "3", "4", '"five"'], "BIGINT", [1, 2, 3, 4]),
        (["true", "false", "true", "false", '"yes"'], "BOOLEAN", [True, False, True, False]),
        # The row of the lone surrogate is set aside, and its string no longer counts.
        (["1", "2", "3", '"\\ud800"'], "BIGINT", [1, 2, 3]),
    ],
)
def test_kinds_of_json_decide_the_type(run: Run, values: list[str], type_: str, expected: list[Any]) -> None:
    outcome = run("a.jsonl", "".join(f'{{"value": {value}}}\n' for value in values))
    assert types_of(outcome) == {"value": type_}
    assert [row[0] for row in rows_of(outcome.parquet)] == expected
    assert outcome.facts["rows"] + outcome.facts["rejected"] == len(values)


def test_nan_and_infinity_of_json_are_read_as_those_of_csv(run: Run) -> None:
    rows = '{"a": 1.5}', '{"a": NaN}', '{"a": -Infinity}', '{"a": 2, "b": {"x": NaN}}', '{"a": 3, "b": [Infinity]}'
    for outcome in run("a.json", f"[{','.join(rows)}]"), run("a.jsonl", "\n".join(rows)):
        assert types_of(outcome) == {"a": "DOUBLE", "b": "VARCHAR"}
        assert rows_of(outcome.parquet) == [(1.5, None), (None, None), (-math.inf, None), (2.0, '{"x":null}')]
        assert outcome.facts["rejected_by_reason"] == {"malformed_json": 1}


def test_a_column_that_has_only_words_for_no_value_is_left_out_with_a_warning(run: Run) -> None:
    first = run("a.csv", "id,deleted\n1,NULL\n2,NULL\n")
    assert types_of(first) == {"id": "BIGINT"}
    assert first.facts["empty_columns"] == ["deleted"]
    assert first.facts["warnings"] == [
        "The column deleted is left out, because it has only words for no value: 'NULL'."
    ]
    second = run("a.csv", "id,deleted\n3,2026-11-23\n4,NULL\n", first.types)
    assert types_of(second) == {"id": "BIGINT", "deleted": "DATE"}
    assert rows_of(second.parquet)[1] == (4, None)


@pytest.mark.parametrize(
    "values",
    [
        ["10.5"] * 2500 + ["11.0.1"] * 600,
        [*range(80), *["X"] * 10],
        [*range(30), "41a", "57b"],
        [*range(30), "(41)", "(577)"],
        ["7.25"] * 30 + ['"1,100.00"', '"12,110.00"'],
        ["2026-11-30"] * 30 + ["30.11.2026", "01.12.2026"],
        # No value occurs twice, but these are too many for typing errors.
        [*range(1000), *("abcdefghijk"[i % 11] + "lmnopqrstuv"[i // 11] for i in range(101))],
    ],
    ids=["versions", "codes", "letters", "brackets", "thousands", "dates", "words"],
)
def test_values_that_recur_or_share_a_form_are_not_typing_errors(run: Run, values: list[Any]) -> None:
    outcome = run("a.csv", column(values))
    assert types_of(outcome) == {"id": "BIGINT", "value": "VARCHAR"}
    assert [row[1] for row in rows_of(outcome.parquet)] == [str(value).strip('"') for value in values]


@pytest.mark.parametrize("errors", [["12O"], ["oops", "soon"], ["1,5".replace(",", "-"), "x"]])
def test_typing_errors_are_set_aside(run: Run, errors: list[str]) -> None:
    outcome = run("a.csv", column([*range(39), *errors]))
    assert types_of(outcome) == {"id": "BIGINT", "value": "BIGINT"}
    assert [entry["raw"].split(",")[1].strip() for entry in rejects_of(outcome.rejects)] == errors


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("DOUBLE", "1E5"),
        ("DOUBLE", "007"),
        ("DOUBLE", "+49170"),
        ("DOUBLE", "9007199254740993"),
        ("DOUBLE", "0.12345678901234567891"),
        ("BIGINT", "1.0"),
        ("TIMESTAMP", "2026-11-30T07:35:04.123456789Z"),
        ("DATE", "10000-01-01"),
    ],
)
def test_a_value_that_would_change_does_not_fit_an_agreed_type(run: Run, type_: str, value: str) -> None:
    good = {"DOUBLE": "0.5", "BIGINT": "5", "TIMESTAMP": "2026-11-30T07:35:04Z", "DATE": "2026-11-30"}[type_]
    outcome = run("a.csv", column([good, good, value]), {"value": type_})
    assert outcome.facts["rows"] == 2
    assert [entry["reason"] for entry in rejects_of(outcome.rejects)] == ["wrong_type"]


def test_an_agreed_type_is_kept_for_strings_of_json(run: Run) -> None:
    outcome = run("a.jsonl", '{"a": "10", "b": 1e3}\n{"a": "NA", "b": 2}\n', {"a": "BIGINT", "b": "DOUBLE"})
    assert rows_of(outcome.parquet) == [(10, 1000.0), (None, 2.0)]


@pytest.mark.parametrize("known", [{}, {"value": "TIMESTAMP"}])
def test_times_with_and_without_a_zone_are_not_mixed_in_silence(run: Run, known: dict[str, str]) -> None:
    outcome = run("a.csv", column(["2026-01-03 10:00:00", "2026-01-03 11:00:00+09:00"]), known)
    assert types_of(outcome)["value"] == (known or {"value": "VARCHAR"})["value"]
    assert ["time zone" in warning for warning in outcome.facts["warnings"]] == [True]
