"""The Lambda handler, which converts CSV, JSON and JSON lines to Parquet. S3 invokes it asynchronously."""

from typing import Any

from converter.converter import Converter
from converter.glue import Tables
from converter.scratch import sweep
from converter.settings import Settings
from converter.sources import sources
from converter.storage import Analytics, Uploads
from shared.clients import Clients, client
from shared.deadline import Deadline, LambdaContext
from shared.observability import MetricUnit, logger, metrics, with_metrics
from shared.settings import load

SETTINGS = load(Settings)
sweep()


@with_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Convert every object of the event. After a temporary error, which it raises, Lambda retries the whole event."""
    # Reserve time for the upload of the outcome after the conversion.
    deadline = Deadline(context, reserve_s=min(30.0, context.get_remaining_time_in_millis() / 4000))
    converter = converter_of(SETTINGS, client)
    results = []
    for source in sources(event, SETTINGS.raw_prefix):
        status, facts = converter.handle(source, deadline)
        results.append({"key": source.key, "status": status, **facts})
        logger.info(
            status, extra={"bucket": source.bucket, "key": source.key, "version_id": source.version_id, **facts}
        )
        metrics.add_metric(f"Files{status.title()}", MetricUnit.Count, 1)
        metrics.add_metric("RowsConverted", MetricUnit.Count, facts.get("rows", 0))
        metrics.add_metric("RowsRejected", MetricUnit.Count, facts.get("rejected", 0))
    return {"results": results}


def converter_of(settings: Settings, clients: Clients) -> Converter:
    """Return a Converter that registers tables if a Glue database is set."""
    s3 = clients("s3")
    uploads = Uploads(s3)
    tables = Tables(clients("glue"), settings.glue_database) if settings.glue_database else None
    return Converter(settings, uploads, Analytics(s3, settings.analytics_bucket, uploads), tables)
