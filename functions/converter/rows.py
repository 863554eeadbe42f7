"""Split lines of text into rows of named columns.

A bad row does not affect others: reading continues with the next line.
"""

import csv
import json
import re
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from converter.kinds import Number
from converter.names import Columns
from converter.rejections import Rejection

type Value = str | None

csv.field_size_limit(
    1 << 30
)  # Rows have a limit on their length. The module's own limit on a field would hide the reason.


@dataclass(slots=True)
class Row:
    """A well-formed row: its values in the order of the columns, and its text.

    It has fewer values than there are columns if later rows added columns.
    """

    number: int
    line: int | None
    values: list[Value]
    raw: list[str]


@dataclass(slots=True)
class BadRow:
    """A row that is set aside. `code` is a key of rejections.ROWS."""

    number: int
    line: int | None
    code: str
    detail: str
    raw: list[str]


# Excel's optional first line that sets the delimiter
SEPARATOR = re.compile(r'"?sep=([^\w\s"]|\t)"?', re.IGNORECASE)
# A field that has a space before its quote
SPACED = re.compile(r' +"')
_SPACES = re.compile(r'("(?:[^"]|"")*")| +')
# More than the length of any token that is invalid if it is cut off, such as false, -Infinity and \\u0000
_LONGEST_TOKEN = 16
_NO_SPACE = re.compile(r"[^ \t\r\n]")


class _RowTooLong(Exception):
    """The lines of one record exceed the limit, because a quote is not closed."""


class _Lines:
    """An iterator over lines for the csv reader, which keeps the lines of the current record for a second reading.

    `length` is the number of characters in the current record.
    """

    def __init__(self, source: Iterator[str], limit: int, before: int, prepared: Callable[[str], str] | None) -> None:
        self.record: list[str] = []
        self.count = before
        self._source = source
        self._prepared = prepared
        self._again: deque[str] = deque()
        self._limit = limit
        self.length = 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if self.length > self._limit:
            raise _RowTooLong
        line = self._again.popleft() if self._again else next(self._source)
        self.record.append(line)
        self.length += len(line)
        self.count += 1
        return self._prepared(line) if self._prepared else line

    def begin(self) -> None:
        """Start a record."""
        self.record = []
        self.length = 0

    def give_back(self) -> None:
        """Keep only the record's first line; the others will be read again."""
        others = self.record[1:]
        self._again.extendleft(reversed(others))
        self.count -= len(others)
        del self.record[1:]


def lines_before(source: Iterator[str], before: int, delimiter: str) -> Iterator[BadRow]:
    """Yield the first `before` lines, which are titles or comments.

    Blank lines and Excel's line with the delimiter are skipped.
    """
    for number, line in enumerate(islice(source, before), 1):
        if not is_blank(line.split(delimiter)) and not SEPARATOR.fullmatch(line.rstrip("\r\n")):
            yield BadRow(0, number, "before_header", "", [line])


def is_blank(fields: list[str], width: int = 2) -> bool:
    """Return whether a row contains only spaces and delimiters, in a table of `width` columns.

    In a table of one column, a quoted empty field is a row, and spaces are a value.
    """
    if width == 1:
        return not fields
    return not any(fields) or (len(fields) == 1 and fields[0].isspace())


def squeezed(line: str) -> str:
    """Return a line with exactly one space between two fields."""
    return _SPACES.sub(lambda match: match[1] or " ", line.strip()) + "\n"


@dataclass(frozen=True)
class Form:
    """How the rows of a CSV file are written.

    Each row has `width` fields, and then `extra` empty fields. `is_spaced` means that fields have spaces before their
    quotes, so spaces before a field are not part of its value.
    """

    delimiter: str
    width: int
    extra: int = 0
    is_spaced: bool = False


def csv_rows(source: Iterator[str], form: Form, limit: int, skip: int, before: int = 0) -> Iterator[Row | BadRow]:
    """Yield the rows of a CSV file (RFC 4180). Empty lines and lines of delimiters are skipped.

    The value of an empty field is None. The first `skip` records are the header. `before` is the number of lines that
    were read before `source`. If a quote is never closed, only the line of the quote is a bad row.
    """
    lines = _Lines(source, limit, before, squeezed if form.delimiter == " " else None)
    reader = csv.reader(lines, delimiter=form.delimiter, strict=True, skipinitialspace=form.is_spaced)
    number = -skip
    spaced_quote = f'{form.delimiter} "'
    while True:
        lines.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except (_RowTooLong, csv.Error) as error:
            lines.give_back()
            number += 1
            code = "row_too_long" if len(lines.record[0]) > limit else "malformed_quotes"
            if "new-line character" in str(error):
                code = "stray_line_end"
            yield BadRow(
                number, lines.count, code, "" if isinstance(error, _RowTooLong) else f"({error})", lines.record
            )
            continue
        # These quick checks avoid a look at each field for nearly all rows.
        if (not fields or not fields[0] or len(fields) < form.width) and is_blank(fields, form.width):
            continue
        number += 1
        if number < 1:
            continue
        line = lines.count - len(lines.record) + 1
        if lines.length > limit:
            yield BadRow(number, line, "row_too_long", f"The limit is {limit:,} characters.", lines.record)
        elif (len(fields) != form.width or form.extra or spaced_quote in lines.record[0]) and (
            problem := _problem(fields, form, lines.record[0])
        ):
            yield BadRow(number, line, *problem, lines.record)
        else:
            # `_problem` has checked that the further fields are empty.
            del fields[form.width :]
            yield Row(number, line, [field or None for field in fields], lines.record)


def _problem(fields: list[str], form: Form, text: str) -> tuple[str, str] | None:
    """Return the code and detail of what is wrong with a row, or None. `text` is the row's first line."""
    width = form.width + form.extra
    if len(fields) != width or (form.extra and any(fields[form.width :])):
        code = "too_few_fields" if len(fields) < width else "too_many_fields"
        return code, f"{len(fields)} instead of {width}."
    if f'{form.delimiter} "' in text and not form.is_spaced and any(map(SPACED.match, fields)):
        return "malformed_quotes", "There is a space before a quote."
    return None


def json_lines(source: Iterable[str], columns: Columns, limit: int) -> Iterator[Row | BadRow]:
    """Yield a row for each line, which must be a JSON object. Empty lines are skipped."""
    number = 0
    for count, line in enumerate(source, 1):
        if len(line) <= limit and line.isspace():
            continue
        number += 1
        if len(line) > limit:
            yield BadRow(number, count, "row_too_long", f"The limit is {limit:,} characters.", [line])
            continue
        try:
            value = DECODER.decode(line)
        except (ValueError, RecursionError) as error:
            yield BadRow(number, count, "malformed_json", f"({_short(error)})", [line])
            continue
        yield _object_row(number, count, value, columns, line)


def json_document(texts: Iterator[str], columns: Columns, limit: int) -> Iterator[Row | BadRow]:
    """Yield a row for each element of a JSON array, or for each of several JSON objects without an array.

    The document is read piece by piece. Raises Rejection (malformed_json, value_too_long), because the structure after
    a syntax error is unknown.
    """
    buffer = _Buffer(texts, limit)
    is_array = buffer.peek() == "["
    if is_array:
        buffer.position += 1
    number = 0
    while (following := buffer.peek()) and not (is_array and following == "]"):
        if is_array and number:
            buffer.expect(",")
            buffer.peek()
        number += 1
        value, raw = buffer.value()
        if len(raw) > limit:
            yield BadRow(number, None, "row_too_long", f"The limit is {limit:,} characters.", [raw])
        else:
            yield _object_row(number, None, value, columns, raw)
    if is_array:
        buffer.expect("]")
        if buffer.peek():
            raise Rejection("malformed_json", "There is more after the array's end.")


class _Buffer:
    """A window on the text of a JSON document. It holds only as much text as one element needs."""

    def __init__(self, texts: Iterator[str], limit: int) -> None:
        self.position = 0
        self._texts = texts
        self._text = ""
        self._limit = limit

    def _more(self) -> bool:
        text = next(self._texts, "")
        self._text = self._text[self.position :] + text
        self.position = 0
        return bool(text)

    def peek(self) -> str:
        """Return the next character that is not white space, and move the window to it; "" at the end."""
        while True:
            if match := _NO_SPACE.search(self._text, self.position):
                self.position = match.start()
                return match.group()
            self.position = len(self._text)
            if not self._more():
                return ""

    def expect(self, character: str) -> None:
        """Skip `character`. Raises Rejection if another one comes next."""
        if (following := self.peek()) != character:
            problem = f"{character!r} was expected instead of {following!r}." if following else "It ends too early."
            raise Rejection("malformed_json", problem)
        self.position += 1

    def value(self) -> tuple[Any, str]:
        """Return the JSON value at the window's start, and its text. Raises Rejection."""
        while True:
            try:
                value, end = DECODER.raw_decode(self._text, self.position)
            except (ValueError, RecursionError) as error:
                if self._is_cut_off(error):
                    if len(self._text) - self.position > 2 * self._limit:
                        # A quote that is never closed also causes this error, so reading must stop somewhere.
                        raise Rejection("value_too_long", f"The limit is {self._limit:,} characters.") from error
                    if self._more():
                        continue
                raise Rejection("malformed_json", f"({_short(error)})") from error
            if end == len(self._text) and self._more():
                continue  # The value may be a number that continues in the next piece.
            raw = self._text[self.position : end]
            self.position = end
            return value, raw

    def _is_cut_off(self, error: Exception) -> bool:
        """Return whether the error may result from the window's end, within a string, word or escape."""
        if not isinstance(error, json.JSONDecodeError):
            return False
        return error.msg.startswith("Unterminated string") or error.pos > len(self._text) - _LONGEST_TOKEN


def _object_row(number: int, line: int | None, value: Any, columns: Columns, raw: str) -> Row | BadRow:
    """Return the row of a JSON object. Its keys are the columns, and nested objects and arrays stay JSON text."""
    if not isinstance(value, dict):
        return BadRow(number, line, "not_an_object", "", [raw])
    if isinstance(value, Repeated):
        return BadRow(number, line, "repeated_key", f"({value.key[:100]!r})", [raw])
    values: list[Value] = [None] * len(columns)
    indexes, kinds = columns.indexes, columns.kinds
    try:
        for key, member in value.items():
            if (index := indexes.get(key)) is None:
                index = columns.index(key)
            if index == len(values):
                values.append(None)
            if member is None or member == "":
                continue
            kind = type(member)
            if kind is str or kind is Number:
                values[index] = member
            else:
                # Most other values are integers, for which the JSON encoder takes ten times as long as `repr`.
                values[index] = repr(member) if kind is int else _json(member)
            kinds[index][kind] += 1
    except (RecursionError, _NoJsonError, _RepeatedKeyError) as error:
        forget_kinds(values, value, columns)
        code = "repeated_key" if isinstance(error, _RepeatedKeyError) else "malformed_json"
        return BadRow(number, line, code, f"({_short(error)})", [raw])
    return Row(number, line, values, [raw])


def forget_kinds(values: list[Value], value: dict[str, Any], columns: Columns) -> None:
    """Subtract the values of an object from the counts of kinds, because its row is set aside.

    `values` are the values that were counted.
    """
    for key, member in value.items():
        index = columns.index(key)
        if index < len(values) and values[index] is not None:
            columns.kinds[index][type(member)] -= 1


def _json(value: Any) -> str:
    if isinstance(value, Repeated):
        raise _RepeatedKeyError(repr(value.key))
    if isinstance(value, dict):
        return "{" + ",".join(f"{_ENCODE(key)}:{_json(member)}" for key, member in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    if isinstance(value, Number):
        if value.endswith("y"):
            raise _NoJsonError(f"{value} is not JSON")
        return value
    return _ENCODE(value)


class Repeated(dict[str, Any]):
    """An object that has `key` twice. RFC 8259, section 4, does not define the meaning of such an object."""

    key = ""


class _RepeatedKeyError(ValueError):
    """A nested object has a key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) == len(pairs):
        return members
    repeated = Repeated(members)
    repeated.key = next(key for key, n in Counter(key for key, _ in pairs).items() if n > 1)
    return repeated


class _NoJsonError(ValueError):
    """A nested value cannot be written as JSON."""


def _constant(name: str) -> Number | None:
    """Return the value of NaN, Infinity or -Infinity, which Python, R and JavaScript's libraries write into JSON.

    NaN means no value, as in CSV. Both infinities are values of a DOUBLE.
    """
    return None if name == "NaN" else Number(name)


def _short(error: Exception) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]


_ENCODE = json.JSONEncoder(ensure_ascii=False).encode
DECODER = json.JSONDecoder(parse_constant=_constant, parse_float=Number, object_pairs_hook=_object)
