"""A schedule (EventBridge rule) -> the summary of the day before, by mail and notice, once."""

from datetime import UTC, datetime
from typing import Any

from digest.catalog import depth_of, images_of
from digest.channels import channels
from digest.claims import CLAIMED, SENT, claim, close, note
from digest.settings import Settings
from digest.summary import Summary, day_of, summarize
from shared.deadline import Deadline, LambdaContext
from shared.observability import MetricUnit, logger, metrics, with_metrics
from shared.settings import load

settings = load(Settings)


@with_metrics
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Send one day's digest. Raises for what is worth another try: what was sent by then is not sent again."""
    day, deadline = day_of(event), Deadline(context)
    is_over = day < datetime.now(UTC).date().isoformat() or "day" not in event
    # What is asked for in the course of a day does not take the place of that day's digest.
    digest_id = day if is_over else f"{day}#{context.aws_request_id}"
    claimed = claim(settings.state_table, digest_id, context.aws_request_id, deadline.remaining_s(), settings.keep_days)
    if claimed.status != CLAIMED:
        logger.info("nothing to do", extra={"day": day, "status": claimed.status})
        return {"day": day, "status": claimed.status}
    summary = summarize(day, images_of(settings.catalog_table, day, deadline), settings.newest, settings.max_images)
    summary.is_over = is_over
    summary.dlq_depths = {url.rsplit("/", 1)[-1]: depth_of(url) for url in settings.queues}
    send(digest_id, summary, claimed.given)
    close(settings.state_table, digest_id, summary)
    logger.info("digest", extra=summary.as_dict())
    metrics.add_metric("DigestsSent", MetricUnit.Count, 1)
    return {"status": SENT, **summary.as_dict()}


def send(digest_id: str, summary: Summary, given: frozenset[str]) -> None:
    """Use every channel that has not been used; one that fails does not keep the others from it, and is raised in the end."""
    failures: list[Exception] = []
    for name, channel in channels(settings).items():
        if name in given:
            continue
        try:
            channel(summary, settings)
            note(settings.state_table, digest_id, name)
        except Exception as error:
            logger.exception("channel failed", extra={"channel": name, "digest": digest_id})
            failures.append(error)
    if failures:
        raise failures[0]
