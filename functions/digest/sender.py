"""Send the digest of a day once, on every channel."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from digest.catalog import Catalog
from digest.channels import Channel
from digest.queues import Queues
from digest.summary import Limits, Summary, day_of, summarize
from shared.claims import Busy, Claims
from shared.observability import MetricUnit, logger, metrics

SENT = "SENT"
BUSY = "BUSY"


class Sender:
    """The sender of a day's digest: it claims the digest, summarizes the day, and sends the summary."""

    def __init__(
        self, catalog: Catalog, queues: Queues, channels: Sequence[Channel], claims: Claims, limits: Limits
    ) -> None:
        """`queues` are the dead-letter queues in the digest."""
        self._catalog = catalog
        self._queues = queues
        self._channels = channels
        self._claims = claims
        self._limits = limits

    def send(self, event: Mapping[str, Any], request_id: str) -> dict[str, Any]:
        """Send the digest of the day in `event`. `request_id` is the invocation's id, which stays the same in a retry.

        Returns the summary with the status SENT. Returns only the day and the status if the digest was sent before
        (SENT) or another invocation is sending it (BUSY). If a channel fails, the others are still used, and then the
        first failure is raised.
        """
        day = day_of(event)
        is_over = day < datetime.now(UTC).date().isoformat() or "day" not in event
        # A digest that somebody requests during the day must not replace the day's scheduled digest.
        digest_id = day if is_over else f"{day}#{request_id}"
        try:
            finished_channels = self._claims.begin(digest_id, request_id)
        except Busy:
            return self._nothing_to_do(day, BUSY)
        if finished_channels is None:
            return self._nothing_to_do(day, SENT)
        summary = summarize(day, self._catalog.images_of(day), self._limits)
        summary.is_over = is_over
        summary.dlq_depths = self._queues.depths()
        self._send(digest_id, summary, finished_channels)
        self._claims.close(digest_id, status=SENT, document=json.dumps(summary.as_dict()))
        logger.info("digest", extra=summary.as_dict())
        metrics.add_metric("DigestsSent", MetricUnit.Count, 1)
        return {"status": SENT, **summary.as_dict()}

    def _nothing_to_do(self, day: str, status: str) -> dict[str, Any]:
        logger.info("nothing to do", extra={"day": day, "status": status})
        return {"day": day, "status": status}

    def _send(self, digest_id: str, summary: Summary, finished_channels: frozenset[str]) -> None:
        failures: list[Exception] = []
        for channel in self._channels:
            if channel.name in finished_channels:
                continue
            try:
                channel.send(summary)
                self._claims.note(digest_id, channel.name)
            except Exception as error:
                logger.exception("channel failed", extra={"channel": channel.name, "digest": digest_id})
                failures.append(error)
        if failures:
            raise failures[0]
