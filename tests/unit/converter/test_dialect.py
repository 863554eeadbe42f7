"""The dialect of a CSV file is derived from its content."""

import pytest

from converter.dialect import Dialect, sniff
from converter.rejections import Rejection


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("id,name\n1,a\n", Dialect(",", ["id", "name"], 2)),
        ("id\n1\n", Dialect(",", ["id"], 1)),
        ("id,\n1,a\n", Dialect(",", ["id", ""], 2)),
        # Decimal commas
        ("name;price\na;1,5\nb;2,5\n", Dialect(";", ["name", "price"], 2)),
        # If two delimiters fit, the one with more columns is used.
        ("a,b|c|d\ne,f|g|h\n", Dialect("|", ["a,b", "c", "d"], 3)),
        # Blank lines first, and a comment with other delimiters
        ("\n\r\nid|note\n1|a, b\n2|c, d, e\n", Dialect("|", ["id", "note"], 2, before=2)),
        ("1,a\n2,b\n", Dialect(",", None, 2)),
        (" 1 ,a\n2,b\n", Dialect(",", None, 2)),
        (",\n1,a\n", Dialect(",", None, 2, before=1)),
        # A first row that is not a header may have another number of fields.
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


NUMBERS = "".join(f"{i};x{i};{i},5\n" for i in range(1, 51))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # A comma or semicolon is punctuation if a space always follows it.
        ("Family, given;Age\nMeier, Eva;5\nKim, Jo;7\n", Dialect(";", ["Family, given", "Age"], 2)),
        ("Site\tx, y\nA\t1.5, 3.4\nB\t8.1, 1.6\n", Dialect("\t", ["Site", "x, y"], 2)),
        ("Site|x; y\nA|1.5; 3.4\nB|8.1; 1.6\n", Dialect("|", ["Site", "x; y"], 2)),
        ("May 5, 2024;7;x;\nMay 4, 2024;8;y;\nMay 3, 2024;9;\nMay 2, 2024;6;\n", Dialect(";", None, 4)),
        ("a, b, c\nx, y, z\n", Dialect(",", ["a", " b", " c"], 3)),
        # Decimal commas
        ("1,5;2,5\n3,5;4,5\n", Dialect(";", None, 2)),
        ("1,5 2,5\n3,5 4,5\n", Dialect(" ", None, 2)),
        # The number of columns counts more than a few rows with an additional field.
        (f"id;name;price\n{NUMBERS}51;a;b;2,5\n52;a;b;2,5\n", Dialect(";", ["id", "name", "price"], 3)),
        # If two delimiters give the same number of columns, the kinds of the values decide.
        ("name,x;n\nDoe,J;5\nRoe,K;7\n", Dialect(";", ["name,x", "n"], 2)),
        # A header without the delimiter that is in each row below
        ("name;city\n" + "Meier,E;Rome\nKim,J;Paris\n" * 90, Dialect(";", ["name", "city"], 2)),
        # Excel's line that names the delimiter
        ("sep=;\nid;price\n1;1,5\n", Dialect(";", ["id", "price"], 2, before=1)),
        ('\n"SEP=\t"\nid\tname\n', Dialect("\t", ["id", "name"], 2, before=2)),
        ("sep=^\na,b^c\n1,2^3\n", Dialect("^", ["a,b", "c"], 2, before=1)),
        # Lines before the table: blank ones, titles, comments
        ("  \t \nid,name\n1,a\n", Dialect(",", ["id", "name"], 2, before=1)),
        (";;\nid;a;b\n1;2;3\n", Dialect(";", ["id", "a", "b"], 3, before=1)),
        ("Shop;Rome\nFrom;01/02/2026\nDay;Kind;Sum\n01/02/2026;x;5\n", Dialect(";", ["Day", "Kind", "Sum"], 3, 2)),
        ("2026-11-30\nid,name\n1,a\n2,b\n", Dialect(",", ["id", "name"], 2, before=1)),
        ('"Report\nof May"\n\nid,name,\n1,a\n2,b\n', Dialect(",", ["id", "name"], 2, before=3)),
        ("# by x\n# May, 2026\nid,name\n1,a\n", Dialect(",", ["id", "name"], 2, before=2)),
        ("# May, 2026\nid,name\n1,a\n", Dialect(",", ["id", "name"], 2, before=1)),
        ("# by x\n1,a\n2,b\n", Dialect(",", None, 2, before=1)),
        ("##v4\n##x,y\n#id,name\na,b\nc,d\n", Dialect(",", ["#id", "name"], 2, before=2)),
        ("#id,name\n1,a\n", Dialect(",", ["#id", "name"], 2)),
        ("#id,name\nx,a\n", Dialect(",", ["#id", "name"], 2)),
        # Empty fields at the end, of the header or of every row
        ("id,name,\n1,a\n2,b\n3,c\n", Dialect(",", ["id", "name"], 2)),
        ("id,name\n1,a,\n2,b,\n", Dialect(",", ["id", "name"], 2, extra=1)),
        ('id, "a b"\n1, "c, d"\n', Dialect(",", ["id", "a b"], 2, quoted=frozenset({1}), is_spaced=True)),
        ('id,a\n1,"he said, ""d"""\n', Dialect(",", ["id", "a"], 2, quoted=frozenset({1}))),
        # R's write.table names no column of row names.
        ('"n" "x"\n"1" 5 2.5\n"2" 7 3.5\n', Dialect(" ", ["", "n", "x"], 3, quoted=frozenset({0}))),
        ('"n","x"\n"1",5,2.5\n"2",7,3.5\n', Dialect(",", ["", "n", "x"], 3, quoted=frozenset({0}))),
        # A row of names that are quoted, above values that are not
        ('"","1","2"\n"1",5,2\n"2",7,3\n', Dialect(",", ["", "1", "2"], 3, quoted=frozenset({0}))),
        ('"1","2"\n"3","4"\n', Dialect(",", None, 2)),
        ('id,code,"x ""y"", z"\n1,"7",2\n2,"C",3\n', Dialect(",", ["id", "code", 'x "y", z'], 3, 0, frozenset({1}))),
        # Fields between spaces
        ("a b c\n5 162 60\n2 110 70\n", Dialect(" ", ["a", "b", "c"], 3)),
        (" id   price\n  1    2.50\n 10  112.50\n", Dialect(" ", ["id", "price"], 2)),
        ("59 2 32.1\n48 1 21.6\n", Dialect(" ", None, 3)),
        # One column of texts with spaces
        ("name\nAda Lovelace\nAlan Turing\n", Dialect(",", ["name"], 1)),
        ("created at\n2026-01-01 10:00:00\n2026-01-02 11:00:00\n", Dialect(",", ["created at"], 1)),
        ("phone\n030 123456\n040 654321\n", Dialect(",", ["phone"], 1)),
        ("phone number\n030 123456\n040 654321\n", Dialect(",", ["phone number"], 1)),
        ("the 2 boxes came late\n3 of 4 were broken\n", Dialect(",", ["the 2 boxes came late"], 1)),
    ],
)
def test_the_table_is_found_in_what_people_send(text: str, expected: Dialect) -> None:
    assert sniff(text) == expected


@pytest.mark.parametrize(
    ("text", "is_header", "warnings"),
    [
        ("country,2020,2021\nDE,1,2\nFR,3,4\n", True, 1),
        ("country,2021,2020\nDE,1,2\nFR,3,4\n", True, 1),
        ("country,1/30/26,1/31/26\nDE,1,2\nFR,3,4\n", True, 1),
        (",5,6\n1,7,8\n2,9,9\n", True, 1),
        # Years below years, or no run
        ("Berlin,2020,2021\nParis,2022,2023\nRome,2019,2020\n", False, 0),
        ("Berlin,2026-01-01,2026-02-01\nRome,2026-03-01,2026-04-01\n", False, 0),
        ("country,2020\nDE,1\n", False, 1),
        ("country,2020,2019,2021\nDE,1,2,3\n", False, 1),
        ("0.1,0.2\n0.3,0.4\n", False, 0),
        (",5\n1,7\n", False, 0),
    ],
)
def test_numbers_and_dates_may_be_names(text: str, is_header: bool, warnings: int) -> None:
    dialect = sniff(text)
    assert (dialect.header is not None, len(dialect.warnings)) == (is_header, warnings)
    assert all("header" in warning for warning in dialect.warnings)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("a,b;c\nd,e;f\n", "unclear_delimiter"),
        # Either one column has no name, or the last column contains a comma.
        ("id,name\n1,Doe, John\n2,Roe, Jane\n", "unclear_header"),
        ("name,city\nDoe, John,Rome\nRoe, Jane,Paris\n", "unclear_header"),
        ("name\nDoe, John\nRoe, Jane\n", "unclear_header"),
        ("# a, b\n# c, d\nx,y\nz,w\n", "unclear_header"),
    ],
)
def test_an_ambiguous_table_is_refused(text: str, code: str) -> None:
    with pytest.raises(Rejection, match=code):
        sniff(text)


def test_a_given_header_is_used() -> None:
    assert sniff("1,a\n2,b\n", header=True) == Dialect(",", ["1", "a"], 2)
    assert sniff("x,a\ny,b\n", header=False) == Dialect(",", None, 2)


def test_a_given_delimiter_is_used() -> None:
    assert sniff("a,b\tc\n1,2\t3\n", "\t") == Dialect("\t", ["a,b", "c"], 2)
