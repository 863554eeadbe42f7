"""Detect the delimiter of a CSV file, and the row that names the columns."""

import csv
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from converter import headers
from converter.headers import DATA, Reading
from converter.rejections import Rejection
from converter.rows import SEPARATOR, SPACED, Form, squeezed
from converter.text import lines

DELIMITERS = (",", ";", "\t", "|")
_SAMPLE_LENGTH = 256 * 1024
_SAMPLE_ROWS = 200
_NUMBER = re.compile(r"[+-]?(0|[1-9]\d*|(?=[.,]))([.,]\d*)?([eE][+-]?\d+)?")
_WITH_COMMA = re.compile(r"\s*[+-]?[\d.,]*\d,\d[\d.,]*\s*%?\s*")
# If the scores of two readings are closer than this ratio, the first row and the kinds of the values decide.
_CLOSE = 0.9


@dataclass(frozen=True)
class Dialect:
    """How a CSV file is written.

    `header` is None if the first row is data. `width` is the number of columns. Each row has `extra` more fields, which
    are empty. `is_spaced` means that there are spaces before quotes. The table begins after the first `before` lines of
    the file. `quoted` are the columns that are quoted in every row, if other columns are not. `warnings` are sentences
    about assumptions.
    """

    delimiter: str
    header: list[str] | None
    width: int
    before: int = 0
    quoted: frozenset[int] = frozenset()
    warnings: tuple[str, ...] = ()
    extra: int = 0
    is_spaced: bool = False

    @property
    def form(self) -> Form:
        """Return how the rows are written."""
        return Form(self.delimiter, self.width, self.extra, self.is_spaced)


def sniff(text: str, delimiter: str | None = None, header: bool | None = None) -> Dialect:
    """Return the dialect of a CSV file that begins with `text`.

    `delimiter` and `header` are None if they are not known. `header` says whether the first row is the header.
    Raises Rejection (no_rows, not_text, unclear_delimiter, unclear_header).
    """
    sample = text[:_SAMPLE_LENGTH]
    if len(text) > len(sample):
        sample = sample[: sample.rfind("\n") + 1] or sample
    sample_lines = list(lines(iter([sample]), len(sample)))
    before = _blank_lines(sample_lines)
    separator = SEPARATOR.fullmatch(sample_lines[before].rstrip("\r\n")) if before < len(sample_lines) else None
    if separator:
        delimiter = delimiter or separator[1]
        before += 1
    if delimiter:
        reading = _read(sample_lines[before:], delimiter)
    else:
        reading = _best([_read(sample_lines[before:], candidate) for candidate in DELIMITERS], sample_lines[before:])
    if not reading.rows:
        raise Rejection("no_rows")
    if any(_is_control(character) for cell in reading.rows[0] for character in cell):
        raise Rejection("not_text", "Its first row holds control characters.")
    head = headers.find(reading, header)
    width = len(head.names) if head.names else reading.width
    return Dialect(
        reading.delimiter,
        head.names,
        width,
        before + reading.starts[head.row],
        headers.quoted_columns(reading, head),
        head.warnings,
        _extra(reading, head.row, width),
        reading.is_spaced,
    )


def _extra(reading: Reading, row: int, width: int) -> int:
    """Return how many empty fields each row below `row` has after the first `width` fields."""
    body = [cells for cells in reading.rows[row + 1 :] if any(cells)]
    usual = Counter(map(len, body)).most_common(1)[0][0] if body else width
    is_empty = usual > width and not any(any(cells[width:]) for cells in body if len(cells) == usual)
    return usual - width if is_empty else 0


def _blank_lines(sample_lines: list[str]) -> int:
    return next((n for n, line in enumerate(sample_lines) if not line.isspace()), len(sample_lines))


def _is_control(character: str) -> bool:
    """Return whether a character is a control character.

    Joiners, soft hyphens and direction marks don't count as control characters, because many scripts need them.
    """
    return unicodedata.category(character) == "Cc" and character not in "\t\r\n"


def _read(sample_lines: list[str], delimiter: str) -> Reading:
    """Return the first rows of the sample, split by `delimiter`, without rows that can't be read."""
    reading = _split(sample_lines, delimiter, is_spaced=False)
    if any(SPACED.match(cell) for row in reading.rows for cell in row):
        return _split(sample_lines, delimiter, is_spaced=True)
    return reading


def _split(sample_lines: list[str], delimiter: str, *, is_spaced: bool) -> Reading:
    source: Iterator[str] = map(squeezed, sample_lines) if delimiter == " " else iter(sample_lines)
    reader = csv.reader(source, delimiter=delimiter, skipinitialspace=is_spaced)
    reading = Reading(delimiter, is_spaced=is_spaced)
    start = 0
    while len(reading.rows) < _SAMPLE_ROWS:
        try:
            row = next(reader)
        except StopIteration:
            break
        except csv.Error:
            row = []
        if row and not (len(row) == 1 and row[0].isspace()):
            reading.rows.append(row)
            reading.starts.append(start)
            reading.texts.append("".join(sample_lines[start : reader.line_num]))
        start = reader.line_num
    reading.width = _usual_width(reading.rows)
    return reading


def _usual_width(rows: list[list[str]]) -> int:
    """Return the most frequent number of fields in a row. Of two equally frequent numbers, the larger one counts.

    Returns the first row's width instead if it is smaller, and the rows of that frequent number have no further values.
    """
    if not rows:
        return 0
    counts = Counter(map(len, rows))
    width = max(counts, key=lambda width: (counts[width], width))
    first = len(rows[0])
    if first < width and all(not any(row[first:]) for row in rows if len(row) == width):
        return first
    return width


def _best(readings: list[Reading], sample_lines: list[str]) -> Reading:
    """Return the reading that fits best. Raises Rejection (unclear_delimiter)."""
    spaces = _read(sample_lines, " ")
    readings = _without_punctuation(readings, spaces, "".join(sample_lines))
    ranked = sorted(readings, key=_score, reverse=True)
    best, second = ranked[0], ranked[1] if len(ranked) > 1 else Reading("")
    if not _score(best):
        return spaces if _is_table_of_numbers(spaces) else best
    if _score(second) < _CLOSE * _score(best):
        return best
    evidence = {reading.delimiter: _evidence(reading) for reading in (best, second)}
    if evidence[best.delimiter] == evidence[second.delimiter]:
        raise Rejection("unclear_delimiter", f"It may be {best.delimiter!r} or {second.delimiter!r}.")
    return max(best, second, key=lambda reading: evidence[reading.delimiter])


def _score(reading: Reading) -> float:
    """Return how well the delimiter of a reading fits.

    Rows that differ from the usual width lower the score, and more columns raise it: three columns in 94 % of the rows
    score higher than two columns in all rows.
    """
    if reading.width < 2:
        return 0.0
    share = sum(len(row) == reading.width for row in reading.rows) / len(reading.rows)
    return float(share**4) * math.log2(reading.width)


def _evidence(reading: Reading) -> tuple[bool, float]:
    """Return the evidence that decides between two readings with nearly the same score.

    The evidence is whether the first row has the usual width, and then the share of the values below that are numbers,
    dates or truth values.
    """
    cells = [cell for row in reading.rows[1:] or reading.rows for cell in row]
    typed = sum(bool(DATA.fullmatch(cell.strip())) for cell in cells) / len(cells)
    return len(reading.rows[0]) == reading.width, round(typed, 3)


def _without_punctuation(readings: list[Reading], spaces: Reading, sample: str) -> list[Reading]:
    """Return the readings without those that split at punctuation within fields.

    A comma or semicolon is punctuation if another delimiter is in nearly every row, and either a space always follows
    ("Doe, John;5") or the commas are decimal commas ("1,5;2,5").
    """
    punctuation = {d for d in ",;" if sample.count(d) == sample.count(f"{d} ")}
    decimal = {","} if _is_table_of_numbers(spaces) and _has_decimal_commas(spaces) else set[str]()
    for reading in readings:
        if reading.width > 1 and len(reading.rows[0]) > 1 and _wide_rows(reading) >= _CLOSE:
            if reading.delimiter not in punctuation:
                decimal |= punctuation
            if reading.delimiter != "," and _has_decimal_commas(reading):
                decimal.add(",")
    return [reading for reading in readings if reading.delimiter not in decimal]


def _wide_rows(reading: Reading) -> float:
    return sum(len(row) > 1 for row in reading.rows) / len(reading.rows)


def _has_decimal_commas(reading: Reading) -> bool:
    """Return whether some values contain a comma, and all of these are numbers."""
    cells = [cell for row in reading.rows[1:] or reading.rows for cell in row if "," in cell]
    return bool(cells) and all(map(_WITH_COMMA.fullmatch, cells))


def _is_table_of_numbers(spaces: Reading) -> bool:
    """Return whether the file is a table of numbers with spaces between the fields.

    Nearly all rows must have the same number of fields, and most fields must be numbers. This excludes prose, times and
    telephone numbers. Without a header, a number must have a decimal point or comma.
    """
    rows = spaces.rows
    if spaces.width < 2 or len(rows) < 2:
        return False
    if len(rows[0]) != spaces.width and not headers.lacks_name_of_row_names(spaces, 0, 1):
        return False
    if sum(len(row) == spaces.width for row in rows[1:]) < 0.95 * len(rows[1:]):
        return False
    cells = [cell for row in rows[1:] for cell in row]
    numbers = [cell for cell in cells if _NUMBER.fullmatch(cell)]
    has_names = not any(map(DATA.fullmatch, rows[0]))
    return len(numbers) > len(cells) / 2 and (has_names or any("." in cell or "," in cell for cell in numbers))
