"""Encode and decode the opaque cursor of a listing: the index key from which to continue, in base64url.

A cursor contains no secret and grants no access, so it is not signed. It is accepted only if its key could belong to
the listing.
"""

import base64
import json
import re

from catalog_api.problems import Problem
from shared import listing

MAX_CHARS = 512
_VERSION = 2
_IMAGE_ID = re.compile(r"[0-9a-f]{32}")
_UPLOADED_AT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z", re.ASCII)

BY_UPLOAD = "added"
"""The end of the names of listings by the time of the upload."""

Position = tuple[str, ...]
"""The last image of a page: `(taken_key,)` by capture, `(uploaded_at, image_id)` by upload."""


def encode(scope: str, position: Position) -> str:
    """Return the cursor that continues a listing after `position`. `scope` names the listing."""
    text = json.dumps([_VERSION, scope, *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(scope: str, cursor: str) -> Position:
    """Return the position in a cursor. Raises Problem (400) if the cursor does not belong to the listing `scope`."""
    position: Position = ()
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        version, of_scope, *parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        genuine = bool(version == _VERSION and of_scope == scope and _is_position(scope, parts))
        position = tuple(parts)
    except (ValueError, TypeError, RecursionError):
        genuine = False
    if not genuine or len(cursor) > MAX_CHARS or encode(scope, position) != cursor:
        raise Problem(400, "The cursor is not from this listing. Start again without a cursor.", "invalid-cursor")
    return position


def _is_position(scope: str, parts: list[str]) -> bool:
    if not scope.endswith(BY_UPLOAD):
        (taken_key,) = parts
        return listing.KEY.fullmatch(taken_key) is not None
    uploaded_at, image_id = parts
    return bool(_UPLOADED_AT.fullmatch(uploaded_at) and _IMAGE_ID.fullmatch(image_id))
