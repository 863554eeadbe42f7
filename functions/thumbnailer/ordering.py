"""Decide whether an event is newer than the recorded one. SQS delivers events late, twice and out of order.

S3 gives each event of a key a larger sequencer than the one before (shared/sequencers.py). An event with a smaller
sequencer than the recorded one is stale. Events from operators or some emulators have no sequencer, or the same one for
different versions. Then a request to S3 returns the current version.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from shared.sequencers import compare
from thumbnailer.events import Kind, ObjectEvent


@dataclass(frozen=True)
class Version:
    """One version of an object, identified by its id, or by its ETag in a bucket without versioning."""

    version_id: str | None
    etag: str | None
    # ISO 8601 in UTC; None if it does not come from a request to S3
    uploaded_at: str | None = field(default=None, compare=False)

    def is_same_as(self, version_id: str | None, etag: str | None) -> bool:
        """Return whether this version is the one with this id, or with this ETag if neither has an id."""
        if self.version_id or version_id:
            return self.version_id == version_id
        return self.etag == etag


@dataclass(frozen=True)
class Recorded:
    """The facts about an object in the catalog on which the handling of later events depends.

    `revision` grows with every write of the item, for optimistic locking.
    """

    status: str
    version_id: str | None = None
    etag: str | None = None
    sequencer: str | None = None
    revision: int = 0
    thumbnail_keys: frozenset[str] = frozenset()
    # The whole item, of which a deletion keeps a part
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
        """Return whether `current` is the recorded version. None means that there is no object."""
        if current is None or self.is_deleted:
            return current is None and self.is_deleted
        return current.is_same_as(self.version_id, self.etag)


class Decision(Enum):
    """The decision on what to do about an event."""

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
    """Return whether a recorded version must be handled again.

    That is the case if an operator asks for it, or if a rejected object was restored or uploaded again. The reason for
    the rejection may be gone then.
    """
    uploaded_again = recorded.is_rejected and event.kind is Kind.CREATED and is_newer(event, recorded)
    return event.asks_to_remake or asks_to_retry(event, recorded) or uploaded_again


def decide(event: ObjectEvent, recorded: Recorded | None) -> Decision:
    """Return what to do about `event` if the catalog contains `recorded`, or no item (None)."""
    if event.asks_to_remake or asks_to_retry(event, recorded):
        return Decision.ASK
    if recorded is not None:
        if _is_older(event, recorded):
            return Decision.STALE
        if not is_newer(event, recorded):
            return Decision.DUPLICATE if _says_the_same(event, recorded) else Decision.ASK
    return Decision.ASK if event.kind is Kind.VERSION_REMOVED or event.sequencer is None else Decision.TAKE
