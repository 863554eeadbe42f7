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

from .conftest import Context, Run, rejects_of, rows_of, types_of

# The compressed content has no timestamp, because parallel runs must agree on the names of the tests.
compress = functools.partial(gzip.compress, mtime=0)


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
    """A deadline that expires after a number of checks."""

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
