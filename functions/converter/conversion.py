"""Convert one file of text data to one Parquet file and one file of rows set aside, without AWS."""

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
    """The result of converting one file.

    `facts` are stored in the manifest. `parquet` and `rejects` are None if there is no such file.
    """

    status: str
    types: dict[str, str] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    parquet: Path | None = None
    rejects: Path | None = None


def rejected(verdict: Rejection) -> Outcome:
    """Return the outcome of a file that was not read, or not read to its end."""
    return Outcome(REJECTED, facts={"reason": verdict.code, "reason_text": verdict.text, "rows": 0, "rejected": 0})


def convert(  # noqa: PLR0913, PLR0917 - the file, and what is known of it and of its dataset
    source: Path, name: str, types: dict[str, str], limits: Limits, deadline: Deadline, hints: Hints = NO_HINTS
) -> Outcome:
    """Convert the file `source`, which was uploaded as `name`. Removes `source` after reading it.

    The results are in the folder of `source`. `types` are the known types of the dataset's columns. `hints` come from
    the uploader or the dataset's schema. No content of a file raises an exception: a bad file has the status REJECTED.
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
    """Turn "no space left" into a Rejection, because another attempt would run out of space too."""
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
