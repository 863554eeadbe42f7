"""What a CSV file doesn't say about itself is derived from its content."""

import pytest

from converter.dialect import Dialect, sniff


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,name\n1,a\n", Dialect(",", ["id", "name"], 2)),
        ("id\n1\n", Dialect(",", ["id"], 1)),
        ("id,\n1,a\n", Dialect(",", ["id", ""], 2)),
        # Decimal commas
        ("name;price\na;1,5\nb;2,5\n", Dialect(";", ["name", "price"], 2)),
        # If two delimiters fit, the one that makes more columns is taken.
        ("a,b|c|d\ne,f|g|h\n", Dialect("|", ["a,b", "c", "d"], 3)),
        # Blank lines first, and a comment with other delimiters
        ("\n\r\nid|note\n1|a, b\n2|c, d, e\n", Dialect("|", ["id", "note"], 2)),
        ("1,a\n2,b\n", Dialect(",", None, 2)),
        (" 1 ,a\n2,b\n", Dialect(",", None, 2)),
        (",\n1,a\n", Dialect(",", None, 2)),
        # A first row that is no header may have another number of fields.
        ("1,a,x\n2,b\n3,c\n", Dialect(",", None, 2)),
        ("50%,a\n", Dialect(",", None, 2)),
        ("11/23/2026,a\n", Dialect(",", None, 2)),
        ("2026-11-23T10:00Z,a\n", Dialect(",", None, 2)),
        ("a,NULL\n", Dialect(",", None, 2)),
        # The file is longer than the sample, has no line feed, and the sample ends within a row.
        ("id,name\r" + "1,a\r" * 100_000, Dialect(",", ["id", "name"], 2)),
        ("a,b;c,d\ne,f;g,h\ni,j;" + "x" * 300_000, Dialect(",", ["a", "b;c", "d"], 3)),
    ],
)
def test_the_dialect_is_detected(text: str, expected: Dialect) -> None:
    assert sniff(text) == expected


def test_a_given_delimiter_is_used() -> None:
    assert sniff("a,b\tc\n1,2\t3\n", "\t") == Dialect("\t", ["a,b", "c"], 2)
