"""S3 upload of CSV, JSON or JSON lines (invoked by S3 directly, asynchronously) -> Parquet in the analytics bucket."""

from typing import Any

from converter.conversion import CONVERTED, Outcome, convert, rejected
from converter.glue import register, table_of
from converter.rejections import Rejection
from converter.scratch import scratch, sweep
from converter.settings import Settings
from converter.sources import Source, sources
from converter.storage import Analytics, Contention, Gone, download
from shared.deadline import Deadline, LambdaContext
from shared.observability import MetricUnit, logger, metrics, with_metrics
from shared.settings import load

settings = load(Settings)
analytics = Analytics(settings.analytics_bucket)
sweep()


@with_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Convert every object of the event. Raises for what is worth another try: Lambda then repeats the whole event."""
    # The upload of the outcome comes after the conversion.
    deadline = Deadline(context, reserve_s=min(30.0, context.get_remaining_time_in_millis() / 4000))
    results = []
    for source in sources(event, settings.raw_prefix):
        status, facts = process(source, deadline)
        results.append({"key": source.key, "status": status, **facts})
        logger.info(status, extra={"bucket": source.bucket, "key": source.key, "version_id": source.version_id, **facts})
        metrics.add_metric(f"Files{status.title()}", MetricUnit.Count, 1)
        metrics.add_metric("RowsConverted", MetricUnit.Count, facts.get("rows", 0))
        metrics.add_metric("RowsRejected", MetricUnit.Count, facts.get("rejected", 0))
    return {"results": results}


def process(source: Source, deadline: Deadline) -> tuple[str, dict[str, Any]]:
    """Convert one object: CONVERTED, REJECTED, OUTDATED (a newer version was first) or GONE; and the facts of it."""
    if analytics.is_outdated(source):
        analytics.remove_unfinished(source)
        return "OUTDATED", {}
    for attempt in range(3):
        with scratch() as folder:
            known, etag = analytics.schema(source.dataset)
            try:
                download(source, folder / "source", settings.max_bytes)
                outcome = convert(folder / "source", source.key, known, settings.limits, deadline)
            except Gone:
                analytics.remove_unfinished(source)
                return "GONE", {}
            except Rejection as verdict:
                outcome = rejected(verdict)
            if attempt and outcome.facts.get("reason") == "too_slow":
                # Only because it is not the first conversion within this time
                break
            schema = analytics.extend_schema(source.dataset, outcome.types, known, etag)
            if schema is not None:
                return finish(source, outcome, schema)
    raise Contention(f"others gave columns of {source.dataset} other types")


def finish(source: Source, outcome: Outcome, schema: dict[str, str]) -> tuple[str, dict[str, Any]]:
    """Store the outcome; tell Glue of the dataset."""
    if not analytics.commit(source, outcome):
        return "OUTDATED", {}
    if outcome.status == CONVERTED and settings.glue_database:
        register(settings.glue_database, table_of(source.dataset, schema, settings.analytics_bucket))
    return outcome.status, {name: outcome.facts[name] for name in ("rows", "rejected", "reason", "reason_text") if name in outcome.facts}
