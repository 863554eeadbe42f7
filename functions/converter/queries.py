"""Build the SQL that reads staged rows and their values. No text of a file is in it."""

from collections.abc import Iterable

from converter.staging import Staged

# Texts that mean "no value" in a column that isn't text
NO_VALUE = ("", "NULL", "NONE", "NA", "N/A", "NAN", "-", "\\N")
# The size of the longest row if every character takes a six-byte escape
_ROW_BYTES = 8 << 20


def source(staged: Staged, columns: Iterable[int], rows: int | None = None) -> str:
    """Return SQL that selects the staged rows, or the first `rows` of them.

    The SQL selects each row as the list `j`, and for each of `columns` the value v<index>, which is NULL if the text
    means "no value".

    It uses two steps and a plain CASE, because DuckDB turns every IN into a join, and n nested NULLIFs into 2^n
    expressions.
    """
    indexes = list(columns)
    texts = "".join(f", {upper(text(index))} AS u{index}" for index in indexes)
    values = "".join(f", {value(f'u{index}')} AS v{index}" for index in indexes)
    return f"(SELECT j{values} FROM (SELECT j{texts} FROM {staged_rows(staged, rows)}))"  # noqa: S608 - no text of the file is in it


def staged_rows(staged: Staged, rows: int | None = None) -> str:
    """Return SQL that reads the staged rows, or the first `rows` of them, as the list `j`."""
    options = f"format='array', records='false', columns={{j: 'VARCHAR[]'}}, maximum_object_size={_ROW_BYTES}"
    source = f"read_json('{staged.rows_file}', {options})"
    return f"(SELECT j FROM {source} LIMIT {rows})" if rows else source  # noqa: S608


def upper(text: str) -> str:
    """Return SQL for a text in upper case, without spaces around it.

    A text of more than 100 bytes becomes "?", because it fits no type and a copy would waste memory.
    """
    return f"CASE WHEN strlen({text}) > 100 THEN '?' ELSE upper(trim({text})) END"


def value(upper: str) -> str:
    """Return SQL that is NULL if a text in upper case means "no value"."""
    return f"CASE {' '.join(f"WHEN {upper} = '{null}' THEN NULL" for null in NO_VALUE)} ELSE {upper} END"


def text(index: int) -> str:
    """Return SQL for the text of the column `index`; NULL if it is empty."""
    return f"j[{index + 3}]"
