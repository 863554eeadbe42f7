"""Decide whether an event is newer than the recorded one. SQS delivers events late, twice and out of order.

S3 gives each event of a key a sequencer that grows (shared/sequencers.py). An event with a smaller sequencer than the
recorded one is stale. Where sequencers are missing, or equal although the versions differ (an operator's events, some
emulators), S3 is asked which version is current.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from shared.sequencers import compare
from thumbnailer.events import Kind, ObjectEvent


@dataclass(frozen=True)
class Version:
    """One version of an object: by its id, or by its ETag in a bucket without versions."""

    version_id: str | None
    etag: str | None
    # ISO 8601 in UTC; None unless S3 was asked
    uploaded_at: str | None = field(default=None, compare=False)

    def is_same_as(self, version_id: str | None, etag: str | None) -> bool:
        """Return whether both mean the same content."""
        if self.version_id or version_id:
            return self.version_id == version_id
        return self.etag == etag


@dataclass(frozen=True)
class Recorded:
    """The facts about an object in the catalog that later events depend on.

    `revision` grows with every write of the item: it is an optimistic lock.
    """

    status: str
    version_id: str | None = None
    etag: str | None = None
    sequencer: str | None = None
    revision: int = 0
    thumbnail_keys: frozenset[str] = frozenset()
    # The item as a whole, of which a deletion keeps a part
    item: Mapping[str, Any] = field(default_factory=dict, hash=False, compare=False, repr=False)

    @property
    def is_rejected(self) -> bool:
        """Return whether the object is recorded as rejected."""
        return self.status == "REJECTED"

    @property
    def is_deleted(self) -> bool:
        """Return whether the object is recorded as deleted."""
        return self.status == "DELETED"

    def holds(self, current: Version | None) -> bool:
        """Return whether `current` (None: no object) is the recorded version."""
        if current is None or self.is_deleted:
            return current is None and self.is_deleted
        return current.is_same_as(self.version_id, self.etag)


class Decision(Enum):
    """The decision about an event."""

    TAKE = "the event itself says what is current"
    ASK = "S3 must say what is current"
    DUPLICATE = "the catalog says what the event says"
    STALE = "something later is recorded"


def is_newer(event: ObjectEvent, recorded: Recorded) -> bool:
    """Return whether the sequencers prove that the event happened after the recorded one."""
    return compare(event.sequencer, recorded.sequencer) == 1


def _is_older(event: ObjectEvent, recorded: Recorded) -> bool:
    return compare(event.sequencer, recorded.sequencer) == -1


def _says_the_same(event: ObjectEvent, recorded: Recorded) -> bool:
    if event.kind is Kind.CREATED:
        return recorded.holds(Version(event.version_id, event.etag))
    return event.kind is Kind.DELETED and recorded.is_deleted and event.version_id == recorded.version_id


def asks_to_retry(event: ObjectEvent, recorded: Recorded | None) -> bool:
    """Return whether the event asks to handle a rejected object again."""
    return recorded is not None and recorded.is_rejected and event.asks_to_retry


def reopens(event: ObjectEvent, recorded: Recorded) -> bool:
    """Return whether a recorded version is handled again: an operator asks for it, or the reason may have passed.

    The reason of a rejection may have passed if its object was restored, or uploaded again with the same content.
    """
    uploaded_again = recorded.is_rejected and event.kind is Kind.CREATED and is_newer(event, recorded)
    return event.asks_to_remake or asks_to_retry(event, recorded) or uploaded_again


def decide(event: ObjectEvent, recorded: Recorded | None) -> Decision:
    """Return what to do about `event` when the catalog holds `recorded` (None: nothing)."""
    if event.asks_to_remake or asks_to_retry(event, recorded):
        return Decision.ASK
    if recorded is not None:
        if _is_older(event, recorded):
            return Decision.STALE
        if not is_newer(event, recorded):
            return Decision.DUPLICATE if _says_the_same(event, recorded) else Decision.ASK
    return Decision.ASK if event.kind is Kind.VERSION_REMOVED or event.sequencer is None else Decision.TAKE
