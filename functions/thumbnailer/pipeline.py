"""What happens to one event: decide whether it is news, make thumbnails, record the result, remove what it replaces.

Any step may be interrupted, run twice, or run beside another event of the same object; see "Order and races" in README.md.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from shared.observability import logger
from thumbnailer import catalog as items
from thumbnailer.catalog import Catalog
from thumbnailer.events import Kind, ObjectEvent
from thumbnailer.guards import Limits
from thumbnailer.images import Photo, Thumbnail
from thumbnailer.ordering import Decision, Recorded, Version, decide, is_newer
from thumbnailer.rejections import Rejection
from thumbnailer.storage import Gone, Storage, Upload

_ATTEMPTS = 5
_EXTENSIONS = ("jpg", "webp")

type Process = Callable[[bytes], Photo]


class Contended(Exception):
    """Other events of the same object kept getting in first. Trying again will help."""


class Result(Enum):
    """How an event ended."""

    READY = "ImagesReady"
    REJECTED = "ImagesRejected"
    DELETED = "ImagesDeleted"
    DUPLICATE = "Duplicates"
    STALE = "StaleEvents"
    UNCHANGED = "UnchangedImages"
    GONE = "ObjectsGone"


@dataclass(frozen=True)
class Outcome:
    """How an event ended; `reason` for rejections, `bytes` read from the uploads bucket."""

    result: Result
    reason: str | None = None
    bytes: int = 0


@dataclass(frozen=True)
class _Draft:
    """A catalog item to be, and its thumbnails, already stored. `version` is None for a deletion."""

    version: Version | None
    item: dict[str, Any]
    keys: frozenset[str]
    outcome: Outcome


class Pipeline:
    """Takes events of the uploads bucket to the catalog and the thumbnails bucket."""

    def __init__(self, storage: Storage, catalog: Catalog, limits: Limits, sizes: tuple[int, ...], tombstone_days: int) -> None:
        """`sizes` are the longest edges of the thumbnails, in pixels."""
        self._storage = storage
        self._catalog = catalog
        self._limits = limits
        self._sizes = sizes
        self._tombstone_days = tombstone_days

    def handle(self, event: ObjectEvent, process: Process) -> Outcome:
        """Bring catalog and thumbnails in line with `event`; does nothing for one that is no news.

        Any exception means "not done": handling the same event again is safe.
        """
        draft: _Draft | None = None
        for _ in range(_ATTEMPTS):
            recorded = self._catalog.get(event.image_id)
            decision = decide(event, recorded)
            if decision in {Decision.DUPLICATE, Decision.STALE}:
                return self._stand_down(event, recorded, decision, draft)
            current = self._current(event, decision)
            if recorded and recorded.holds(current):
                if not is_newer(event, recorded) or self._catalog.advance(recorded, event):
                    return self._stand_down(event, recorded, decision, draft)
                continue
            try:
                if draft is None or draft.version != current:
                    self._discard(draft, recorded)
                    draft = None  # should the next line fail, its thumbnails are gone all the same
                    draft = self._draft(event, current, decision, process)
            except Gone:
                if decision is Decision.ASK:
                    continue  # it went between S3's two answers
                logger.info("object is gone, its deletion event follows")
                return Outcome(Result.GONE)
            superseded = self._catalog.replace(recorded, draft.item)
            if superseded is not None:
                self._storage.remove(superseded)
                return draft.outcome
        self._discard(draft, self._catalog.get(event.image_id))
        raise Contended(f"the item changed {_ATTEMPTS} times while this event was handled")

    def _current(self, event: ObjectEvent, decision: Decision) -> Version | None:
        if decision is Decision.ASK:
            return self._storage.current(event.bucket, event.key)
        return Version(event.version_id, event.etag) if event.kind is Kind.CREATED else None

    def _draft(self, event: ObjectEvent, current: Version | None, decision: Decision, process: Process) -> _Draft:
        """Make and store what belongs to `current`. Raises Gone."""
        if current is None:
            return _Draft(None, items.tombstone(event, self._tombstone_days), frozenset(), Outcome(Result.DELETED))
        upload: Upload | None = None
        try:
            self._refuse_unread(event, decision)
            upload = self._storage.fetch(event.bucket, event.key, current.version_id, self._limits)
            photo = process(upload.data)
        except Rejection as rejection:
            content: dict[str, Any] = {"reason": rejection.code, "reason_text": rejection.text, "etag": current.etag, "bytes": event.size}
            status, thumbnails, outcome = "REJECTED", {}, Outcome(Result.REJECTED, rejection.code, len(upload.data) if upload else 0)
        else:
            thumbnails = photo.thumbnails
            content = photo.facts()
            status, outcome = "READY", Outcome(Result.READY, bytes=len(upload.data))
        if upload:
            content |= {"etag": upload.version.etag, "bytes": len(upload.data)}
            if event.kind is not Kind.CREATED or decision is Decision.ASK:
                content["uploaded_at"] = upload.modified_at
        tag = version_tag(upload.version if upload else current, event.sequencer)
        stored = {size: (f"{event.image_id}/{tag}/{size}.{made.extension}", made) for size, made in thumbnails.items()}
        self._storage.save(dict(stored.values()))
        content["thumbnails"] = {size: _described(key, made) for size, (key, made) in stored.items()}
        item = items.entry(event, status, (upload.version if upload else current).version_id, content)
        return _Draft(current, item, frozenset(key for key, _ in stored.values()), outcome)

    def _refuse_unread(self, event: ObjectEvent, decision: Decision) -> None:
        """Reject what the event itself tells about, without reading the object."""
        if event.key.endswith("/"):
            raise Rejection("folder")
        if event.kind is not Kind.CREATED or decision is Decision.ASK or event.size is None:
            return
        if event.size == 0:
            raise Rejection("empty")
        if event.size > self._limits.max_bytes:
            raise Rejection("too_large", f"It has {event.size:,} bytes; the limit is {self._limits.max_bytes:,}.")

    def _stand_down(self, event: ObjectEvent, recorded: Recorded | None, decision: Decision, draft: _Draft | None) -> Outcome:
        """Leave the catalog as it is; remove thumbnails that an interrupted attempt, here or elsewhere, left behind."""
        leftovers = set(draft.keys) if draft else set()
        if recorded:
            leftovers |= recorded.superseded
        if decision is Decision.STALE and event.kind is Kind.CREATED:
            leftovers |= self._possible_keys(event)
        if recorded:
            leftovers -= recorded.thumbnail_keys
        self._storage.remove(leftovers)
        results = {Decision.DUPLICATE: Result.DUPLICATE, Decision.STALE: Result.STALE}
        return Outcome(results.get(decision, Result.UNCHANGED))

    def _possible_keys(self, event: ObjectEvent) -> set[str]:
        tag = version_tag(Version(event.version_id, event.etag), event.sequencer)
        return {f"{event.image_id}/{tag}/{size}.{extension}" for size in self._sizes for extension in _EXTENSIONS}

    def _discard(self, draft: _Draft | None, recorded: Recorded | None) -> None:
        if draft:
            self._storage.remove(draft.keys - (recorded.thumbnail_keys if recorded else frozenset()))


def version_tag(version: Version, sequencer: str | None) -> str:
    """The part of a thumbnail's key that no other account of the object shares, not even that of the same version undeleted."""
    name = version.version_id or version.etag or ""
    return hashlib.sha256(f"{name}/{sequencer or ''}".encode()).hexdigest()[:12]


def _described(key: str, thumbnail: Thumbnail) -> dict[str, Any]:
    return {
        "key": key,
        "width": thumbnail.width,
        "height": thumbnail.height,
        "bytes": len(thumbnail.data),
        "content_type": thumbnail.content_type,
    }
