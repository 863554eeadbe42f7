"""A row that is too long, too deeply nested, undecodable or of a wrong type is rejected, and the others are kept."""

import base64
import json
from itertools import batched

import pytest

from converter.encodings import detect
from converter.names import Columns
from converter.rows import json_document
from converter.text import decoded, lines

from .conftest import Run, rejects_of, rows_of


def test_an_unclosed_quote_rejects_only_its_line(run: Run) -> None:
    content = 'id,name\n1,"open\n' + "".join(f"{i},n\n" for i in range(2, 50_000))
    outcome = run("a.csv", content, max_row_length=100_000)
    assert outcome.facts["rows"] == 49_998
    assert [entry["raw"] for entry in rejects_of(outcome.rejects)] == ['1,"open\n']


def test_rows_after_unclosed_quotes_keep_their_order_and_lines(run: Run) -> None:
    content = 'id,name\n1,"open\n2,"open\n3,n\n4,"n\nn"\n5\n6,n\n'
    outcome = run("a.csv", content + "".join(f"{i},n\n" for i in range(7, 100)), max_row_length=200)
    assert [row[0] for row in rows_of(outcome.parquet)] == [3, 4, *range(6, 100)]
    rejects = [(entry["row"], entry["line"], entry["raw"]) for entry in rejects_of(outcome.rejects)]
    assert rejects == [(1, 2, '1,"open\n'), (2, 3, '2,"open\n'), (5, 7, "5\n")]
    outcome = run("a.csv", 'id,name\n1,n\n"a\nb"\n')
    assert [(entry["line"], entry["raw"]) for entry in rejects_of(outcome.rejects)] == [(3, '"a\nb"\n')]


@pytest.mark.parametrize(
    ("name", "content", "length"),
    [
        ("a.csv", "a,b\n1,22\n", 5),
        ("a.csv", 'a,b\n1,"2\n3"\n', 8),
        ("a.jsonl", '{"a":1}\n', 8),
        ("a.json", '[{"a":1}]', 7),
    ],
)
def test_a_row_may_be_as_long_as_the_limit(run: Run, name: str, content: str, length: int) -> None:
    assert run(name, content, max_row_length=length).facts["rows"] == 1
    assert run(name, content, max_row_length=length - 1).facts["rejected_by_reason"] == {"row_too_long": 1}


def test_only_the_row_that_is_too_long_is_rejected(run: Run) -> None:
    outcome = run("a.csv", f"id,name\n1,{'x' * 5_000_000}\n2,b\n", max_row_length=1000)
    assert rows_of(outcome.parquet) == [(2, "b")]
    assert outcome.facts["rejected_by_reason"] == {"row_too_long": 1}
    outcome = run("a.json", json.dumps([{"id": 1, "name": "x" * 5000}, {"id": 2, "name": "b"}]), max_row_length=1000)
    assert rows_of(outcome.parquet) == [(2, "b")]
    # The row exceeds the limit before its end is read, but it is not twice as long.
    outcome = run(
        "a.json", json.dumps([{"id": 1, "name": "x" * 1_200_000}, {"id": 2, "name": "b"}]), max_row_length=700_000
    )
    assert rows_of(outcome.parquet) == [(2, "b")]
    # The row is not empty, although its beginning looks like an empty line.
    outcome = run("a.jsonl", " " * 3_000_000 + '{"id": 1}\n{"id": 2}\n', max_row_length=1000)
    assert rows_of(outcome.parquet) == [(2,)]
    assert outcome.facts["rejected_by_reason"] == {"row_too_long": 1}


def test_only_the_line_of_json_that_is_nested_too_deeply_is_rejected(run: Run) -> None:
    rows = ["[" * 100_000, '{"id": 1, "a": ' + "[" * 3000 + "]" * 3000 + "}", '{"id": ' + "9" * 5000 + "}"]
    outcome = run("a.jsonl", "\n".join([*rows, *['{"id": 2}'] * 3]))
    assert rows_of(outcome.parquet) == [(2,)] * 3
    assert outcome.facts["rejected_by_reason"] == {"malformed_json": 3}


def test_undecodable_rows_and_nul_characters_are_rejected(run: Run) -> None:
    outcome = run("a.csv", b"id,name\n1,a\0b\n2,b\n3,\xff\xc3\xa9\n4,\xc3\xa9\n5,\xc3\xa9\xc3\xa9\n")
    assert rows_of(outcome.parquet) == [(2, "b"), (4, "é"), (5, "éé")]
    first, second = rejects_of(outcome.rejects)
    assert (first["reason"], first["raw"]) == ("nul_character", "1,a\0b\n")
    assert second["reason"] == "bad_encoding"
    assert base64.b64decode(second["raw_base64"]) == b"3,\xff\xc3\xa9\n"
    outcome = run("a.csv", b"id,name\n1,\xc3\xa9\n2,\xc3")
    assert rows_of(outcome.parquet) == [(1, "é")]
    assert base64.b64decode(rejects_of(outcome.rejects)[0]["raw_base64"]) == b"2,\xc3"
    words = "".join(f"{i},Café {i}\n" for i in range(2, 50))
    outcome = run("a.csv", b"id,name\n1,\x81\xe9\n" + words.encode("cp1252"))
    assert rows_of(outcome.parquet) == [(i, f"Café {i}") for i in range(2, 50)]
    assert base64.b64decode(rejects_of(outcome.rejects)[0]["raw_base64"]) == b"1,\x81\xe9\n"
    outcome = run("a.csv", b"\xff\xfe" + "id,name\n1,\ud800é\n2,é\n".encode("utf-16-le", "surrogatepass"))
    assert rows_of(outcome.parquet) == [(2, "é")]
    assert base64.b64decode(rejects_of(outcome.rejects)[0]["raw_base64"]).startswith("1,".encode("utf-16-le"))
    outcome = run(
        "a.jsonl", '{"a": 1}\n{"a": 2, "b": "\\ud800"}\n{"a": 3, "b": "\\u0000"}\n{"a": 4, "b": "\\\\u0000"}\n'
    )
    assert rows_of(outcome.parquet) == [(1, None), (4, "\\u0000")]
    assert outcome.facts["rejected_by_reason"] == {"bad_encoding": 1, "nul_character": 1}


def test_a_json_document_may_be_split_anywhere() -> None:
    text = '[{"a": false, "b": -1.5e+10}, 12345, {"c": "\\ud83d\\ude00\\"", "d": [null, {}]} ]'
    whole = list(json_document(iter([text]), Columns(9), 100))
    assert [row.raw[0] for row in whole] == [
        '{"a": false, "b": -1.5e+10}',
        "12345",
        '{"c": "\\ud83d\\ude00\\"", "d": [null, {}]}',
    ]
    for size in range(1, len(text)):
        assert list(json_document(map("".join, batched(text, size, strict=False)), Columns(9), 100)) == whole


def test_only_the_rows_with_values_of_a_wrong_type_are_rejected(run: Run) -> None:
    content = "name,id,day\n" + "a,1,2026-11-23\n" * 8 + "b,,\nc,NA,-\nd,x,2026-11-23\ne,2,soon\n"
    outcome = run("a.csv", content)
    assert [row[0] for row in rows_of(outcome.parquet)] == [*"aaaaaaaabc"]
    assert [entry["reason_text"].split(". ")[1] for entry in rejects_of(outcome.rejects)] == [
        "Column id: 'x' does not fit the type BIGINT.",
        "Column day: 'soon' does not fit the type DATE.",
    ]


def test_lines_may_be_split_anywhere() -> None:
    whole = ["a\r\n", "long,\rlong\n", "b\n", "\r\n", "longer than that\r\n", "c"]
    text = "".join(whole)
    for size in range(1, len(text)):
        pieces = list(map("".join, batched(text, size, strict=False)))
        assert list(lines(iter(pieces), 99)) == whole
        shortened = list(lines(iter(pieces), 4))
        assert [(line[:4], len(line) > 4) for line in shortened] == [(line[:4], len(line) > 4) for line in whole]
        assert max(map(len, shortened)) <= 5 + size


def read(pieces: list[bytes]) -> tuple[str, str]:
    """Return the text of a file and the name of its encoding."""
    encoding = detect(iter(pieces))
    return "".join(decoded(iter(pieces), encoding)), encoding.name


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-32", "utf-32-be"])
def test_characters_may_be_split_anywhere(encoding: str) -> None:
    mark = "\ufeff" if encoding.endswith("be") else ""
    content = f"{mark}abc,é,日,💥\r\n".encode(encoding)
    for size in range(4, len(content)):
        pieces = [bytes(piece) for piece in batched(content, size, strict=False)]
        assert read(pieces)[0] == "abc,é,日,💥\r\n"


@pytest.mark.parametrize(
    ("content", "encoding"), [("name\nJosé", "cp1252"), ("name\nJosé", "utf-8"), ("name,x\nJosé,ü\n", "cp1252")]
)
def test_the_encoding_is_detected_wherever_a_piece_ends(content: str, encoding: str) -> None:
    encoded = content.encode(encoding)
    for size in range(4, len(encoded) + 1):
        pieces = [bytes(piece) for piece in batched(encoded, size, strict=False)]
        assert read(pieces) == (content, encoding)


def test_a_file_that_ends_within_a_character_is_not_text() -> None:
    for pieces in ([b"name\n", "日".encode()[:-1]], ["name\n日".encode()[:-1]]):
        assert read(pieces) == ("name\n\udce6\udc97", "utf-8")


def test_a_row_of_a_wrong_type_is_reported_with_its_values(run: Run) -> None:
    outcome = run("a.csv", "id;name;note\n" + "1;a;b\n" * 4 + 'x;"a;""b""";\n')
    assert rejects_of(outcome.rejects)[0]["raw"] == 'x;"a;""b""";\n'
    outcome = run("a.jsonl", '{"id": 1, "Näme": "a"}\n' * 4 + '{"id": "x", "Näme": null}\n')
    assert rejects_of(outcome.rejects)[0]["raw"] == '{"id":"x"}'


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("a\rb\nc\nd", ["a\rb\n", "c\n", "d"]),
        ("a\r\nb\rc\r\n", ["a\r\n", "b\rc\r\n"]),
        ("a\rb\r\rc\n", ["a\r", "b\r", "\r", "c\n"]),
        ("a\r", ["a\r"]),
    ],
)
def test_most_ends_decide_whether_a_carriage_return_ends_a_line(text: str, whole: list[str]) -> None:
    assert list(lines(iter([text]), 99)) == whole


def test_a_row_with_a_stray_carriage_return_is_set_aside_whole(run: Run) -> None:
    outcome = run("a.csv", 'id,name\n1,a\rb\n2,c\n3,"d\re"\n')
    assert rows_of(outcome.parquet) == [(2, "c"), (3, "d\re")]
    assert [(entry["reason"], entry["raw"]) for entry in rejects_of(outcome.rejects)] == [
        ("stray_line_end", "1,a\rb\n")
    ]


@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_an_object_with_a_key_twice_is_set_aside(run: Run, name: str) -> None:
    rows = [
        '{"a": 1, "b": "x"}',
        '{"a": 1, "a": 2, "b": "x"}',
        '{"a": 3, "b": {"c": [{"d": 1, "d": 1}]}}',
        '{"a": 4, "b": "x"}',
    ]
    outcome = run(name, "\n".join(rows))
    assert rows_of(outcome.parquet) == [(1, "x"), (4, "x")]
    rejects = rejects_of(outcome.rejects)
    reasons = [(entry["reason"], entry["raw"].rstrip("\n")) for entry in rejects]
    assert reasons == [("repeated_key", row) for row in rows[1:3]]


def test_delimiters_at_the_end_of_each_row_add_no_field(run: Run) -> None:
    rows = "".join(f"{i},a,\n" for i in range(300))
    outcome = run("a.csv", f"id,name\n{rows}300,a,b\n301,a\n302,a,b,\n")
    assert rows_of(outcome.parquet) == [(i, "a") for i in range(300)]
    assert [(entry["reason"], entry["raw"]) for entry in rejects_of(outcome.rejects)] == [
        ("too_many_fields", "300,a,b\n"),
        ("too_few_fields", "301,a\n"),
        ("too_many_fields", "302,a,b,\n"),
    ]
    # If only one row has an additional empty field, it may be a comma within a value.
    outcome = run("a.csv", "id,name\n1,a\n2,Doe, John\n3,c,\n4,d\n5,e\n6,f\n")
    assert outcome.facts["rejected_by_reason"] == {"too_many_fields": 2}


def test_rows_of_delimiters_only_are_empty_lines(run: Run) -> None:
    outcome = run("a.csv", 'id,name\n,\n1,a\n"",""\n\n  \n2,b\n,\n')
    assert rows_of(outcome.parquet) == [(1, "a"), (2, "b")]
    assert outcome.facts["rejected"] == 0
    # pandas writes a missing value like this in a table of one column.
    assert rows_of(run("a.csv", 'id\n1\n""\n\n2\n').parquet) == [(1,), (None,), (2,)]


def test_a_space_before_a_quote_is_none_of_the_value(run: Run) -> None:
    outcome = run("a.csv", 'id, "name", "city"\n1, "Smith, John", "Rome"\n2, "Doe", "Paris"\n')
    assert rows_of(outcome.parquet) == [(1, "Smith, John", "Rome"), (2, "Doe", "Paris")]
    assert [column["source"] for column in outcome.facts["columns"]] == ["id", "name", "city"]
    late = run("a.csv", "id,name\n" + "1,a\n" * 300 + '2, "b"\n' + '3,"c, ""d"""\n')
    assert [(entry["reason"], entry["raw"]) for entry in rejects_of(late.rejects)] == [("malformed_quotes", '2, "b"\n')]
    assert rows_of(late.parquet)[-1] == (3, 'c, "d"')
