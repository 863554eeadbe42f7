"""Count, column by column, the values that fit each type."""

import duckdb

from converter.choice import Counts
from converter.macros import FITS, TRAITS
from converter.queries import source, staged_rows, text, upper, value
from converter.staging import Staged

# `count_in_columns` takes 10 ms per column to plan, whatever the rows. `count_in_rows` takes 0.1 us more per value.
# Both take the same time for 30,000 rows of 11 columns. With more columns, `count_in_columns` is slower, because their
# vectors don't fit into the CPU's cache.
_ROWS_WORTH_A_PLAN = 50_000
_MOST_COLUMNS_IN_PLAN = 32

type Candidates = dict[int, list[str]]


def count(
    connection: duckdb.DuckDBPyConnection, staged: Staged, candidates: Candidates, rows: int | None = None
) -> dict[int, Counts]:
    """Return for each column how many values fit each of its candidate types, in the first `rows` rows if set."""
    if not candidates:
        return {}
    is_worth_a_plan = (rows or staged.rows) >= _ROWS_WORTH_A_PLAN and len(candidates) <= _MOST_COLUMNS_IN_PLAN
    return (count_in_columns if is_worth_a_plan else count_in_rows)(connection, staged, candidates, rows)


def count_in_columns(
    connection: duckdb.DuckDBPyConnection, staged: Staged, candidates: Candidates, rows: int | None = None
) -> dict[int, Counts]:
    """Count with separate expressions for each column, which is fastest for a narrow and long file."""
    expressions: list[str] = []
    for index, types in candidates.items():
        traits = [f"coalesce({macro}(v{index}), 0)" for macro, of in TRAITS.items() if of & set(types)]
        fits = [f"count_if({FITS[type_]}(v{index}))" for type_ in types]
        expressions += [f"count({text(index)})", f"count(v{index})", f"bit_or({' | '.join(traits) or 0})", *fits]
    query = f"SELECT {', '.join(expressions)} FROM {source(staged, candidates, rows)}"  # noqa: S608 - no text of the file is in it
    results = iter(connection.execute(query).fetchone() or ())
    counts_by_column: dict[int, Counts] = {}
    for index, types in candidates.items():
        texts, values, traits_of_column = next(results), next(results), next(results) or 0
        fitting = {type_: next(results) or 0 for type_ in types}
        counts_by_column[index] = Counts(texts, values, traits_of_column, fitting, staged.columns.kinds[index])
    return counts_by_column


def count_in_rows(
    connection: duckdb.DuckDBPyConnection, staged: Staged, candidates: Candidates, rows: int | None = None
) -> dict[int, Counts]:
    """Count with a row for each value, so that the plan is as small for 1000 columns as for one."""
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
    """Return SQL that selects the values of the first `width` columns, with one row for each value.

    A row has the position `i` of the column, which begins at 1, the text `x`, and the value `v` as in `queries.source`.
    """
    unnested = (
        f"SELECT unnest(range(1, {width + 1})) AS i, unnest(j[3:{width + 2}]) AS x FROM {staged_rows(staged, rows)}"  # noqa: S608
    )
    return f"(SELECT i, x, {value('u')} AS v FROM (SELECT i, x, {upper('x')} AS u FROM ({unnested})))"  # noqa: S608
