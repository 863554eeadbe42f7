"""The API's operations. Each takes validated input and returns an answer, or raises Problem."""

import secrets
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from catalog_api import cursors, reports, uploads
from catalog_api.catalog import Catalog
from catalog_api.images import view
from catalog_api.models import (
    Deletion,
    Health,
    Image,
    ImageDetail,
    ImagePage,
    Report,
    ReportRequest,
    ReportRow,
    Status,
    Upload,
    UploadRequest,
)
from catalog_api.openapi_responses import responses
from catalog_api.problems import not_found
from catalog_api.report_store import ReportStore
from catalog_api.settings import Settings
from catalog_api.storage import Storage
from shared import identity, names
from shared.deadline import Deadline
from shared.text import utc_text

HexId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="32 hexadecimal digits")]
JSON = "application/json"
# A page of the index and the answer
_ANSWER_S = 3


class Operations:
    """What the API can do."""

    def __init__(self, settings: Settings, catalog: Catalog, report_store: ReportStore, storage: Storage) -> None:
        """Nothing is called before the first request."""
        self._settings = settings
        self._catalog = catalog
        self._reports = report_store
        self._storage = storage

    def health(self) -> Health:
        """Answers load balancers and uptime checks. Needs no authentication and calls no other service."""
        return Health()

    def list_images(
        self,
        status: Annotated[Status, Query(description="The status of the images")] = "READY",
        limit: Annotated[int, Query(ge=1, le=100, description="The maximum number of images")] = 50,
        cursor: Annotated[
            str, Query(max_length=cursors.MAX_CHARS, description="`next_cursor` of the previous page")
        ] = "",
    ) -> ImagePage:
        """Returns one page of the catalog, with presigned URLs of the thumbnails."""
        items, last = self._catalog.page(status, limit, cursors.decode(status, cursor) if cursor else None)
        images = [Image(**view(item, self._storage.thumbnail_url)) for item in items]
        return ImagePage(images=images, next_cursor=cursors.encode(status, last) if last else None)

    def get_image(self, image_id: HexId) -> ImageDetail:
        """Returns all fields of an image, with presigned URLs of its thumbnails and its original."""
        item = self._catalog.find(image_id)
        if item is None:
            raise not_found("image")
        fields = view(item, self._storage.thumbnail_url)
        original = self._storage.original_url(item["key"], fields["filename"])
        return ImageDetail(**fields, original_url=original, urls_expire_in_s=self._settings.url_expiry_s)

    def delete_image(self, image_id: HexId) -> Response[Deletion | None]:
        """Starts a deletion (202). Returns 204 if the image does not exist, so repeating the request is safe."""
        item = self._catalog.find(image_id)
        if item is None:
            return Response(204, body=None)
        self._storage.delete_original(item["key"])
        self._catalog.hide(item)
        return Response(202, JSON, Deletion(image_id=image_id))

    def create_upload(
        self, upload: Annotated[UploadRequest, Body(description="The file to upload")]
    ) -> Response[Upload]:
        """Returns a presigned POST to S3 for this name, type and size. It expires."""
        key = uploads.key_of(upload.filename, upload.content_type, datetime.now(UTC), secrets.token_hex(16))
        filename = names.clean(upload.filename)
        post = self._storage.presigned_post(key, upload.content_type, upload.bytes, filename)
        image_id = identity.image_id(self._settings.uploads_bucket, key)
        return Response(201, JSON, Upload(image_id=image_id, expires_in_s=self._settings.url_expiry_s, **post))

    def create_report(self, wanted: ReportRequest, deadline: Deadline) -> Report:
        """Count images and bytes by status and format, as far as time allows, and keep the result."""
        days = reports.days_from(wanted.first_day, wanted.days)
        images = {status: self._catalog.uploaded_between(status, *days.bounds) for status in reports.STATUSES}
        rows, complete = reports.count(images, self._settings.max_report_images, lambda: deadline.allows(_ANSWER_S))
        report = Report(
            report_id=secrets.token_hex(16),
            first_day=days.first,
            last_day=days.last,
            created_at=utc_text(datetime.now(UTC)),
            complete=complete,
            rows=[ReportRow(**row) for row in rows],
        )
        self._reports.save(report.report_id, report.model_dump(mode="json"))
        return report

    def get_report(self, report_id: HexId) -> Report:
        """Returns a stored report. A report does not change."""
        report = self._reports.load(report_id)
        if report is None:
            raise not_found("report")
        return Report(**report)


def router_for(operations: Operations) -> Router:
    """Return the routes of the operations, each with its part of the OpenAPI document."""
    router = Router()  # type: ignore[no-untyped-call]
    router.get(
        "/health",
        summary="Check that the service answers",
        operation_id="health",
        responses=responses({200: Health}),
        security=[{}],
    )(operations.health)
    _add_image_routes(router, operations)
    _add_report_routes(router, operations)
    return router


def _add_image_routes(router: Router, operations: Operations) -> None:
    router.get(
        "/images",
        summary="List images, newest first",
        operation_id="listImages",
        tags=["images"],
        responses=responses({200: ImagePage}, 400, 422),
    )(operations.list_images)
    router.get(
        "/images/<image_id>",
        summary="Get an image",
        operation_id="getImage",
        tags=["images"],
        responses=responses({200: ImageDetail}, 404, 422),
    )(operations.get_image)
    router.delete(
        "/images/<image_id>",
        summary="Delete an image",
        operation_id="deleteImage",
        tags=["images"],
        responses=responses({202: Deletion, 204: None}, 404, 422),
    )(operations.delete_image)
    router.post(
        "/uploads",
        summary="Request an upload",
        operation_id="createUpload",
        tags=["images"],
        responses=responses({201: Upload}, 400, 413, 415, 422),
    )(operations.create_upload)


def _add_report_routes(router: Router, operations: Operations) -> None:
    def create_report(wanted: Annotated[ReportRequest, Body(description="What to count")]) -> Response[Report]:
        """Counts images and bytes by status and format, and keeps the result for 30 days."""
        return Response(201, JSON, operations.create_report(wanted, Deadline(cast(Any, router.lambda_context))))

    router.post(
        "/reports",
        summary="Compute a report",
        operation_id="createReport",
        tags=["reports"],
        responses=responses({201: Report}, 400, 413, 415, 422),
    )(create_report)
    router.get(
        "/reports/<report_id>",
        summary="Get a report",
        operation_id="getReport",
        tags=["reports"],
        responses=responses({200: Report}, 404, 422),
    )(operations.get_report)
