"""Write the rows of a file of any supported format to disk as JSON arrays of texts.

Bad rows go to another file. DuckDB then reads every upload in the same way and in constant memory, and no value can
break a row.
"""

import base64
import csv
import io
import itertools
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from converter.dialect import sniff
from converter.encodings import detect
from converter.hints import NO_HINTS, Hints
from converter.names import Columns
from converter.rejections import ROWS, Rejection
from converter.rows import DECODER, BadRow, Row, csv_rows, forget_kinds, json_document, json_lines, lines_before
from converter.sources import keys_of
from converter.text import chunks, decoded, encoded, is_gzip, lines
from shared.deadline import Deadline

FORMATS = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl"}
_ENCODE = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode
# Encoding rows in batches is three times as fast. A long row ends a batch, so that batches stay small.
_BATCH_ROWS = 500
_LONG_ROW = 4096


@dataclass(frozen=True)
class Limits:
    """Limits on a file, and on what its conversion may use."""

    # Size of the decompressed file
    max_bytes: int = 2 << 30
    # Length in characters
    max_row_length: int = 1 << 20
    max_columns: int = 1000
    # DuckDB's memory limit
    memory_limit_mb: int = 512
    # The share of a column's values that must fit a type; the other values then count as errors
    type_threshold: float = 0.8


@dataclass
class Staged:
    """The rows of one file, after they were read and before DuckDB writes them as Parquet.

    `rows_file` contains `rows` rows. The rows set aside are in `rejects`, and `rejected` counts them by code.
    """

    folder: Path
    format: str
    compression: str | None
    hints: Hints = NO_HINTS
    delimiter: str | None = None
    header: bool | None = None
    # "" until it is detected
    encoding: str = ""
    # The columns from the file's path, by index, and their values
    keys: dict[int, str | None] = field(default_factory=dict)
    rows: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    # Sentences about assumptions, for the manifest
    warnings: list[str] = field(default_factory=list)
    # The columns whose fields are quoted in every row, in a file that does not quote all columns
    quoted: frozenset[int] = frozenset()
    columns: Columns = field(default_factory=lambda: Columns(0))

    @property
    def rows_file(self) -> Path:
        """Return the path of the staged rows: a JSON array of arrays.

        Each array contains the row number, the line number or null, and the values, which are texts or null.
        """
        return self.folder / "staged.json"

    @property
    def rejects(self) -> Path:
        """Return the path of the rows set aside, with one JSON object per line: see `reject`."""
        return self.folder / "rejects.jsonl"

    @property
    def parquet(self) -> Path:
        """Return the path of the Parquet file."""
        return self.folder / "data.parquet"


def format_of(name: str) -> str:
    """Return the format of a file with this name. Raises Rejection (unsupported_format)."""
    suffix = _suffix(name)
    if suffix not in FORMATS:
        raise Rejection("unsupported_format")
    return FORMATS[suffix]


def _suffix(name: str) -> str:
    suffixes = [suffix.lower() for suffix in Path(name).suffixes]
    if suffixes and suffixes[-1] in {".gz", ".gzip"}:
        suffixes.pop()
    return suffixes[-1] if suffixes else ""


def stage(source: Path, name: str, staged: Staged, limits: Limits, deadline: Deadline) -> None:
    """Fill `staged` from the file `source`, which was uploaded under `name`. Raises Rejection.

    The file is read twice, because only all of its bytes show its encoding.
    """
    encoding = detect(chunks(source, limits.max_bytes, deadline), staged.hints.encoding)
    staged.encoding = encoding.name
    staged.warnings += [encoding.warning] if encoding.warning else []
    texts = decoded(chunks(source, limits.max_bytes, deadline), encoding)
    batch: list[Row] = []
    with staged.rows_file.open("wb") as good, staged.rejects.open("wb") as bad:
        good.write(b"[")
        for row in _with_keys(_rows(texts, name, staged, limits), keys_of(name), staged):
            if isinstance(row, BadRow):
                reject(bad, staged, row)
                continue
            batch.append(row)
            if len(batch) == _BATCH_ROWS or len(row.raw) > 1 or len(row.raw[0]) > _LONG_ROW:
                _write(batch, staged, good, bad)
                batch = []
        _write(batch, staged, good, bad)
        good.write(b"\n]")
    if not staged.rows:
        raise Rejection("no_valid_rows" if staged.rejected else "no_rows")
    set_aside = staged.rejected.total() - staged.rejected["before_header"]
    if set_aside > staged.rows:
        raise Rejection("few_valid_rows", f"{staged.rows:,} of {staged.rows + set_aside:,} rows were left.")


def _with_keys(rows: Iterator[Row | BadRow], keys: dict[str, str | None], staged: Staged) -> Iterator[Row | BadRow]:
    """Add the keys in the file's path to its rows as columns, unless the file has a column of the same name."""
    if not keys:
        yield from rows
        return
    for key, value in keys.items():
        if key in staged.columns:
            staged.warnings.append(f"The path has a value for {key}, but the file has a column of that name.")
        else:
            staged.keys[staged.columns.index(key)] = value
    for row in rows:
        if isinstance(row, Row):
            row.values.extend([None] * (len(staged.columns) - len(row.values)))
            for index, value in staged.keys.items():
                if row.values[index] is None:
                    row.values[index] = value
        yield row


def reject(file: BinaryIO, staged: Staged, row: BadRow) -> None:
    """Set one row aside: write its row number, line number, unchanged content, and the reason as code and text."""
    staged.rejected[row.code] += 1
    entry = {
        "row": row.number,
        "line": row.line,
        "reason": row.code,
        "reason_text": f"{ROWS[row.code]} {row.detail}".strip(),
    }
    raw = "".join(row.raw)
    try:
        raw.encode()
        entry["raw"] = raw
    except UnicodeEncodeError:
        entry["raw_base64"] = base64.b64encode(encoded(raw, staged.encoding)).decode()
    file.write(_ENCODE(entry).encode("utf-8", "backslashreplace") + b"\n")


def raw_of(staged: Staged, values: list[str | None]) -> str:
    """Return the content of a row, built from its values because the original text is no longer available."""
    values = [value for index, value in enumerate(values) if index not in staged.keys]
    if staged.format != "csv":
        sources = [source for index, source in enumerate(staged.columns.sources) if index not in staged.keys]
        return _ENCODE({source: value for source, value in zip(sources, values, strict=False) if value is not None})
    line = io.StringIO()
    csv.writer(line, delimiter=staged.delimiter or ",", lineterminator="\n").writerow(values)
    return line.getvalue()


def _rows(texts: Iterator[str], name: str, staged: Staged, limits: Limits) -> Iterator[Row | BadRow]:
    limit = limits.max_row_length
    first = next(texts, "")
    if not first:
        raise Rejection("empty")
    texts = itertools.chain([first], texts)
    if staged.format == "csv":
        hints = staged.hints
        dialect = sniff(first, hints.delimiter or ("\t" if _suffix(name) == ".tsv" else None), hints.header)
        staged.delimiter, staged.header = dialect.delimiter, dialect.header is not None
        staged.warnings += dialect.warnings
        staged.quoted = dialect.quoted
        staged.columns = Columns(limits.max_columns, dialect.header or [""] * dialect.width)
        source = lines(texts, limit)
        return itertools.chain(
            lines_before(source, dialect.before, dialect.delimiter),
            csv_rows(source, dialect.form, limit, skip=int(staged.header), before=dialect.before),
        )
    staged.columns = Columns(limits.max_columns)
    if staged.format == "jsonl" or _is_line_of_object(first):
        return json_lines(lines(texts, limit), staged.columns, limit)
    return json_document(texts, staged.columns, limit)


def _is_line_of_object(text: str) -> bool:
    """Return whether a .json file holds one object per line, as many tools write it."""
    line, _, rest = text.lstrip().partition("\n")
    if not line.startswith("{") or not rest.strip():
        return False
    try:
        DECODER.decode(line)
    except (ValueError, RecursionError):
        return False
    return True


def _write(rows: list[Row], staged: Staged, good: BinaryIO, bad: BinaryIO) -> None:
    """Stage rows. Set aside rows with characters that texts in Parquet and Athena can't contain."""
    encoded = _encode(rows)
    if encoded is None:
        sound: list[Row] = []
        for row in rows:
            if _encode([row]) is not None:
                sound.append(row)
                continue
            code = "nul_character" if any("\0" in value for value in row.values if value) else "bad_encoding"
            reject(bad, staged, BadRow(row.number, row.line, code, "", row.raw))
            if staged.format != "csv":
                forget_kinds(row.values, DECODER.decode(row.raw[0]), staged.columns)
        rows, encoded = sound, _encode(sound)
    if rows and encoded:
        good.write((b",\n" if staged.rows else b"\n") + encoded)
        staged.rows += len(rows)


def _encode(rows: list[Row]) -> bytes | None:
    """Return the rows as JSON arrays, or None if one of them contains a NUL or a lone surrogate."""
    text = _ENCODE([[row.number, row.line, *row.values] for row in rows])
    if "\\u0000" in text and any("\0" in value for row in rows for value in row.values if value):
        return None
    try:
        return text[1:-1].encode()
    except UnicodeEncodeError:
        return None


def empty_stage(source: Path, name: str, hints: Hints = NO_HINTS) -> Staged:
    """Return an empty stage in the folder of `source`.

    Raises Rejection for names and compressions that are not supported.
    """
    return Staged(source.parent, format_of(name), "gzip" if is_gzip(source) else None, hints)
