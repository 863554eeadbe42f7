"""Build the SQL that reads staged rows and their values. No text of a file is in it."""

from collections.abc import Iterable

from converter.staging import Staged

# Texts that mean "no value" in a column that isn't text
NO_VALUE = ("", "NULL", "NONE", "NA", "N/A", "NAN", "-", "\\N")
# The longest row with every character as a six-byte escape
_ROW_BYTES = 8 << 20


def source(staged: Staged, columns: Iterable[int], rows: int | None = None) -> str:
    """Return SQL that selects the staged rows, or the first `rows` of them.

    It has each row as the list `j`, and v<index> for `columns`, which is NULL where the text means "no value".

    It has two steps and a plain CASE because DuckDB makes a join of every IN, and 2^n expressions of n nested NULLIFs.
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
    """Return SQL for a text without spaces around it and in upper case.

    A long text fits no type, and copies of it would only take memory.
    """
    return f"CASE WHEN strlen({text}) > 100 THEN '?' ELSE upper(trim({text})) END"


def value(upper: str) -> str:
    """Return SQL that is NULL if a text in upper case means "no value"."""
    return f"CASE {' '.join(f"WHEN {upper} = '{null}' THEN NULL" for null in NO_VALUE)} ELSE {upper} END"


def text(index: int) -> str:
    """Return SQL for the text of the column `index`; NULL if it is empty."""
    return f"j[{index + 3}]"
