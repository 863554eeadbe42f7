"""The keys of the index `by_taken`, which lists images by the time at which they were taken.

The hash key `shelf` consists of the status and a shard. Shards spread the writes over several partitions, because one
partition accepts 1,000 writes per second. The range key `taken_key` is unique. It consists of the time, the end of the
file name and the beginning of the image's id.

    shelf      READY#3
    taken_key  2026-06-15T10:30:00#img_00011#0f343b0931126a20
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from shared import names, offsets

INDEX = "by_taken"
COMPLETE = "catalog#by_taken"
"""The key of the item in the state table whose attribute `complete` says that the index holds every image."""

SHARDS = 4
# The time as the camera wrote it, or the minute of the upload
KEY = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d#[a-z0-9_]{0,12}#[0-9a-f]{16}", re.ASCII)
# Keys are short, because an item should stay below 1 KB, which is one write unit. 64 bits of the id make them unique.
_NAME_CHARS, _ID_CHARS = 12, 16
_SECOND, _MINUTE = len("2026-06-15T10:30:00"), len("2026-06-15T10:30")
# The attributes that a deleted image keeps as long as it can be restored
_REMEMBERED = (
    "filename",
    "captured_at",
    "bytes",
    "format",
    "width",
    "height",
    "dominant_color",
    "blurhash",
)


def shelves(status: str) -> list[str]:
    """Return all hash keys for a status, one for each shard."""
    return [f"{status}#{shard}" for shard in range(SHARDS)]


def attributes(item: Mapping[str, Any]) -> dict[str, str]:
    """Return the keys of a catalog item in the index.

    Photos are sorted by the local time of their capture. A photo without a capture time is sorted by the minute of its
    upload. Photos of the same minute are sorted by name, because the files of one upload arrive in any order.
    """
    filename = str(item.get("filename") or names.of_key(item["key"]))
    return _keys(item["status"], item["image_id"], moment_of(item), filename)


def moment_of(item: Mapping[str, Any]) -> str:
    """Return the local time of the capture, as in 2026-06-15T10:30:00, or the minute of the upload if there is none.

    The minute of the upload is in the uploader's local time if the item has `utc_offset`, and otherwise in UTC.
    """
    captured = str(item.get("captured_at") or "")[:_SECOND]
    if len(captured) == _SECOND:
        return captured
    uploaded_at = str(item["uploaded_at"])
    if offset := item.get("utc_offset"):
        uploaded_at = offsets.local(datetime.fromisoformat(uploaded_at), offset).isoformat()
    return f"{uploaded_at[:_MINUTE]}:00"


def of_deleted(recorded: Mapping[str, Any], image_id: str, deleted_at: str) -> dict[str, Any]:
    """Return the attributes that a deleted image keeps of its last version, so that it can be shown and restored.

    Returns an empty dict if no version is known, because then nothing can be restored.
    """
    if recorded.get("status") == "DELETED":
        names_kept = (*_REMEMBERED, "deleted_version", "deleted_status", "shelf", "taken_key")
        return {name: recorded[name] for name in names_kept if name in recorded}
    if not recorded.get("version_id"):
        return {}
    filename = str(recorded.get("filename") or names.of_key(recorded["key"]))
    remembered = {name: recorded[name] for name in _REMEMBERED if name in recorded}
    remembered |= {"deleted_version": recorded["version_id"], "deleted_status": recorded["status"]}
    return remembered | _keys("DELETED", image_id, deleted_at[:_SECOND], filename)


def _keys(status: str, image_id: str, moment: str, filename: str) -> dict[str, str]:
    shard = int(image_id[-4:], 16) % SHARDS
    return {"shelf": f"{status}#{shard}", "taken_key": f"{moment}#{_sortable(filename)}#{image_id[:_ID_CHARS]}"}


def _sortable(filename: str) -> str:
    """Return the end of a name without its extension, in a form for sorting: photo 2 comes before photo 10."""
    plain = re.sub(r"[^a-z0-9]", "_", names.folded(filename.rpartition(".")[0] or filename))
    return re.sub(r"\d+", lambda digits: digits[0].zfill(5), plain)[-_NAME_CHARS:]
