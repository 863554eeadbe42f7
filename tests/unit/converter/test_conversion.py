"""Files of every format and encoding become typed rows, named columns and rejected rows."""

import bz2
import datetime as dt
import errno
import functools
import gzip
import json
import lzma
import random
from pathlib import Path
from typing import Any

import pytest

from converter import staging, tables
from converter.rejections import Rejection
from converter.staging import Limits
from converter.text import CHUNK_BYTES, chunks
from shared.deadline import Deadline

from .conftest import Context, Run, rejects_of, rows_of

# The content holds no time, because parallel runs must agree on the names of the tests.
compress = functools.partial(gzip.compress, mtime=0)


def types_of(outcome: Any) -> dict[str, str]:
    return {column["name"]: column["type"] for column in outcome.facts["columns"]}


def test_each_bad_row_of_a_csv_is_rejected_with_its_reason(run: Run) -> None:
    outcome = run(
        "orders.csv",
        "id,name,amount,when,zip\n"
        "1,a,1.5,2026-01-01,01234\n"
        '2,"b\n""c"", d",2,2026-01-02,99999\n'
        "x,d,,2026-01-03,1\n"
        "4,e,5,2026-01-04T08:00:00,2\n"
        "5,f\n"
        "6,g,1,2026-01-05,5,6\n"
        '7,"h,1,2026-01-05,5\n'
        "8,k,NA,2026-01-05,5\n"
        "9,k,NA,2026-01-05,5\n",
    )
    assert outcome.status == "CONVERTED"
    assert types_of(outcome) == {
        "id": "BIGINT",
        "name": "VARCHAR",
        "amount": "DOUBLE",
        "when": "TIMESTAMP",
        "zip": "VARCHAR",
    }
    rows = rows_of(outcome.parquet)
    assert [row[0] for row in rows] == [1, 2, 4, 8, 9]
    assert rows[1][1] == 'b\n"c", d'
    assert rows[2][3] == dt.datetime(2026, 1, 4, 8)
    assert rows[3][2] is None
    assert rows[0][4] == "01234"
    rejects = rejects_of(outcome.rejects)
    assert [(entry["row"], entry["line"], entry["reason"]) for entry in rejects] == [
        (5, 7, "too_few_fields"),
        (6, 8, "too_many_fields"),
        (7, 9, "malformed_quotes"),
        (3, 5, "wrong_type"),
    ]
    assert rejects[2]["raw"] == '7,"h,1,2026-01-05,5\n'
    assert "Column id: 'x' does not fit the type BIGINT." in rejects[3]["reason_text"]
    assert rejects[3]["raw"] == "x,d,,2026-01-03,1\n"
    assert outcome.facts["rows"] == 5
    assert outcome.facts["rejected_by_reason"] == {
        "malformed_quotes": 1,
        "too_few_fields": 1,
        "too_many_fields": 1,
        "wrong_type": 1,
    }


@pytest.mark.parametrize(
    ("name", "content", "encoding"),
    [
        ("a.csv", "id;name\n1;é\n2;ü\n".encode(), "utf-8"),
        ("a.csv", "\ufeffid;name\n1;é\n2;ü\n".encode(), "utf-8"),
        ("a.csv", "id;name\r\n1;é\r\n2;ü\r\n".encode("latin-1"), "cp1252"),
        ("a.csv", "id;name\n1;é\n2;ü\n".encode("utf-16"), "utf-16-le"),
        ("a.csv", "id;name\n1;é\n2;ü\n".encode("utf-16-le"), "utf-16-le"),
        ("a.csv", "id;name\n1;é\n2;ü\n".encode("utf-16-be"), "utf-16-be"),
        ("a.csv", "\ufeffid;name\n1;é\n2;ü\n".encode("utf-32-le"), "utf-32-le"),
        ("a.csv", "id|name\r1|é\r2|ü\r".encode(), "utf-8"),
        ("a.tsv/b.csv", "id,name\n1,é\n2,ü\n".encode(), "utf-8"),
        ("a.tsv.gz", compress("id\tname\n1\té\n2\tü\n".encode()), "utf-8"),
        ("a.csv", compress(b"id,name\n") + compress("1,é\n2,ü".encode()), "utf-8"),
        ("a.json", '[{"id": 1, "name": "é"},\n {"id": 2, "name": "\\u00fc"}]'.encode(), "utf-8"),
        ("a.json", '{"id": 1, "name": "é"}\n{"id": 2, "name": "ü"}\n'.encode(), "utf-8"),
        ("a.json", '{\n "id": 1,\n "name": "é"\n}\n{\n "id": 2, "name": "ü"\n}'.encode("utf-16"), "utf-16-le"),
        ("a.jsonl", '\n{"id": 1, "name": "é"}\r\n\r\n{"id": 2, "name": "ü"}'.encode(), "utf-8"),
        ("A.NDJSON.GZ", compress('{"id": 1, "name": "é"}\n{"id": 2, "name": "ü"}\n'.encode()), "utf-8"),
    ],
)
def test_every_format_and_encoding_is_read(run: Run, name: str, content: bytes, encoding: str) -> None:
    outcome = run(name, content)
    assert rows_of(outcome.parquet) == [(1, "é"), (2, "ü")]
    assert outcome.facts["encoding"] == encoding
    assert outcome.rejects is None


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.csv", b"", "empty"),
        ("a.json", b"\xef\xbb\xbf", "empty"),
        ("a.csv", b"\n\r\n\n", "no_rows"),
        ("a.csv", b"id,name\n", "no_rows"),
        ("a.csv", b"id,name\n,\n,\n", "no_rows"),
        ("a.json", b"[]", "no_rows"),
        ("a.json", b"  \n", "no_rows"),
        ("a.jsonl", b"nope\n[1]\n3", "no_valid_rows"),
        ("a.csv", b"id,name\n1\n2\n", "no_valid_rows"),
        ("a.xlsx", b"id,name\n1,2\n", "unsupported_format"),
        ("a", b"id,name\n1,2\n", "unsupported_format"),
        ("a.csv", b"PK\x03\x04zip", "unsupported_compression"),
        ("a.csv.gz", b"\x28\xb5\x2f\xfdzstd", "unsupported_compression"),
        ("a.csv", bz2.compress(b"id,name\n1,2\n"), "unsupported_compression"),
        ("a.csv", lzma.compress(b"id,name\n1,2\n"), "unsupported_compression"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\0", "not_text"),
        ("a.csv", b"\x7fELF\x02\x01\x01,b\n1,2\n", "not_text"),
        ("a.csv.gz", compress(b"id,name\n1,2\n" * 99)[:-9], "corrupt_gzip"),
        ("a.csv.gz", compress(b"id,name\n1,2\n")[:-8] + b"12345678", "corrupt_gzip"),
        ("a.csv.gz", compress(bytes(50_000_000)), "not_text"),
        ("a.csv.gz", compress(b"a,b\n" + (b"1," + b"2" * 9998 + b"\n") * 2000), "too_large"),
        ("a.jsonl.gz", compress(b" " * 50_000_000), "too_large"),
        ("a.json", b'[{"a": 1}, {"a": 2', "malformed_json"),
        ("a.json", b'[{"a": 1}, {"a": 2}] x', "malformed_json"),
        ("a.json", b'[{"a": 1},]', "malformed_json"),
        ("a.json", b'{"a": 1} ] {"a": 2}', "malformed_json"),
        ("a.json", b'[{"a": NaN}]', "no_rows"),
        ("a.csv", b"id,name\nNULL,NA\n-,\\N\n", "no_rows"),
        ("a.json", b"[" * 100_000, "malformed_json"),
        ("a.json", b'{"a":' * 100_000, "malformed_json"),
        ("a.json", b'[{"a": "' + b"x" * 5_000_000, "value_too_long"),
        ("a.json", b'[{"a": "' + b"x" * 500_000, "malformed_json"),
        ("a.json", json.dumps({"records": [{"a": 1, "b": "x" * 50}] * 60_000}).encode(), "value_too_long"),
        (
            "a.json",
            json.dumps({"records": [{"a": 1, "b": "x" * 50}] * 60_000}).replace(" 1, ", " 1; ", 1).encode(),
            "malformed_json",
        ),
        (
            "a.csv",
            b",".join(b"c%d" % i for i in range(10_000)) + b"\n" + b",".join([b"1"] * 10_000),
            "too_many_columns",
        ),
        ("a.jsonl", "\n".join(json.dumps({f"k{i}": i}) for i in range(1001)).encode(), "too_many_columns"),
    ],
)
def test_a_file_without_a_table_is_rejected_with_its_reason(run: Run, name: str, content: bytes, reason: str) -> None:
    outcome = run(name, content, max_bytes=16 << 20)
    assert (outcome.status, outcome.facts["reason"]) == ("REJECTED", reason)
    assert outcome.facts["reason_text"].endswith((".", ")"))
    assert outcome.facts["rows"] == 0
    assert outcome.parquet is None
    assert bool(outcome.rejects) == (reason == "no_valid_rows")


@pytest.mark.parametrize(
    "word",
    [
        "می\u200cکنم",
        "👨\u200d👩\u200d👧",
        "pro\u00adduct",
        "\u200eשם",
        "a\u2028b",
        "\ufffd",
        "\ue000",
        "a\u00a0b",
        '"a\n\tb"',
    ],
)
def test_words_of_any_script_are_read_as_a_header(run: Run, word: str) -> None:
    outcome = run("a.csv", f"{word},n\n{word},1\n")
    assert (outcome.status, outcome.facts["header"]) == ("CONVERTED", True)


def test_a_file_that_takes_too_long_is_rejected(run: Run) -> None:
    assert run("a.csv", "a,b\n" + "1,2\n" * 5000, milliseconds=0).facts["reason"] == "too_slow"


class ShortTime(Deadline):
    """Time that is up after some questions."""

    def __init__(self, questions: int) -> None:
        super().__init__(Context())
        self.questions = questions

    def remaining_s(self) -> float:
        self.questions -= 1
        return float(max(0, self.questions))


def test_gzip_members_without_content_are_read_within_the_time(tmp_path: Path) -> None:
    path = tmp_path / "source"
    path.write_bytes(compress(b"a,b\n") + compress(b"") * 50_000 + compress(b"1,2\n"))
    assert list(chunks(path, 99, Deadline(Context()))) == [b"a,b\n1,2\n"]
    with pytest.raises(Rejection, match="too_slow"):
        list(chunks(path, 99, ShortTime(10)))


@pytest.mark.parametrize("size", [CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES])
def test_gzip_gives_back_what_was_compressed(tmp_path: Path, size: int) -> None:
    path = tmp_path / "source"
    for content in (bytes(size), random.Random(size).randbytes(size)):
        path.write_bytes(compress(content) + compress(b"end") + bytes(99))
        assert b"".join(chunks(path, 1 << 30, Deadline(Context()))) == content + b"end"


def test_the_deadline_stops_the_database(tmp_path: Path) -> None:
    (tmp_path / "source").write_text("a,b\n" + "1,2\n" * 300_000)
    staged = staging.empty_stage(tmp_path / "source", "a.csv")
    staging.stage(tmp_path / "source", "a.csv", staged, Limits(), Deadline(Context()))
    with pytest.raises(Rejection, match="too_slow"):
        tables.write(staged, {}, Limits(), Deadline(Context(0)))


def test_a_full_disk_rejects_the_file_and_a_broken_disk_raises(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    failure = errno.ENOSPC

    def fails(*_: Any) -> None:
        raise OSError(failure, "as the disk says")

    monkeypatch.setattr(staging, "_write", fails)
    assert run("a.csv", "a,b\n1,2\n").facts["reason"] == "out_of_disk"
    failure = errno.EIO
    with pytest.raises(OSError, match="as the disk says"):
        run("a.csv", "a,b\n1,2\n")


def test_nested_json_stays_json_and_columns_come_as_they_appear(run: Run) -> None:
    rows = [
        {"id": 1, "tags": ["a", "b"], "x": {"y": 1.10, "z": None}},
        {"id": 2, "new": True, "tags": []},
        {"big": 12345678901234567890, "id": 3},
    ]
    outcome = run("a.json", json.dumps(rows))
    assert types_of(outcome) == {"id": "BIGINT", "tags": "VARCHAR", "x": "VARCHAR", "new": "BOOLEAN", "big": "VARCHAR"}
    assert rows_of(outcome.parquet) == [
        (1, '["a","b"]', '{"y":1.1,"z":null}', None, None),
        (2, "[]", None, True, None),
        (3, None, None, None, "12345678901234567890"),
    ]


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
        # Digits, E, digits: a code, unless a sign or a point makes it an exponent
        (["10001", "10002", "1E5", "10004", "10005"], "VARCHAR"),
        (["47583311587E59", "12E12", "587e3"], "VARCHAR"),
        (["1e-05", "1.0E10", "1e+16"], "DOUBLE"),
        # Versions: not as many decimals in each, and one ends in 0
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


def test_a_csv_may_have_no_header(run: Run) -> None:
    outcome = run("a.csv", "1,a\n2,b\n")
    assert outcome.facts["header"] is False
    assert rows_of(outcome.parquet) == [(1, "a"), (2, "b")]


def test_the_same_content_becomes_the_same_bytes(run: Run) -> None:
    content = (
        "id,name,day\n"
        + "".join(f"{i},name {i % 77},2026-11-{i % 28 + 1:02}\n" for i in range(20_000))
        + "x,y\n1,2,3,4\n"
    )
    outcomes = [run("a.csv", content) for _ in range(2)]
    first, second = (
        ((o.parquet and o.parquet.read_bytes()), (o.rejects and o.rejects.read_bytes()), o.facts) for o in outcomes
    )
    assert first == second


def test_lines_before_the_table_are_set_aside(run: Run) -> None:
    outcome = run("a.csv", "Sales;Rome\n\n# by x\nday;kind;sum\n01/02/2026;x;5\n02/02/2026;y;7\n")
    assert [column["source"] for column in outcome.facts["columns"]] == ["day", "kind", "sum"]
    assert rows_of(outcome.parquet) == [("01/02/2026", "x", 5), ("02/02/2026", "y", 7)]
    rejects = [(entry["row"], entry["line"], entry["reason"], entry["raw"]) for entry in rejects_of(outcome.rejects)]
    assert rejects == [(0, 1, "before_header", "Sales;Rome\n"), (0, 3, "before_header", "# by x\n")]
    outcome = run("a.csv", "\n  \nsep=;\nid;price\n1;1,5\n2\n")
    assert rows_of(outcome.parquet) == [(1, "1,5")]
    assert [(entry["row"], entry["line"]) for entry in rejects_of(outcome.rejects)] == [(2, 6)]


def test_a_file_with_more_bad_rows_than_valid_ones_is_rejected(run: Run) -> None:
    outcome = run("a.csv", "id,name\n1,a\n2\n3,c\n4\n")
    assert (outcome.status, outcome.facts["rows"], outcome.facts["rejected"]) == ("CONVERTED", 2, 2)
    outcome = run("a.csv", "id,name\n1,a\n2\n3,c\n4\n5\n")
    assert (outcome.facts["reason"], outcome.facts["rows"]) == ("few_valid_rows", 0)
    assert outcome.facts["reason_text"].endswith("2 of 5 rows were left.")
    assert len(rejects_of(outcome.rejects)) == 3


def test_fields_between_spaces_may_be_quoted_and_keep_their_text_in_rejects(run: Run) -> None:
    outcome = run("a.txt", ' n   x  name\n 1   2.5  "a  b"\n' + "12  22.5  c\n" * 20 + "13  3\n")
    assert outcome.facts["delimiter"] == " "
    assert rows_of(outcome.parquet) == [(1, 2.5, "a  b"), *[(12, 22.5, "c")] * 20]
    assert [entry["raw"] for entry in rejects_of(outcome.rejects)] == ["13  3\n"]


@pytest.mark.parametrize("quote", ["", '"'])
def test_quotes_around_each_value_of_a_column_say_that_it_is_text(run: Run, quote: str) -> None:
    values = "".join(f"{i},{quote}{i}{quote}\n" for i in range(1, 17)) + f"17,{quote}C{quote}\n"
    assert types_of(run("a.csv", f"id,boat\n{values}"))["boat"] == ("VARCHAR" if quote else "BIGINT")
