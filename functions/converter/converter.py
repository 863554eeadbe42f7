"""Convert an uploaded object, store the outcome in the analytics bucket, and optionally register a table in Glue."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from converter.conversion import CONVERTED, Outcome, convert, rejected
from converter.glue import Tables, table_of
from converter.hints import Hints, hints_of
from converter.rejections import Rejection
from converter.scratch import scratch
from converter.settings import Settings
from converter.sources import Source
from converter.staging import Limits
from converter.storage import Analytics, Contention, Gone, Schema, Uploads
from shared.deadline import Deadline

_ATTEMPTS = 3
_REPORTED = ("rows", "rejected", "reason", "reason_text")

type Convert = Callable[[Path, str, dict[str, str], Limits, Deadline, Hints], Outcome]


class Converter:
    """The conversion of uploaded objects, from the download to the manifest."""

    def __init__(
        self,
        settings: Settings,
        uploads: Uploads,
        analytics: Analytics,
        tables: Tables | None,
        convert: Convert = convert,
    ) -> None:
        """Without `tables`, nothing is registered in Glue."""
        self._settings = settings
        self._uploads = uploads
        self._analytics = analytics
        self._tables = tables
        self._convert = convert

    def handle(self, source: Source, deadline: Deadline) -> tuple[str, dict[str, Any]]:
        """Convert one object.

        Returns the status and the facts to report. The status is CONVERTED, REJECTED, OUTDATED (a newer version was
        converted first) or GONE (the version no longer exists).
        """
        if self._analytics.is_outdated(source):
            self._analytics.remove_unfinished(source)
            return "OUTDATED", {}
        for attempt in range(_ATTEMPTS):
            with scratch() as folder:
                known = self._analytics.schema(source.dataset)
                try:
                    outcome = self._outcome(source, folder / "source", known, deadline)
                except Gone:
                    self._analytics.remove_unfinished(source)
                    return "GONE", {}
                if attempt and outcome.facts.get("reason") == "too_slow":
                    # Earlier attempts used up the time, so the file itself may not be too slow.
                    break
                try:
                    limit = self._settings.max_dataset_columns
                    schema = self._analytics.extend_schema(source, outcome.types, known, limit)
                except Rejection as verdict:
                    return self._finish(source, rejected(verdict), known)
                if schema is not None:
                    return self._finish(source, outcome, schema)
        raise Contention(f"others gave columns of {source.dataset} other types")

    def _outcome(self, source: Source, file: Path, known: Schema, deadline: Deadline) -> Outcome:
        """Download and convert an object. Raises Gone."""
        try:
            metadata = self._uploads.download(source, file, self._settings.max_bytes)
            hints = hints_of(metadata, known.document)
            return self._convert(file, source.key, known.columns, self._settings.limits, deadline, hints)
        except Rejection as verdict:
            return rejected(verdict)

    def _finish(self, source: Source, outcome: Outcome, schema: Schema) -> tuple[str, dict[str, Any]]:
        """Store the outcome and register the dataset in Glue."""
        if not self._analytics.commit(source, outcome):
            return "OUTDATED", {}
        if outcome.status == CONVERTED and self._tables:
            self._tables.register(table_of(source.dataset, schema.columns, self._settings.analytics_bucket))
        return outcome.status, {name: outcome.facts[name] for name in _REPORTED if name in outcome.facts}
