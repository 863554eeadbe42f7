"""Find the row of a CSV file that names the columns."""

import re
from dataclasses import dataclass, field
from itertools import pairwise

from converter.rejections import Rejection
from converter.rows import squeezed

_DATE = r"\d{4}-\d\d?-\d\d?|\d\d?[./]\d\d?[./]\d{2,4}"
# Values that are not taken for a column's name: numbers, dates, times, truth values and null
DATA = re.compile(rf"[+-]?[\d.,]*\d[\d.,]*([eE][+-]?\d+)?%?|\d{{4}}-\d\d?-\d\d?[T ].*|{_DATE}|(?i:true|false|null)")
# In a table with one column for each year or day, these values are names
_YEAR = re.compile(r"1[5-9]\d\d|20\d\d|21\d\d")
_DAY = re.compile(_DATE)
_FIELD = re.compile(r'\s*"')


@dataclass
class Reading:
    """The first rows of a file, split by one delimiter.

    Row i begins in line `starts[i]`, and `texts[i]` contains its lines. `width` is the usual number of fields.
    `is_spaced` means that spaces before fields were left out.
    """

    delimiter: str
    rows: list[list[str]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    width: int = 0
    is_spaced: bool = False

    def body(self, row: int) -> list[int]:
        """Return the rows after `row` that have the usual width."""
        return [i for i in range(row + 1, len(self.rows)) if len(self.rows[i]) >= self.width]


@dataclass(frozen=True)
class Head:
    """The first row that is not a title or a comment. `names` are the columns' names, or None if it is data."""

    row: int
    names: list[str] | None
    warnings: tuple[str, ...] = ()


def find(reading: Reading, is_header: bool | None = None) -> Head:
    """Return the first row of the table, and its names if it is the header. Raises Rejection (unclear_header).

    `is_header` says whether the first row is the header. It is None if that is not known.
    """
    first = next((i for i, row in enumerate(reading.rows) if any(map(str.strip, row))), 0)
    if is_header is not None:
        return Head(first, reading.rows[first] if is_header else None)
    if reading.width < 2:
        return _head(reading, first)
    first = _after_comments(reading, first)
    row = next((i for i in range(first, len(reading.rows)) if _is_wide(reading, i)), first)
    narrower = reading.rows[first:row]
    if not narrower or any(len(cells) > reading.width for cells in narrower):
        return _head(reading, first)
    if _has_names(reading, row) and _differs_from_values(reading, row):
        return _head(reading, row)
    if not _has_names(reading, first):
        return _head(reading, first)
    if lacks_name_of_row_names(reading, first, row):
        return Head(first, ["", *reading.rows[first]])
    raise Rejection(
        "unclear_header",
        f"Its first line has {len(reading.rows[first])} fields, but most lines have {reading.width}.",
    )


def _after_comments(reading: Reading, first: int) -> int:
    """Return the first row that is not a comment. A line with # is a comment unless it may be the header."""
    rows, end = reading.rows, first
    while end < len(rows) and rows[end][0].lstrip().startswith("#"):
        end += 1
    last = end - 1
    if last < first or end == len(rows) or not _is_wide(reading, last):
        return end if end < len(rows) else first
    has_header_below = _has_names(reading, end) and _differs_from_values(reading, end)
    if has_header_below and (last > first or rows[last][0].lstrip().startswith("# ")):
        return end
    if last == first or not _has_names(reading, end):
        return last
    if all(rows[i][0].lstrip().startswith("##") for i in range(first, last)) and not rows[last][0].startswith("##"):
        return last
    raise Rejection("unclear_header", "It may be the last line that begins with '#', or the line after it.")


def _is_wide(reading: Reading, row: int) -> bool:
    """Return whether a row has the usual number of fields. Additional fields must be empty."""
    cells = reading.rows[row]
    return len(cells) >= reading.width and not any(cells[reading.width :])


def _has_names(reading: Reading, row: int) -> bool:
    return any(reading.rows[row]) and not any(DATA.fullmatch(cell.strip()) for cell in reading.rows[row])


def _differs_from_values(reading: Reading, row: int) -> bool:
    """Return whether at least one column has only numbers, dates or truth values below a row of names."""
    body = reading.body(row)
    columns = ([reading.rows[i][column].strip() for i in body] for column in range(reading.width))
    return any(any(values) and all(DATA.fullmatch(value) for value in values if value) for values in columns)


def lacks_name_of_row_names(reading: Reading, first: int, row: int) -> bool:
    """Return whether a header has no name for the first column, as in the files of R's write.table."""
    return (
        row == first + 1
        and len(reading.rows[first]) == reading.width - 1
        and all(_quotes(reading, first))
        and all(_quotes(reading, i)[0] for i in reading.body(first))
    )


def _head(reading: Reading, row: int) -> Head:
    """Return a Head at `row`, with names if the row is a header."""
    names = reading.rows[row]
    if len(names) > reading.width > 1 and _is_wide(reading, row):
        names = names[: reading.width]
    if _has_names(reading, row):
        return Head(row, names)
    if not any(names) or not reading.body(row):
        return Head(row, None)
    if _is_quoted_alone(reading, row):
        return Head(row, names)
    is_run, labels = _labels(reading, row)
    if is_run or _has_corner(reading, row):
        return Head(row, names, ("The first row is taken for the header, although it has numbers or dates.",))
    if not labels:
        return Head(row, None)
    return Head(row, None, (f"The first row is taken for data, although {labels[0]!r} may be a name in a header.",))


def _is_quoted_alone(reading: Reading, row: int) -> bool:
    """Return whether all fields of a row are quoted, and the rows below never quote one of the columns."""
    if not all(_quotes(reading, row)):
        return False
    below = [_quotes(reading, i) for i in reading.body(row)]
    return any(not any(quotes[column] for quotes in below) for column in range(reading.width))


def _has_corner(reading: Reading, row: int) -> bool:
    """Return whether a row has an empty first field and then different names, above rows with a first field."""
    corner, *names = reading.rows[row]
    below = [reading.rows[i][0] for i in reading.body(row)]
    return not corner.strip() and len(names) > 1 and len({*names, ""}) > len(names) and len(below) > 1 and all(below)


def _labels(reading: Reading, row: int) -> tuple[bool, list[str]]:
    """Return whether the years or days in a row are names of columns, and these values.

    Years must ascend or descend. No column may have such a value below the row.
    """
    columns = [i for i, cell in enumerate(reading.rows[row][: reading.width]) if DATA.fullmatch(cell.strip())]
    cells = [reading.rows[row][column].strip() for column in columns]
    for pattern in (_YEAR, _DAY):
        if all(map(pattern.fullmatch, cells)):
            below = (reading.rows[i][column].strip() for i in reading.body(row) for column in columns)
            if any(map(pattern.fullmatch, below)):
                return False, []
            ascends = [a < b for a, b in pairwise(cells)]
            is_run = len(set(cells)) == len(cells) > 1 and (pattern is _DAY or len(set(ascends)) == 1)
            return is_run, cells
    return False, []


def quoted_columns(reading: Reading, head: Head) -> frozenset[int]:
    """Return the columns that are quoted in every row.

    Returns none if every column is quoted at least once: otherwise the program that wrote the file quotes only texts.
    """
    body = reading.body(head.row) if head.names else [head.row, *reading.body(head.row)]
    if not any('"' in reading.texts[i] for i in body):
        return frozenset()
    quotes = [_quotes(reading, i) for i in body]
    columns = range(reading.width)
    if all(any(row[column] for row in quotes) for column in columns):
        return frozenset()
    return frozenset(column for column in columns if all(row[column] for row in quotes))


def _quotes(reading: Reading, row: int) -> list[bool]:
    """Return for each field of a row whether it is quoted."""
    text, fields, position = reading.texts[row], reading.rows[row], 0
    if reading.delimiter == " ":
        text = squeezed(text)
    quotes = []
    for cell in fields:
        is_quoted = bool(_FIELD.match(text, position))
        quotes.append(is_quoted)
        # A quoted field has two quotes around it, and each quote in it is doubled.
        start = text.find('"', position) if is_quoted else position
        position = start + len(cell) + (2 + cell.count('"') if is_quoted else 0)
        position = max(text.find(reading.delimiter, position), 0) + 1
    return quotes
