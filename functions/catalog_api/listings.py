"""The operations that list images, count them, and list deleted images."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Header, Query

from catalog_api import cursors
from catalog_api.catalog import Catalog
from catalog_api.filters import MONTH, Filters
from catalog_api.images import view, view_deleted
from catalog_api.models import DeletedImage, DeletedPage, Image, ImagePage, MonthCount, Status, Summary, ValueCount
from catalog_api.openapi_responses import Empty
from catalog_api.settings import Settings
from catalog_api.storage import Storage
from catalog_api.timeline import Timeline
from catalog_api.upgrade import DateIndex
from shared.deadline import Deadline
from shared.text import utc_text

JSON = "application/json"
# Counting stops after MAX_COUNTED images, or when _ANSWER_S seconds are left.
MAX_COUNTED = 20_000
_ANSWER_S = 3
_MAX_VALUES = 100

Limit = Annotated[int, Query(ge=1, le=100, description="The maximum number of images")]
Cursor = Annotated[str, Query(max_length=cursors.MAX_CHARS, description="`next_cursor` of the previous page")]
Order = Literal["taken", "added"]
EntityTag = Annotated[str, Header(alias="If-None-Match", description="`ETag` of an earlier answer to the same request")]


class Listings:
    """The operations on lists of images. Their methods are called by the routes."""

    def __init__(
        self, settings: Settings, catalog: Catalog, timeline: Timeline, index: DateIndex, storage: Storage
    ) -> None:
        """Nothing is called before the first request."""
        self._settings = settings
        self._catalog = catalog
        self._timeline = timeline
        self._index = index
        self._storage = storage

    def list_images(  # noqa: PLR0913, PLR0917 - one parameter per filter
        self,
        status: Annotated[Status, Query(description="The status of the images")] = "READY",
        order: Annotated[Order, Query(description="By the time of the upload, or of the capture")] = "added",
        limit: Limit = 50,
        cursor: Cursor = "",
        month: Annotated[str, Query(pattern=MONTH, description="Only images that were taken in this month")] = "",
        until: Annotated[str, Query(pattern=MONTH, description="Begin at the end of this month")] = "",
        name: Annotated[str, Query(max_length=100, description="A part of the name; case and accents are equal")] = "",
        camera: Annotated[str, Query(max_length=100, description="Only images of this camera")] = "",
        format: Annotated[str, Query(max_length=20, description="Only images of this format")] = "",
        reason: Annotated[str, Query(max_length=40, description="Only images rejected for this reason")] = "",
        if_none_match: EntityTag = "",
    ) -> Response[ImagePage | Empty]:
        """Returns one page of the catalog, with presigned URLs of the thumbnails.

        `status`, `month` and `until` are read from an index. The other filters read up to 1,000 images for each
        page, so a page may hold fewer images although `next_cursor` says that more follow. Answers 304 without a body
        if nothing has changed.
        """
        filters = Filters(month, until, name, camera, format, reason)
        if order == "taken" and not self._index.is_complete():
            order = "added"
        items, last = self._page(status, order, limit, cursor, filters)
        next_cursor = cursors.encode(f"{status} {order}", last) if last else None
        tag = etag([self._storage.thumbnails.window, order, next_cursor], items)
        headers = {"ETag": tag}
        if is_known(tag, if_none_match):
            return Response(304, body=None, headers=headers)
        images = [Image(**view(item, self._storage.thumbnail_url)) for item in items]
        return Response(200, JSON, ImagePage(images=images, next_cursor=next_cursor, order=order), headers)

    def _page(
        self, status: Status, order: Order, limit: int, cursor: str, filters: Filters
    ) -> tuple[list[dict[str, Any]], cursors.Position | None]:
        after = cursors.decode(f"{status} {order}", cursor) if cursor else None
        if order == "added":
            return self._catalog.page(status, limit, after, filters)
        items, key = self._timeline.page(status, limit, after[0] if after else None, filters)
        return items, (key,) if key else None

    def summarize(self, status: Status, deadline: Deadline) -> Summary:
        """Count the images of a status, as far as the limit and time allow."""
        counts = self._timeline.counts(status, MAX_COUNTED, lambda: deadline.allows(_ANSWER_S))
        values = {
            name: [ValueCount(value=value, images=images) for value, images in counter.most_common(_MAX_VALUES)]
            for name, counter in counts.values.items()
        }
        return Summary(
            images=counts.images,
            complete=counts.complete,
            months=[MonthCount(month=month, images=images) for month, images in counts.months.items()],
            cameras=values["camera"],
            formats=values["format"],
            reasons=values["reason"],
        )

    def list_deleted(
        self, limit: Limit = 50, cursor: Cursor = "", if_none_match: EntityTag = ""
    ) -> Response[DeletedPage | Empty]:
        """Returns images that were deleted and can still be restored, the last deletion first.

        Answers 304 without a body if nothing has changed.
        """
        after = cursors.decode("DELETED", cursor) if cursor else None
        now = datetime.now(UTC)
        since = now - timedelta(days=self._settings.restore_days)
        items, last = self._timeline.deleted(limit, after[0] if after else None, utc_text(since)[:19])
        restorable = [item for item in items if item.get("restored_version") != item["deleted_version"]]
        next_cursor = cursors.encode("DELETED", (last,)) if last else None
        tag = etag([link_period(now.timestamp(), self._settings.url_expiry_s), next_cursor], restorable)
        headers = {"ETag": tag}
        if is_known(tag, if_none_match):
            return Response(304, body=None, headers=headers)
        images = [
            DeletedImage(**view_deleted(item, self._settings.restore_days, self._storage.deleted_url))
            for item in restorable
        ]
        return Response(200, JSON, DeletedPage(images=images, next_cursor=next_cursor), headers)


def link_period(now_s: float, expiry_s: int) -> int:
    """Return a number that changes at least once while a link from now is valid, which is for `expiry_s` seconds."""
    return int(now_s) // max(1, expiry_s // 2)


def is_known(tag: str, if_none_match: str) -> bool:
    """Return whether the header `If-None-Match` contains the entity tag."""
    return tag in (candidate.strip().removeprefix("W/") for candidate in if_none_match.split(","))


def etag(context: Sequence[Any], items: Sequence[Mapping[str, Any]]) -> str:
    """Return the entity tag of a page. It changes with every write of an item, and with the links to thumbnails."""
    seen = [[item["image_id"], item.get("revision"), item.get("processed_at")] for item in items]
    return f'"{hashlib.sha256(json.dumps([*context, seen]).encode()).hexdigest()[:32]}"'
