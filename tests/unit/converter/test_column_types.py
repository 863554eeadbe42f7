"""The types of columns are detected from their values, and no value changes."""

import datetime as dt
from typing import Any

import pytest

from .conftest import Run, rejects_of, rows_of, types_of


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["1", "-2", " 4 ", "", "NULL", "n/a"], "BIGINT"),
        (["1", "2.5", "-.5", "1e+3", "nan"], "DOUBLE"),
        (["true", "FALSE", "-"], "BOOLEAN"),
        (["2026-11-23", "2026-01-01"], "DATE"),
        (["2026-11-23", "2026-11-23T10:00", "2026-11-23 10:00:00.123456", "2026-11-23T10:00:00.1"], "TIMESTAMP"),
        (["2026-11-23 10:00:00.123456Z", "2026-11-23T10:00:00+05:30", "2026-11-23T10:00-0300"], "TIMESTAMP"),
        (["2026-11-23T10:00:00.120000000Z", "2026-11-23T10:00:00.123456000Z"], "TIMESTAMP"),
        (["2026-11-23T10:00:00.123456789Z", "2026-11-23T10:00:00.12Z"], "VARCHAR"),
        (["2026-11-23T10:00:00.1234567", "2026-11-23T10:00:00.1234568"], "VARCHAR"),
        (["2026-11-23T10:00:00", "2026-11-23T10:00:00+05:30", "2026-11-23T10:00:00+05:30"], "VARCHAR"),
        (["2026-11-23", "2026-11-23T10:00:00Z"], "VARCHAR"),
        (["2026-11-23T10:00:00+14:00", "2026-11-23T10:00:00+25:00"], "VARCHAR"),
        (["10000-01-01", "2026-11-23"], "VARCHAR"),
        # Digits, E and digits are a code, unless a sign or a point makes the number an exponent.
        (["10001", "10002", "1E5", "10004", "10005"], "VARCHAR"),
        (["47583311587E59", "12E12", "587e3"], "VARCHAR"),
        (["1e-05", "1.0E10", "1e+16"], "DOUBLE"),
        # Versions have different numbers of decimals, and one ends in 0.
        (["3.9", "3.10", "3.11", "3.1"], "VARCHAR"),
        (["2.9", "2.10", "4"], "VARCHAR"),
        (["22.04", "24.10", "9.1"], "VARCHAR"),
        (["19.90", "5.00", "112.50", "7"], "DOUBLE"),
        (["1.5", "2.25", "3.0", "4"], "DOUBLE"),
        (["0.5", "1.50", "1.5e-10"], "DOUBLE"),
        (["0.0221557227452900", "0.0127968888466790", "-0.0121956940910"], "DOUBLE"),
        (["0.25", "inf", "-Inf", "Infinity"], "DOUBLE"),
        (["1", "2", "3", "Inf"], "DOUBLE"),
        (["1", "2", "3", "4", "x"], "BIGINT"),
        (["1", "2", "3", "x"], "VARCHAR"),
        (["1", "2", "3", "4", "5", "6", "7", "8", "9", "007"], "VARCHAR"),
        (["1", "2", "3", "4", "5", "6", "7", "8", "9", "00"], "VARCHAR"),
        (["1", "2", "3", "4", "5", "6", "7", "8", "10", "-09"], "VARCHAR"),
        (["0", "0.5", "-0"], "DOUBLE"),
        (["9007199254740993", "1.5"], "VARCHAR"),
        (["12345678901234567890", "1"], "VARCHAR"),
        (["10000000000000000000", "1"], "DOUBLE"),
        (["+491701234567", "+15551234567"], "VARCHAR"),
        (["1", "2", "3", "4", "5", "+49"], "VARCHAR"),
        (["1", "2", "3", "4", "+x"], "BIGINT"),
        (["123456789012345678.25", "1"], "VARCHAR"),
        (["0.12345678901234567891", "1.5"], "VARCHAR"),
        (["99999999999999.995"], "VARCHAR"),
        (["0.30000000000000004", "0.10000000000000001", "-1.7976931348623157e308", "123456789012.345"], "DOUBLE"),
        (["123456789012345678", "9223372036854775807"], "BIGINT"),
        (["123456789012345678", "2", "3", "4", "1.5"], "BIGINT"),
        (["123456789012345678", "1.5"], "VARCHAR"),
        (["2026-02-30", "2026-01-01"], "VARCHAR"),
        (["23.11.2026", "24.11.2026"], "VARCHAR"),
        (["1,5", "2,5"], "VARCHAR"),
        (["NA", "none", "x"], "VARCHAR"),
        (["inf", "infinity"], "VARCHAR"),
        (["1_000", "2_000"], "VARCHAR"),
        (["0x1F", "0x20"], "VARCHAR"),
        (["0.5", "1e-400"], "VARCHAR"),
        (["0.5", "1.2345678e-320"], "VARCHAR"),
        (["0.5", "-1.50e-300", "5E-324", "0e-5"], "DOUBLE"),
        (["epoch", "infinity"], "VARCHAR"),
        (["2026-11-23 10:00:00 +0530"], "VARCHAR"),
    ],
)
def test_column_types_are_detected(run: Run, values: list[str], type_: str) -> None:
    outcome = run("a.csv", "value;other\n" + "".join(f"{value};a\n" for value in values))
    assert types_of(outcome)["value"] == type_


@pytest.mark.parametrize("value", ["1.10", "123456789012345678.25", "1e400", "-0.0", "9007199254740993"])
def test_numbers_of_json_keep_their_digits(run: Run, value: str) -> None:
    outcome = run("a.jsonl", f'{{"a": {value}, "in": {{"x": [{value}, "1.0"]}}}}\n{{"a": "text"}}\n')
    assert rows_of(outcome.parquet) == [(value, f'{{"x":[{value},"1.0"]}}'), ("text", None)]


def test_words_for_missing_values_become_null(run: Run) -> None:
    words = ["NULL", "none", "NA", "n/a", "NaN", "-", "\\N", " ", ""]
    outcome = run("a.csv", "value;other\n" + "".join(f"{word};a\n" for word in [*words, "1"]))
    assert rows_of(outcome.parquet) == [(None, "a")] * len(words) + [(1, "a")]
    outcome = run(
        "a.jsonl", '{"text": "", "number": ""}\n{"text": "NULL", "number": "NULL"}\n{"text": "x", "number": 1}\n'
    )
    assert rows_of(outcome.parquet) == [(None, None), ("NULL", None), ("x", 1)]


@pytest.mark.parametrize("zone", ["+05:30", "+0530", "Z", "", "+05", "-00:30"])
def test_times_become_utc(run: Run, zone: str) -> None:
    outcome = run("a.csv", f"time;other\n2026-11-23T10:00:00.123456{zone};a\n2026-11-23T10:00{zone};a\n")
    offset = {"Z": 0, "": 0, "+05": 300, "-00:30": -30}.get(zone, 330)
    expected = dt.datetime(2026, 11, 23, 10, 0, 0, 123456) - dt.timedelta(minutes=offset)
    assert rows_of(outcome.parquet) == [(expected, "a"), (expected.replace(second=0, microsecond=0), "a")]


def test_types_are_detected_over_the_whole_file(run: Run) -> None:
    outcome = run("a.csv", "a,b,c\n" + "1,1,x\n" * 3000 + "1.5,x,x\n" * 3000 + "2.5,y,7\n")
    assert types_of(outcome) == {"a": "DOUBLE", "b": "VARCHAR", "c": "VARCHAR"}
    assert outcome.facts["rows"] == 6001


def test_a_column_may_begin_with_thousands_of_missing_values(run: Run) -> None:
    outcome = run("a.csv", "id,deleted\n" + "1,NULL\n" * 3000 + "2,2026-11-23\n")
    assert types_of(outcome) == {"id": "BIGINT", "deleted": "DATE"}
    assert rows_of(outcome.parquet)[-2:] == [(1, None), (2, dt.date(2026, 11, 23))]


@pytest.mark.parametrize("type_", ["bigint", "string", None])
def test_an_unknown_type_in_an_edited_schema_is_named(run: Run, type_: Any) -> None:
    with pytest.raises(ValueError, match=f"column other the type {type_!r}; make it one of BOOLEAN, BIGINT"):
        run("a.csv", "id,name\n1,a\n", {"other": type_})


def test_the_types_of_the_dataset_take_precedence(run: Run) -> None:
    outcome = run("a.csv", "id,amount,note\n1,2,3\nA2,x,4\n", {"id": "VARCHAR", "amount": "DOUBLE"})
    assert types_of(outcome) == {"id": "VARCHAR", "amount": "DOUBLE", "note": "BIGINT"}
    assert rows_of(outcome.parquet) == [("1", 2.0, 3)]
    assert rejects_of(outcome.rejects)[0]["row"] == 2
    assert run("a.csv", f"id\n{'x' * 200}\n1\n", {"id": "BIGINT"}).facts["rejected_by_reason"] == {"wrong_type": 1}
    assert run("a.csv", "phone\n15551234567\n+491701234567\n007\n", {"phone": "BIGINT"}).facts[
        "rejected_by_reason"
    ] == {"wrong_type": 2}
    assert run("a.csv", "id\nA1\nA2\n", {"id": "BIGINT"}).facts["reason"] == "no_valid_rows"


def test_an_empty_column_of_unknown_type_is_left_out(run: Run) -> None:
    outcome = run("a.csv", "a,b,c\n1,,\n2,,\n", {"c": "DATE"})
    assert types_of(outcome) == {"a": "BIGINT", "c": "DATE"}
    assert outcome.facts["empty_columns"] == ["b"]
    assert rows_of(outcome.parquet) == [(1, None), (2, None)]


@pytest.mark.parametrize("quote", ["", '"'])
def test_quotes_around_each_value_of_a_column_say_that_it_is_text(run: Run, quote: str) -> None:
    values = "".join(f"{i},{quote}{i}{quote}\n" for i in range(1, 17)) + f"17,{quote}C{quote}\n"
    assert types_of(run("a.csv", f"id,boat\n{values}"))["boat"] == ("VARCHAR" if quote else "BIGINT")
