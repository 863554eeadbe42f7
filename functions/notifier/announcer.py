"""Announce the changes in a batch of stream records in order, each change once on every channel."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from notifier.channels import Channel, Refused
from notifier.malformed import MalformedRecords
from notifier.notices import Malformed, Notice, notice_of
from shared.claims import Busy, Claims
from shared.deadline import Deadline
from shared.observability import MetricUnit, logger, metrics

# The longest time for one notice if nothing fails
_NOTICE_S = 3.0
# The pause between two attempts to note that a channel has a notice
_NOTE_PAUSE_S = 1.0


class Announcer:
    """The announcer of notices: it claims each notice, gives it to the channels and closes the claim."""

    def __init__(
        self,
        claims: Claims,
        malformed: MalformedRecords,
        channels: Sequence[Channel],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """A notice goes to the `channels` in their order."""
        self._claims = claims
        self._malformed = malformed
        self._channels = channels
        self._sleep = sleep

    def process(self, records: Sequence[Mapping[str, Any]], deadline: Deadline) -> str | None:
        """Announce the changes that the records describe, in order.

        Returns the sequence number of the first record that Lambda must retry, or None if all are done. Records after
        this one are not read. A malformed record is stored for the operators and skipped, because a retry would fail
        too.

        If the first of several records fails, its error is raised. If its number were returned, Lambda would retry the
        same batch and finally discard all of it. After an error, Lambda splits the batch in halves until the failing
        record is the only one.
        """
        for index, record in enumerate(records):
            try:
                if not deadline.allows(_NOTICE_S):
                    raise TimeoutError("the invocation's time is up")
                self._process(record, deadline)
            except Exception as error:
                passes = isinstance(error, Busy | TimeoutError)
                if not index and len(records) > 1 and not passes:
                    raise
                logger.warning("to be retried", exc_info=not passes, extra={"problem": str(error)})
                # If the record has no sequence number, the empty string makes Lambda retry the whole batch. Claims
                # prevent duplicate notices.
                return str((record.get("dynamodb") or {}).get("SequenceNumber", ""))
        return None

    def _process(self, record: Mapping[str, Any], deadline: Deadline) -> None:
        try:
            notice = notice_of(record)
        except Malformed as problem:
            logger.error("malformed record skipped", extra={"event_id": record.get("eventID"), "problem": str(problem)})
            metrics.add_metric("MalformedRecords", MetricUnit.Count, 1)
            self._malformed.keep(str(record.get("eventID")), str(problem))
            return
        if notice:
            self._announce(notice, deadline)

    def _announce(self, notice: Notice, deadline: Deadline) -> None:
        finished_channels = self._begin(notice, deadline)
        if finished_channels is None:
            logger.info("announced before", extra=_named(notice))
            return
        try:
            for channel in self._channels:
                if notice.status in channel.statuses and channel.name not in finished_channels:
                    self._give(notice, channel, deadline)
        except Exception:
            self._claims.release(notice.id)
            raise
        self._claims.close(notice.id)
        metrics.add_metric("Notices", MetricUnit.Count, 1)
        logger.info("announced", extra=_named(notice) | {"image_id": notice.image_id, "status": notice.status})

    def _begin(self, notice: Notice, deadline: Deadline) -> frozenset[str] | None:
        try:
            return self._claims.begin(notice.id)
        except Busy as busy:
            # Most likely the previous invocation died. Waiting here saves one of the stream's few retries.
            if not deadline.allows(busy.seconds + _NOTICE_S):
                raise
            self._sleep(busy.seconds + 0.1)
            return self._claims.begin(notice.id)

    def _give(self, notice: Notice, channel: Channel, deadline: Deadline) -> None:
        try:
            channel.give(notice)
        except Refused as refusal:
            # Another attempt would fail too, and would delay every later change of the shard.
            logger.error("notice refused", extra=_named(notice) | {"channel": channel.name, "problem": str(refusal)})
            metrics.add_metric("RefusedNotices", MetricUnit.Count, 1)
        self._note(notice, channel, deadline)

    def _note(self, notice: Notice, channel: Channel, deadline: Deadline) -> None:
        """Note that the channel has the notice. A failed attempt is repeated until the deadline.

        Without the note, the channel would get the notice twice.
        """
        while True:
            try:
                return self._claims.note(notice.id, channel.name)
            except (BotoCoreError, ClientError) as error:
                if not deadline.allows(_NOTE_PAUSE_S + _NOTICE_S):
                    raise
                logger.warning("not noted yet", extra=_named(notice) | {"problem": str(error)})
                self._sleep(_NOTE_PAUSE_S)


def _named(notice: Notice) -> dict[str, Any]:
    """Return the log fields that identify a notice."""
    return {"correlation_id": notice.correlation_id, "notice_id": notice.id}
