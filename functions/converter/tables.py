"""Write staged rows as Parquet with DuckDB.

Find column types over the whole file, and set aside rows that don't fit them.
"""

import shutil
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import batched
from pathlib import Path
from typing import Any

import duckdb

from converter.choice import MOST_TYPING_ERRORS, TEXT, Counts, choose, exact_fit, is_no_typing_error
from converter.macros import FITS, MACROS, NOT_EXACT, TRAITS, has_mixed_zones
from converter.rejections import Rejection
from converter.rows import BadRow
from converter.staging import Limits, Staged, raw_of, reject
from shared.deadline import Deadline

# Texts that mean "no value" in a column that isn't text
_NULLS = ("", "NULL", "NONE", "NA", "N/A", "NAN", "-", "\\N")
TYPES = (*FITS, TEXT)
_SAMPLE_ROWS = 2000
# DuckDB takes 10 ms to plan an expression of each column.
_COLUMNS_AT_ONCE = 100
# A row group is buffered whole, in more than one form.
_ROW_GROUPS_IN_MEMORY = 32
# The longest row with every character as a six-byte escape
_ROW_BYTES = 8 << 20


def write(staged: Staged, agreed: dict[str, str], limits: Limits, deadline: Deadline) -> dict[str, str]:
    """Write `staged.parquet`; rows that don't fit go to `staged.rejects` and no longer count in `staged.rows`.

    `agreed` gives the types of columns that the dataset knows; types of other columns are detected. Returns the type of
    each column written. An empty column of unknown type is left out, because any guess could contradict the dataset's
    other files. Raises Rejection.
    """
    for name, type_ in agreed.items():
        if type_ not in TYPES:
            raise ValueError(
                f"the dataset's schema gives the column {name} the type {type_!r}; make it one of {', '.join(TYPES)}"
            )
    names = staged.columns.names()
    with _connection(staged.folder, limits, deadline) as connection:
        types, misfits = _types(connection, staged, names, agreed, limits)
        if not types:
            raise Rejection("no_rows", "All values are empty.")
        if misfits:
            _set_aside(connection, staged, names, types, misfits)
        if not staged.rows:
            raise Rejection("no_valid_rows")
        columns = ", ".join(f'{_cast(index, type_)} AS "{names[index]}"' for index, type_ in types.items())
        typed = [index for index, type_ in types.items() if type_ != TEXT]
        where = "".join(f" AND NOT {_misfit(index, macro)}" for index, macro in misfits.items())
        result = connection.execute(
            f"COPY (SELECT {columns} FROM {_source(staged, typed)} WHERE true{where}) TO '{staged.parquet}' "  # noqa: S608
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES "
            f"'{limits.memory_limit_mb // _ROW_GROUPS_IN_MEMORY}MB')"
        )
        if result.fetchone() != (staged.rows,):
            raise RuntimeError(f"not all of {staged.rows} rows were written")
    return {names[index]: type_ for index, type_ in types.items()}


@contextmanager
def _connection(folder: Path, limits: Limits, deadline: Deadline) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB, confined to `folder`, without network or extensions.

    The deadline and its limits become Rejections.
    """
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    config: dict[str, Any] = {
        "memory_limit": f"{limits.memory_limit_mb}MB",
        # One thread: rows keep their order and the same input makes the same bytes.
        "threads": 1,
        "preserve_insertion_order": False,
        "temp_directory": str(scratch),
        "home_directory": str(scratch),
        "extension_directory": str(scratch),
        "secret_directory": str(scratch),
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "allow_community_extensions": False,
    }
    with duckdb.connect(config=config) as connection:
        connection.execute("SET enable_progress_bar = false")
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(f"SET allowed_directories = ['{folder}']")
        connection.execute("SET enable_external_access = false")
        connection.execute("SET lock_configuration = true")
        connection.execute(MACROS)
        done = threading.Event()
        threading.Thread(target=_interrupt_late, args=(connection, deadline, done), daemon=True).start()
        try:
            yield connection
        except duckdb.InterruptException as error:
            raise Rejection("too_slow") from error
        except (duckdb.OutOfMemoryException, MemoryError) as error:
            raise Rejection("out_of_memory") from error
        except duckdb.IOException as error:
            if "No space left" in str(error) or shutil.disk_usage(folder).free < 1 << 20:
                raise Rejection("out_of_disk") from error
            raise
        finally:
            done.set()


def _interrupt_late(connection: duckdb.DuckDBPyConnection, deadline: Deadline, done: threading.Event) -> None:
    """Interrupt queries after the deadline, repeatedly: an interrupt between two queries has no effect."""
    if not done.wait(deadline.remaining_s()):
        connection.interrupt()
        while not done.wait(0.1):
            connection.interrupt()


def _source(staged: Staged, columns: Iterable[int]) -> str:
    """Return SQL that selects the staged rows.

    It has each row as the list `j`, and v<index> for `columns`, which is NULL where the text means "no value".

    It has two steps and a plain CASE because DuckDB makes a join of every IN, and 2^n expressions of n nested NULLIFs.
    """
    indexes = list(columns)
    texts = "".join(f", {_upper(_text(index))} AS u{index}" for index in indexes)
    values = "".join(f", {_value(f'u{index}')} AS v{index}" for index in indexes)
    return f"(SELECT j{values} FROM (SELECT j{texts} FROM {_rows(staged)}))"  # noqa: S608 - no text of the file is in it


def _rows(staged: Staged, rows: int | None = None) -> str:
    """Return SQL that reads the staged rows, or the first `rows` of them, as the list `j`."""
    options = f"format='array', records='false', columns={{j: 'VARCHAR[]'}}, maximum_object_size={_ROW_BYTES}"
    source = f"read_json('{staged.rows_file}', {options})"
    return f"(SELECT j FROM {source} LIMIT {rows})" if rows else source  # noqa: S608


def _upper(text: str) -> str:
    """Return SQL for a text without spaces around it and in upper case.

    A long text fits no type, and copies of it would only take memory.
    """
    return f"CASE WHEN strlen({text}) > 100 THEN '?' ELSE upper(trim({text})) END"


def _value(upper: str) -> str:
    """Return SQL that is NULL if a text in upper case means "no value"."""
    return f"CASE {' '.join(f"WHEN {upper} = '{null}' THEN NULL" for null in _NULLS)} ELSE {upper} END"


def _text(index: int) -> str:
    return f"j[{index + 3}]"


def _cast(index: int, type_: str) -> str:
    if type_ == TEXT:
        return _text(index)
    if type_ == "TIMESTAMP":
        return f"timezone('UTC', try_cast(v{index} AS TIMESTAMPTZ))"
    return f"try_cast(v{index} AS {type_})"


def _types(
    connection: duckdb.DuckDBPyConnection, staged: Staged, names: list[str], agreed: dict[str, str], limits: Limits
) -> tuple[dict[int, str], dict[int, str]]:
    """Return the type of each column to write, by index.

    Returns also, for columns that have values of another type, the macro that says which values fit.
    """
    candidates = {index: [agreed[name]] if name in agreed else list(FITS) for index, name in enumerate(names)}
    if staged.rows > _SAMPLE_ROWS:
        open_ = {index: types for index, types in candidates.items() if len(types) > 1}
        for index, counts in _count(connection, staged, open_, _SAMPLE_ROWS).items():
            if counts.values:
                candidates[index] = [type_ for type_, fitting in counts.fits.items() if fitting]
    exact = _count(
        connection, staged, {index: types for index, types in candidates.items() if types and types != [TEXT]}
    )
    types: dict[int, str] = {}
    misfits: dict[int, str] = {}
    for index, name in enumerate(names):
        column = exact.get(index)
        type_ = agreed.get(name) or (choose(column, limits.type_threshold) if column else TEXT)
        if type_ is None:
            _leave_out(connection, staged, index, name)
            continue
        types[index] = type_
        if column and type_ in {TEXT, "TIMESTAMP"} and has_mixed_zones(column.traits):
            staged.warnings.append(
                f"The column {name} has times with a time zone and others without; it is "
                + ("text." if type_ == TEXT else f"{type_}, and those without are read as UTC.")
            )
        if column and type_ != TEXT and (column.values > column.fits[type_] or column.traits & NOT_EXACT):
            misfits[index] = exact_fit(type_, column)
    numbers = {
        index: exact[index].values - exact[index].fits[types[index]] for index in misfits if names[index] not in agreed
    }
    for index in _texts(connection, staged, misfits, numbers):
        types[index] = TEXT
        del misfits[index]
    return types, misfits


def _leave_out(connection: duckdb.DuckDBPyConnection, staged: Staged, index: int, name: str) -> None:
    """Warn of a column that is left out although it has texts."""
    query = f"SELECT {_text(index)} FROM {_source(staged, [])} WHERE {_text(index)} IS NOT NULL LIMIT 1"  # noqa: S608
    if row := connection.execute(query).fetchone():
        staged.warnings.append(f"The column {name} is left out, because it has only words for no value: {row[0]!r}.")


def _texts(
    connection: duckdb.DuckDBPyConnection, staged: Staged, misfits: dict[int, str], numbers: dict[int, int]
) -> set[int]:
    """Return which columns are text, because the values that don't fit are no typing errors.

    `numbers` has the number of such values in each column whose type is not yet agreed.
    """
    texts = {index for index, n in numbers.items() if n > MOST_TYPING_ERRORS or index in staged.quoted}
    unclear = [index for index, n in numbers.items() if n > 1 and index not in texts]
    for indexes in batched(unclear, _COLUMNS_AT_ONCE, strict=False):
        flags = [_misfit(index, misfits[index]) for index in indexes]
        values = ", ".join(f"CASE WHEN {flag} THEN v{index} END" for index, flag in zip(indexes, flags, strict=True))
        query = f"SELECT {values} FROM {_source(staged, indexes)} WHERE {' OR '.join(flags)}"  # noqa: S608
        columns = zip(*connection.execute(query).fetchall(), strict=True)
        for index, column in zip(indexes, columns, strict=True):
            if is_no_typing_error([value for value in column if value is not None]):
                texts.add(index)
    return texts


def _count(
    connection: duckdb.DuckDBPyConnection, staged: Staged, candidates: dict[int, list[str]], rows: int | None = None
) -> dict[int, Counts]:
    """Count, column by column, the values that fit each candidate type; in the first `rows` rows, if given.

    The query has one row for each value, so that its plan is as small for 1000 columns as for one: DuckDB takes 10 ms
    to plan an expression of each column.
    """
    if not candidates:
        return {}
    width = max(candidates) + 1

    def only(indexes: set[int], expression: str) -> str:
        if indexes == set(range(width)):
            return expression
        return f"CASE WHEN [{', '.join(str(index in indexes) for index in range(width))}][i] THEN {expression} END"

    with_type = {type_: {index for index, of in candidates.items() if type_ in of} for type_ in FITS}
    types = [type_ for type_, indexes in with_type.items() if indexes]
    traits = [
        f"coalesce({only(set().union(*(with_type[type_] for type_ in of)), f'{macro}(v)')}, 0)"
        for macro, of in TRAITS.items()
        if of & set(types)
    ]
    fits = "".join(f", count_if({only(with_type[type_], f'{FITS[type_]}(v)')})" for type_ in types)
    counted = f"count(x), count(v), bit_or({' | '.join(traits) or 0}){fits}"
    query = f"SELECT i, {counted} FROM {_values(staged, width, rows)} GROUP BY i"  # noqa: S608 - no text of the file is in it
    counts_by_column = {
        index: Counts(0, 0, 0, dict.fromkeys(of, 0), staged.columns.kinds[index]) for index, of in candidates.items()
    }
    for position, texts, values, traits_of_column, *fitting in connection.execute(query).fetchall():
        if counts := counts_by_column.get(position - 1):
            by_type = dict(zip(types, fitting, strict=True))
            counts.texts, counts.values, counts.traits = texts, values, traits_of_column or 0
            counts.fits = {type_: by_type[type_] or 0 for type_ in counts.fits}
    return counts_by_column


def _values(staged: Staged, width: int, rows: int | None) -> str:
    """Return SQL that selects the values of the first `width` columns, a row for each.

    It has the position `i` from 1, the text `x`, and `v` as in `_source`.
    """
    unnested = f"SELECT unnest(range(1, {width + 1})) AS i, unnest(j[3:{width + 2}]) AS x FROM {_rows(staged, rows)}"  # noqa: S608
    return f"(SELECT i, x, {_value('u')} AS v FROM (SELECT i, x, {_upper('x')} AS u FROM ({unnested})))"  # noqa: S608


def _misfit(index: int, macro: str) -> str:
    return f"(v{index} IS NOT NULL AND NOT coalesce({macro}(v{index}), false))"


def _set_aside(
    connection: duckdb.DuckDBPyConnection,
    staged: Staged,
    names: list[str],
    types: dict[int, str],
    misfits: dict[int, str],
) -> None:
    """Write the rows with a value of a wrong type to the rejects, each with the first such column."""
    indexes = list(misfits)
    flags = [_misfit(index, macro) for index, macro in misfits.items()]
    rows = _source(staged, indexes)
    query = f"SELECT j, list_position([{', '.join(flags)}], true) FROM {rows} WHERE {' OR '.join(flags)}"  # noqa: S608
    result = connection.execute(query)
    with staged.rejects.open("ab") as file:
        while row := result.fetchone():
            (number, line, *values), position = row
            index = indexes[position - 1]
            detail = f"Column {names[index]}: {values[index][:100]!r} does not fit the type {types[index]}."
            reject(
                file, staged, BadRow(int(number), line and int(line), "wrong_type", detail, [raw_of(staged, values)])
            )
            staged.rows -= 1
