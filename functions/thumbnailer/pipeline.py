"""Handle an event: decide whether it is new, make thumbnails, record the result, and remove outdated thumbnails.

Any step may be interrupted, run twice, or run while another event of the same object is handled. See "Order and races"
in README.md.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from shared import names
from shared.observability import logger
from shared.sequencers import padded
from thumbnailer import catalog as items
from thumbnailer.catalog import Catalog
from thumbnailer.events import Kind, ObjectEvent
from thumbnailer.imaging.images import Photo, Thumbnail
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection
from thumbnailer.ordering import Decision, Recorded, Version, decide, is_newer, reopens
from thumbnailer.storage import Gone, Storage, Upload

_ATTEMPTS = 5

type Make = Callable[[bytes], Photo]
"""Makes the thumbnails of a file's content. Raises Rejection."""


class Contended(Exception):
    """Other events of the same object kept changing the item. Another attempt will succeed."""


class Result(Enum):
    """The result of an event. The values are names of metrics."""

    READY = "ImagesReady"
    REJECTED = "ImagesRejected"
    DELETED = "ImagesDeleted"
    DUPLICATE = "Duplicates"
    STALE = "StaleEvents"
    UNCHANGED = "UnchangedImages"
    GONE = "ObjectsGone"


_RESULT_WITHOUT_WORK = {Decision.DUPLICATE: Result.DUPLICATE, Decision.STALE: Result.STALE}


@dataclass(frozen=True)
class Outcome:
    """The outcome of an event. Rejections have a `reason`. `bytes` is the size read from the uploads bucket."""

    result: Result
    reason: str | None = None
    bytes: int = 0


@dataclass(frozen=True)
class _Draft:
    """An item to record, and the keys of its thumbnails, which are already stored. `version` is None for a deletion."""

    version: Version | None
    item: dict[str, Any]
    keys: frozenset[str]
    outcome: Outcome


class Pipeline:
    """The pipeline that updates the catalog and the thumbnails bucket after events of the uploads bucket."""

    def __init__(self, storage: Storage, catalog: Catalog, limits: Limits, tombstone_days: int) -> None:
        """`tombstone_days` is the time for which a deletion is recorded."""
        self._storage = storage
        self._catalog = catalog
        self._limits = limits
        self._tombstone_days = tombstone_days

    def handle(self, event: ObjectEvent, make: Make) -> Outcome:
        """Update the catalog and the thumbnails for `event`. A duplicate or stale event changes nothing.

        After an exception, the event is not handled. Handling the same event again is safe.
        """
        # Drafts are kept, so that another attempt after a change of the item does not make the same thumbnails again.
        drafts: dict[Version | None, _Draft] = {}
        for _ in range(_ATTEMPTS):
            outcome = self._attempt(event, make, drafts)
            if outcome:
                return outcome
        raise Contended(f"the item changed {_ATTEMPTS} times while this event was handled")

    def _attempt(self, event: ObjectEvent, make: Make, drafts: dict[Version | None, _Draft]) -> Outcome | None:
        """Handle the event on the basis of the recorded state. Returns None if that state changes meanwhile."""
        recorded = self._catalog.get(event.image_id)
        decision = decide(event, recorded)
        if recorded and decision in _RESULT_WITHOUT_WORK:
            # At revision 1, nothing has been replaced, so no interrupted attempt can have left thumbnails.
            if decision is Decision.STALE or recorded.revision > 1:
                self._tidy(event.image_id, recorded, _own_tag(event))
            return Outcome(_RESULT_WITHOUT_WORK[decision])
        current = self._current(event, decision)
        if recorded and recorded.holds(current) and not reopens(event, recorded):
            if is_newer(event, recorded):
                if not self._catalog.advance(recorded, event, self._tombstone_days):
                    return None
                recorded = replace(recorded, sequencer=event.sequencer)
            self._tidy(event.image_id, recorded, version_tag(current, event) if current else None)
            return Outcome(Result.UNCHANGED)
        try:
            if current not in drafts:
                drafts[current] = self._draft(event, current, decision, make)
        except Gone:
            if decision is Decision.ASK:
                return None  # The object was deleted between the two requests to S3.
            logger.info("object is gone or overwritten, which has its own event", extra={"image_id": event.image_id})
            return Outcome(Result.GONE)
        return drafts[current].outcome if self._record(event, recorded, drafts[current]) else None

    def _record(self, event: ObjectEvent, recorded: Recorded | None, draft: _Draft) -> bool:
        """Replace the recorded state by the draft, and remove the replaced thumbnails.

        Returns False if the item changed meanwhile.
        """
        deleted = items.remembered(draft.item, recorded) if draft.version is None else {}
        if not self._catalog.replace(recorded, draft.item | deleted):
            return False
        if recorded:
            self._storage.remove(recorded.thumbnail_keys - draft.keys)
        if recorded or draft.version is None:  # A deletion may be the last event of an object.
            self._tidy(
                event.image_id, Recorded(draft.item["status"], sequencer=event.sequencer, thumbnail_keys=draft.keys)
            )
        return True

    def _current(self, event: ObjectEvent, decision: Decision) -> Version | None:
        if decision is Decision.ASK:
            return self._storage.current(event.bucket, event.key)
        return Version(event.version_id, event.etag) if event.kind is Kind.CREATED else None

    def _draft(self, event: ObjectEvent, current: Version | None, decision: Decision, make: Make) -> _Draft:
        """Make and store the thumbnails of `current`. Raises Gone."""
        if current is None:
            return _Draft(None, items.tombstone(event, self._tombstone_days), frozenset(), Outcome(Result.DELETED))
        upload: Upload | None = None
        try:
            self._refuse_unread(event, decision)
            upload = self._storage.fetch(event.bucket, event.key, current, self._limits)
            photo = make(upload.data)
        except Rejection as rejection:
            content: dict[str, Any] = {
                "reason": rejection.code,
                "reason_text": rejection.text,
                "etag": current.etag,
                "bytes": event.size,
            }
            status, thumbnails, outcome = (
                "REJECTED",
                {},
                Outcome(Result.REJECTED, rejection.code, len(upload.data) if upload else 0),
            )
        else:
            thumbnails = photo.thumbnails
            content = photo.facts()
            status, outcome = "READY", Outcome(Result.READY, bytes=len(upload.data))
        version = upload.version if upload else current
        if upload:
            content |= {"etag": version.etag, "bytes": len(upload.data)}
        description = upload.description if upload else self._storage.description(event.bucket, event.key, version)
        if description.filename != names.of_key(event.key):
            content["filename"] = description.filename
        if not content.get("captured_at"):
            content["utc_offset"] = description.utc_offset
        if decision is Decision.ASK:
            content["uploaded_at"] = version.uploaded_at
        tag = version_tag(version, event)
        stored = {
            size: (f"{event.image_id}/{tag}/{size}.{thumbnail.extension}", thumbnail)
            for size, thumbnail in thumbnails.items()
        }
        self._storage.save(dict(stored.values()))
        if stored:
            content["thumbnails"] = {size: _described(key, thumbnail) for size, (key, thumbnail) in stored.items()}
        item = items.entry(event, status, version.version_id, content)
        return _Draft(current, item, frozenset(key for key, _ in stored.values()), outcome)

    def _refuse_unread(self, event: ObjectEvent, decision: Decision) -> None:
        """Raise Rejection if the facts in the event suffice, without reading the object."""
        if event.key.endswith("/"):
            raise Rejection("folder")
        if event.kind is Kind.CREATED and decision is not Decision.ASK and event.size is not None:
            self._limits.check_bytes(event.size)

    def _tidy(self, image_id: str, recorded: Recorded, unused_tag: str | None = None) -> None:
        """Remove unused thumbnails of interrupted attempts.

        They are of events older than the recorded event, or have the `unused_tag`.

        Thumbnails of newer events stay, because an invocation may be about to record them. An older event can't be
        recorded any more, so its thumbnails are not needed. The same is true of a duplicate or stale event.
        """
        limit = padded(recorded.sequencer)
        unused = []
        for key in self._storage.thumbnails(image_id):
            tag = key.split("/")[1]
            if (padded(None) < tag.split("-")[0] < limit or tag == unused_tag) and key not in recorded.thumbnail_keys:
                unused.append(key)
        self._storage.remove(unused)


def version_tag(version: Version, event: ObjectEvent) -> str:
    """Return the part of a thumbnail's key that identifies its event and version. Tags sort like events.

    Thumbnails are cached forever, so thumbnails of the same version with other settings have another tag.
    """
    name = version.version_id or version.etag or ""
    remake = event.time if event.asks_to_remake else ""
    digest = hashlib.sha256(f"{name}{remake}".encode()).hexdigest()
    return f"{padded(event.sequencer)}-{digest[:12]}"


def _own_tag(event: ObjectEvent) -> str | None:
    """Return the tag of the thumbnails that earlier attempts at this event may have left.

    Returns None if the event has no version or no sequencer, because other invocations may use the same tag.
    """
    if event.kind is not Kind.CREATED or event.sequencer is None:
        return None
    return version_tag(Version(event.version_id, event.etag), event)


def _described(key: str, thumbnail: Thumbnail) -> dict[str, Any]:
    return {
        "key": key,
        "width": thumbnail.width,
        "height": thumbnail.height,
        "bytes": len(thumbnail.data),
    }
