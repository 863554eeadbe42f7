"""The opaque cursor of a listing: base64url of the index key to continue from.

It contains no secret and grants nothing, so it isn't signed. A cursor is accepted only if its key could be one of the
listing.
"""

import base64
import json
import re

from catalog_api.problems import Problem

MAX_CHARS = 512
_VERSION = 1
_IMAGE_ID = re.compile(r"[0-9a-f]{32}")
_UPLOADED_AT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?Z", re.ASCII)

Position = tuple[str, str]
"""`(uploaded_at, image_id)` of the last image of a page."""


def encode(status: str, position: Position) -> str:
    """Return the cursor that continues a listing of `status` after `position`."""
    text = json.dumps([_VERSION, status, *position], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode(status: str, cursor: str) -> Position:
    """Return the position of a cursor. Raises Problem (400) if it isn't from a listing of `status`."""
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        version, of_status, uploaded_at, image_id = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        genuine = bool(
            version == _VERSION
            and of_status == status
            and _UPLOADED_AT.fullmatch(uploaded_at)
            and _IMAGE_ID.fullmatch(image_id)
        )
    except (ValueError, TypeError, RecursionError):
        genuine = False
    if not genuine or len(cursor) > MAX_CHARS or encode(status, (uploaded_at, image_id)) != cursor:
        raise Problem(400, "The cursor is not from this listing. Start again without a cursor.", "invalid-cursor")
    return uploaded_at, image_id
