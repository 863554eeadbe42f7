"""Works through a batch of stream records in order, each change announced once on every channel."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from notifier.channels import Channel, Refused
from notifier.claims import Busy, Claims
from notifier.notices import Malformed, Notice, notice_of
from shared.deadline import Deadline
from shared.observability import MetricUnit, logger, metrics

# What one notice takes at most when all is well.
_NOTICE_S = 3.0
# Between two tries to note what was given
_NOTE_PAUSE_S = 1.0


class Announcer:
    """Claims, gives and closes notices."""

    def __init__(self, claims: Claims, channels: Sequence[Channel], sleep: Callable[[float], None] = time.sleep) -> None:
        """The order of `channels` is kept."""
        self._claims = claims
        self._channels = channels
        self._sleep = sleep

    def process(self, records: Sequence[Mapping[str, Any]], deadline: Deadline) -> str | None:
        """Announce what the records call for, in order.

        Returns the sequence number of the first record that has to come again, after which none was looked at; None if all
        are done. A record that can't be understood is recorded and skipped: it would be the same the next time. Raises what
        is wrong with the first of several: told its number, Lambda would send the same batch again, and set aside all of it in
        the end; a batch that fails as a whole it halves, until the record is alone.
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
                # Without a number, the empty one has Lambda send the whole batch again, which the claims make harmless.
                return str((record.get("dynamodb") or {}).get("SequenceNumber", ""))
        return None

    def _process(self, record: Mapping[str, Any], deadline: Deadline) -> None:
        try:
            notice = notice_of(record)
        except Malformed as problem:
            logger.error("malformed record skipped", extra={"event_id": record.get("eventID"), "problem": str(problem)})
            metrics.add_metric("MalformedRecords", MetricUnit.Count, 1)
            self._claims.record_malformed(str(record.get("eventID")), str(problem))
            return
        if notice:
            self._announce(notice, deadline)

    def _announce(self, notice: Notice, deadline: Deadline) -> None:
        given = self._begin(notice, deadline)
        if given is None:
            logger.info("announced before", extra=_named(notice))
            return
        try:
            for channel in self._channels:
                if notice.status in channel.statuses and channel.name not in given:
                    self._give(notice, channel, deadline)
        except Exception:
            self._claims.release(notice.id)
            raise
        self._claims.close(notice.id)
        metrics.add_metric("Notices", MetricUnit.Count, 1)
        logger.info("announced", extra=_named(notice) | {"image_id": notice.image_id, "status": notice.status})

    def _begin(self, notice: Notice, deadline: Deadline) -> set[str] | None:
        try:
            return self._claims.begin(notice.id)
        except Busy as busy:
            # Most likely the invocation before died; waiting here spends none of the stream's few retries.
            if not deadline.allows(busy.seconds + _NOTICE_S):
                raise
            self._sleep(busy.seconds + 0.1)
            return self._claims.begin(notice.id)

    def _give(self, notice: Notice, channel: Channel, deadline: Deadline) -> None:
        try:
            channel.give(notice)
        except Refused as refusal:
            # Repeating it can't help, and would hold up every later change of the shard.
            logger.error("notice refused", extra=_named(notice) | {"channel": channel.name, "problem": str(refusal)})
            metrics.add_metric("RefusedNotices", MetricUnit.Count, 1)
        self._note(notice, channel, deadline)

    def _note(self, notice: Notice, channel: Channel, deadline: Deadline) -> None:
        """Until it works, or time is up: what is given but not noted would be given again."""
        while True:
            try:
                return self._claims.note(notice.id, channel.name)
            except (BotoCoreError, ClientError) as error:
                if not deadline.allows(_NOTE_PAUSE_S + _NOTICE_S):
                    raise
                logger.warning("not noted yet", extra=_named(notice) | {"problem": str(error)})
                self._sleep(_NOTE_PAUSE_S)


def _named(notice: Notice) -> dict[str, Any]:
    """By what a log line can be found."""
    return {"correlation_id": notice.correlation_id, "notice_id": notice.id}
