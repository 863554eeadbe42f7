"""Write staged rows as Parquet with DuckDB.

The type of a column depends on all rows of the file. Rows that don't fit the types are set aside.
"""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import batched
from pathlib import Path
from typing import Any

import duckdb

from converter.choice import MOST_TYPING_ERRORS, TEXT, choose, exact_fit, is_not_a_typing_error
from converter.counting import count
from converter.macros import FITS, MACROS, NOT_EXACT, has_mixed_zones
from converter.queries import source, text
from converter.rejections import Rejection
from converter.rows import BadRow
from converter.staging import Limits, Staged, raw_of, reject
from shared.deadline import Deadline

TYPES = (*FITS, TEXT)
_SAMPLE_ROWS = 2000
# DuckDB takes 10 ms to plan an expression of each column.
_COLUMNS_AT_ONCE = 100
# DuckDB buffers a whole row group in more than one form.
_ROW_GROUPS_IN_MEMORY = 32


def write(staged: Staged, agreed: dict[str, str], limits: Limits, deadline: Deadline) -> dict[str, str]:
    """Write `staged.parquet`, and return the type of each column in it.

    Rows that don't fit go to `staged.rejects` and no longer count in `staged.rows`. `agreed` contains the types of the
    dataset's known columns. The types of other columns are detected. An empty column of unknown type is left out,
    because any guess could contradict the dataset's other files. Raises Rejection.
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
            f"COPY (SELECT {columns} FROM {source(staged, typed)} WHERE true{where}) TO '{staged.parquet}' "  # noqa: S608
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE_BYTES "
            f"'{limits.memory_limit_mb // _ROW_GROUPS_IN_MEMORY}MB')"
        )
        if result.fetchone() != (staged.rows,):
            raise RuntimeError(f"not all of {staged.rows} rows were written")
    return {names[index]: type_ for index, type_ in types.items()}


@contextmanager
def _connection(folder: Path, limits: Limits, deadline: Deadline) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open DuckDB without network or extensions. It can access only `folder`.

    Raises Rejection at the deadline or if DuckDB runs out of memory or disk space.
    """
    scratch = folder / "scratch"
    scratch.mkdir(exist_ok=True)
    config: dict[str, Any] = {
        "memory_limit": f"{limits.memory_limit_mb}MB",
        # With one thread, rows keep their order, and the same input results in the same bytes.
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
    """Interrupt queries after the deadline. Repeat it, because an interrupt between two queries has no effect."""
    if not done.wait(deadline.remaining_s()):
        connection.interrupt()
        while not done.wait(0.1):
            connection.interrupt()


def _cast(index: int, type_: str) -> str:
    if type_ == TEXT:
        return text(index)
    if type_ == "TIMESTAMP":
        return f"timezone('UTC', try_cast(v{index} AS TIMESTAMPTZ))"
    return f"try_cast(v{index} AS {type_})"


def _types(
    connection: duckdb.DuckDBPyConnection, staged: Staged, names: list[str], agreed: dict[str, str], limits: Limits
) -> tuple[dict[int, str], dict[int, str]]:
    """Return two dicts by column index: the types of the columns to write, and the macros of columns with misfits.

    The macro returns whether a value fits the column's type.
    """
    candidates = {index: [agreed[name]] if name in agreed else list(FITS) for index, name in enumerate(names)}
    if staged.rows > _SAMPLE_ROWS:
        open_ = {index: types for index, types in candidates.items() if len(types) > 1}
        for index, counts in count(connection, staged, open_, _SAMPLE_ROWS).items():
            if counts.values:
                candidates[index] = [type_ for type_, fitting in counts.fits.items() if fitting]
    exact = count(
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
    """Add a warning if a column that is left out contains texts."""
    query = f"SELECT {text(index)} FROM {source(staged, [])} WHERE {text(index)} IS NOT NULL LIMIT 1"  # noqa: S608
    if row := connection.execute(query).fetchone():
        staged.warnings.append(f"The column {name} is left out, because it has only words for no value: {row[0]!r}.")


def _texts(
    connection: duckdb.DuckDBPyConnection, staged: Staged, misfits: dict[int, str], numbers: dict[int, int]
) -> set[int]:
    """Return the columns that must be text, because the values that don't fit are not typing errors.

    `numbers` contains the number of misfits in each column whose type the dataset does not know yet.
    """
    texts = {index for index, n in numbers.items() if n > MOST_TYPING_ERRORS or index in staged.quoted}
    unclear = [index for index, n in numbers.items() if n > 1 and index not in texts]
    for indexes in batched(unclear, _COLUMNS_AT_ONCE, strict=False):
        flags = [_misfit(index, misfits[index]) for index in indexes]
        values = ", ".join(f"CASE WHEN {flag} THEN v{index} END" for index, flag in zip(indexes, flags, strict=True))
        query = f"SELECT {values} FROM {source(staged, indexes)} WHERE {' OR '.join(flags)}"  # noqa: S608
        columns = zip(*connection.execute(query).fetchall(), strict=True)
        for index, column in zip(indexes, columns, strict=True):
            if is_not_a_typing_error([value for value in column if value is not None]):
                texts.add(index)
    return texts


def _misfit(index: int, macro: str) -> str:
    return f"(v{index} IS NOT NULL AND NOT coalesce({macro}(v{index}), false))"


def _set_aside(
    connection: duckdb.DuckDBPyConnection,
    staged: Staged,
    names: list[str],
    types: dict[int, str],
    misfits: dict[int, str],
) -> None:
    """Write the rows with a value of a wrong type to the rejects. The reason names the first such column."""
    indexes = list(misfits)
    flags = [_misfit(index, macro) for index, macro in misfits.items()]
    rows = source(staged, indexes)
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
