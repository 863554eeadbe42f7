"""The operations that show, delete and restore single images or many images at once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Annotated, Any, Literal

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from catalog_api.catalog import Catalog
from catalog_api.images import view
from catalog_api.models import (
    BatchDeletion,
    BatchDeletionEntry,
    BatchRestoration,
    BatchRestorationEntry,
    Deletion,
    Duplicate,
    ImageDetail,
    ImageIds,
    Restoration,
    RestoreIds,
)
from catalog_api.openapi_responses import Empty
from catalog_api.problems import not_found
from catalog_api.settings import Settings
from catalog_api.storage import Storage
from shared import names
from shared.deadline import Deadline

HexId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="32 hexadecimal digits")]
JSON = "application/json"
_AT_ONCE = 8
# The maximum time in which S3 copies the largest upload
_COPY_S = 8

type Handle = Callable[[str], Any]


class Images:
    """The operations on images. Their methods are called by the routes."""

    def __init__(self, settings: Settings, catalog: Catalog, storage: Storage) -> None:
        """Nothing is called before the first request."""
        self._settings = settings
        self._catalog = catalog
        self._storage = storage
        self._pool = ThreadPoolExecutor(_AT_ONCE, "image")

    def get_image(self, image_id: HexId) -> ImageDetail:
        """Returns all fields of an image, with presigned URLs of its thumbnails and its original."""
        item = self._catalog.find(image_id)
        if item is None:
            raise not_found("image")
        fields = view(item, self._storage.thumbnail_url)
        duplicates = [
            Duplicate(
                image_id=other["image_id"],
                filename=other.get("filename") or names.of_key(other["key"]),
                uploaded_at=other["uploaded_at"],
            )
            for other in self._catalog.with_content(item.get("sha256"))
            if other["image_id"] != image_id
        ]
        return ImageDetail(
            **fields,
            original_url=self._storage.original_url(item["key"], fields["filename"]),
            urls_expire_in_s=self._settings.url_expiry_s,
            duplicates=duplicates,
        )

    def delete_image(self, image_id: HexId) -> Response[Deletion | Empty]:
        """Starts a deletion (202). Returns 204 if the image does not exist, so repeating the request is safe."""
        if self._delete(image_id) == "MISSING":
            return Response(204, body=None)
        return Response(202, JSON, Deletion(image_id=image_id))

    def delete_many(self, request: ImageIds) -> BatchDeletion:
        """Start the deletion of up to 100 images. Repeating it is safe."""
        statuses = self._pool.map(self._delete, request.image_ids)
        entries = [
            BatchDeletionEntry(image_id=image_id, status=status)
            for image_id, status in zip(request.image_ids, statuses, strict=True)
        ]
        return BatchDeletion(images=entries)

    def restore_image(self, image_id: HexId) -> Response[Restoration]:
        """Starts to undo a deletion (202): the last version is copied onto its key, and processed again."""
        if self._restore(image_id) == "MISSING":
            raise not_found("deleted image")
        return Response(202, JSON, Restoration(image_id=image_id))

    def restore_many(self, request: RestoreIds, deadline: Deadline) -> BatchRestoration:
        """Start to undo the deletion of up to 50 images, as far as time allows."""

        def restore(image_id: str) -> Literal["RESTORING", "MISSING", "BUSY"]:
            return self._restore(image_id) if deadline.allows(_COPY_S) else "BUSY"

        statuses = self._pool.map(restore, request.image_ids)
        entries = [
            BatchRestorationEntry(image_id=image_id, status=status)
            for image_id, status in zip(request.image_ids, statuses, strict=True)
        ]
        return BatchRestoration(images=entries)

    def _delete(self, image_id: str) -> Literal["DELETING", "MISSING"]:
        item = self._catalog.find(image_id)
        if item is None:
            return "MISSING"
        self._storage.delete_original(item["key"])
        self._catalog.hide(item)
        return "DELETING"

    def _restore(self, image_id: str) -> Literal["RESTORING", "MISSING"]:
        deleted = self._catalog.find_deleted(image_id, self._settings.restore_days)
        if deleted is None:
            return "RESTORING" if self._catalog.find(image_id) else "MISSING"  # It was restored already.
        if not self._storage.restore(deleted.key, deleted.version_id):
            return "MISSING"
        self._catalog.mark_restored(deleted)
        return "RESTORING"
