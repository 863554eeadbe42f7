"""Convert one file of text data to one Parquet file and one file of rows set aside. No AWS: it runs anywhere."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from converter import staging, tables
from converter.hints import NO_HINTS, Hints
from converter.rejections import Rejection
from converter.staging import Limits
from shared.deadline import Deadline

CONVERTED = "CONVERTED"
REJECTED = "REJECTED"


@dataclass(frozen=True)
class Outcome:
    """The verdict on a file. `facts` is its part of the manifest; the paths are None where there is nothing to keep."""

    status: str
    types: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    parquet: Path | None = None
    rejects: Path | None = None


def rejected(verdict: Rejection) -> Outcome:
    """Return the outcome of a file that was not read, or not to its end."""
    return Outcome(REJECTED, facts={"reason": verdict.code, "reason_text": verdict.text, "rows": 0, "rejected": 0})


def convert(  # noqa: PLR0913, PLR0917 - the file, and what is known of it and of its dataset
    source: Path, name: str, types: dict[str, str], limits: Limits, deadline: Deadline, hints: Hints = NO_HINTS
) -> Outcome:
    """Convert the file `source`, uploaded as `name`, within its folder. Removes `source` after reading it.

    `types` are the known types of the dataset's columns; `hints` are what somebody says about the file. Whatever the
    file holds, the result is an outcome, not an exception.
    """
    try:
        staged = staging.empty_stage(source, name, hints)
    except Rejection as verdict:
        return rejected(verdict)
    try:
        with _disk_space():
            staging.stage(source, name, staged, limits, deadline)
            source.unlink()
            written = tables.write(staged, types, limits, deadline)
    except Rejection as verdict:
        facts = _facts(staged) | {"reason": verdict.code, "reason_text": verdict.text, "rows": 0}
        return Outcome(REJECTED, facts=facts, rejects=staged.rejects if staged.rejected else None)
    sources = dict(zip(staged.columns.names(), staged.columns.sources, strict=True))
    columns = [{"name": name, "type": type_, "source": sources[name]} for name, type_ in written.items()]
    empty = [name for name in sources if name not in written]
    facts = _facts(staged) | {
        "columns": columns,
        "empty_columns": empty,
        "parquet_bytes": staged.parquet.stat().st_size,
    }
    return Outcome(CONVERTED, written, facts, staged.parquet, staged.rejects if staged.rejected else None)


@contextmanager
def _disk_space() -> Iterator[None]:
    """Turn "no space left" into a Rejection: another attempt would run out of space too."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise Rejection("out_of_disk") from error
        raise


def _facts(staged: staging.Staged) -> dict[str, Any]:
    return {
        "format": staged.format,
        "compression": staged.compression,
        "encoding": staged.encoding,
        "delimiter": staged.delimiter,
        "header": staged.header,
        "rows": staged.rows,
        "rejected": staged.rejected.total(),
        "rejected_by_reason": dict(sorted(staged.rejected.items())),
        "warnings": staged.warnings,
    }
