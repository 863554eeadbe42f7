"""Find out what a CSV file does not say: its delimiter, and whether its first row names the columns."""

import csv
import io
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from converter.rejections import Rejection

DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_LENGTH = 256 * 1024
_SAMPLE_ROWS = 200
# Values that cannot be a column's name: a number, a date or time, true or false
_DATA = re.compile(
    r"[+-]?[\d.,]*\d[\d.,]*([eE][+-]?\d+)?%?|\d{4}-\d\d?-\d\d?([T ].*)?|\d\d?[./]\d\d?[./]\d{2,4}|(?i:true|false|null)"
)


@dataclass(frozen=True)
class Dialect:
    """`header` is None if the first row is data; `width` is the number of columns."""

    delimiter: str
    header: list[str] | None
    width: int


def sniff(text: str, delimiter: str | None = None) -> Dialect:
    """Return the dialect of a CSV file that begins with `text`. Raises Rejection (no_rows, not_text)."""
    sample = text[:_SAMPLE_LENGTH]
    if len(text) > len(sample):
        sample = sample[: sample.rfind("\n") + 1] or sample
    readings = {candidate: _read(sample, candidate) for candidate in ([delimiter] if delimiter else DELIMITERS)}
    best = max(readings, key=lambda candidate: _score(readings[candidate]))
    rows = readings[best]
    if not rows:
        raise Rejection("no_rows")
    first = rows[0]
    if any(_is_control(character) for cell in first for character in cell):
        raise Rejection("not_text", "Its first row holds control characters.")
    is_header = any(first) and not any(_DATA.fullmatch(cell.strip()) for cell in first)
    return Dialect(best, first if is_header else None, len(first) if is_header else _usual_width(rows))


def _is_control(character: str) -> bool:
    """Return whether a character is a control character.

    Joiners, soft hyphens and direction marks are not: many scripts need them.
    """
    return unicodedata.category(character) == "Cc" and character not in "\t\r\n"


def _read(sample: str, delimiter: str) -> list[list[str]]:
    """Return the first rows of the sample, split by `delimiter`; rows that can't be read are left out."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
    return [row for _, row in zip(range(_SAMPLE_ROWS), reader, strict=False) if row]


def _usual_width(rows: list[list[str]]) -> int:
    return Counter(map(len, rows)).most_common(1)[0][0]


def _score(rows: list[list[str]]) -> tuple[float, int]:
    """Return how well a delimiter fits.

    This is the share of rows that have the usual width, which is at least two, then that width.
    """
    width = _usual_width(rows) if rows else 0
    return (sum(len(row) == width for row in rows) / len(rows), width) if width > 1 else (0, 0)
