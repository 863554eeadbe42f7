"""The API's operations. Each reads: validated input, logic, answer; what is wrong is raised as a Problem."""

import secrets
from datetime import UTC, datetime
from typing import Annotated, Any, cast

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Path, Query

from catalog_api import catalog, cursors, reports, storage, uploads
from catalog_api.documentation import answers
from catalog_api.images import view
from catalog_api.models import (
    Deletion,
    Health,
    Image,
    ImageDetail,
    ImagePage,
    Report,
    ReportRequest,
    Status,
    Upload,
    UploadRequest,
)
from catalog_api.problems import not_found
from catalog_api.settings import SETTINGS
from shared import identity
from shared.deadline import Deadline

router = Router()  # type: ignore[no-untyped-call]

HexId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="32 hexadecimal digits")]
JSON = "application/json"


@router.get("/health", summary="Whether the service answers", operation_id="health", responses=answers({200: Health}), security=[{}])
def health() -> Health:
    """Public, and calls nothing: for load balancers and uptime checks."""
    return Health()


@router.get(
    "/images",
    summary="List images, newest first",
    operation_id="listImages",
    tags=["images"],
    responses=answers({200: ImagePage}, 400, 422),
)
def list_images(
    status: Annotated[Status, Query(description="Which images")] = "READY",
    limit: Annotated[int, Query(ge=1, le=100, description="How many at most")] = 50,
    cursor: Annotated[str, Query(max_length=cursors.MAX_CHARS, description="`next_cursor` of the page before")] = "",
) -> ImagePage:
    """One page of the catalog, with presigned URLs of the thumbnails."""
    items, last = catalog.page(status, limit, cursors.decode(status, cursor) if cursor else None)
    images = [Image(**view(item, storage.thumbnail_url)) for item in items]
    return ImagePage(images=images, next_cursor=cursors.encode(status, last) if last else None)


@router.get(
    "/images/<image_id>",
    summary="One image",
    operation_id="getImage",
    tags=["images"],
    responses=answers({200: ImageDetail}, 404, 422),
)
def get_image(image_id: HexId) -> ImageDetail:
    """Everything that is known of an image, with presigned URLs of its thumbnails and its original."""
    item = catalog.find(image_id)
    if item is None:
        raise not_found("image")
    fields = view(item, storage.thumbnail_url)
    original = storage.original_url(item["key"], fields["filename"])
    return ImageDetail(**fields, original_url=original, urls_expire_in_s=SETTINGS.url_expiry_s)


@router.delete(
    "/images/<image_id>",
    summary="Delete an image",
    operation_id="deleteImage",
    tags=["images"],
    responses=answers({202: Deletion, 204: None}, 404, 422),
)
def delete_image(image_id: HexId) -> Response[Deletion | None]:
    """202 when the deletion has begun, 204 when there is nothing (more) to delete: repeating it does no harm."""
    item = catalog.find(image_id)
    if item is None:
        return Response(204, body=None)
    storage.delete_original(item["key"])
    catalog.hide(item)
    return Response(202, JSON, Deletion(image_id=image_id))


@router.post(
    "/uploads",
    summary="Ask for an upload",
    operation_id="createUpload",
    tags=["images"],
    responses=answers({201: Upload}, 400, 413, 415, 422),
)
def create_upload(upload: Annotated[UploadRequest, Body(description="The file to come")]) -> Response[Upload]:
    """A presigned POST straight to S3, good for this name, type and size only, and for a short time."""
    key = uploads.key_of(upload.filename, upload.content_type, datetime.now(UTC), secrets.token_hex(16))
    post = storage.presigned_post(key, upload.content_type, upload.bytes)
    image_id = identity.image_id(SETTINGS.uploads_bucket, key)
    return Response(201, JSON, Upload(image_id=image_id, expires_in_s=SETTINGS.url_expiry_s, **post))


@router.post(
    "/reports",
    summary="Compute a report",
    operation_id="createReport",
    tags=["reports"],
    responses=answers({201: Report}, 400, 413, 415, 422),
)
def create_report(wanted: Annotated[ReportRequest, Body(description="What to count")]) -> Response[Report]:
    """Counts images and bytes by status and format, and keeps the result for 30 days."""
    days = reports.days_from(wanted.first_day, wanted.days)
    images = {status: catalog.uploaded_between(status, *days.bounds) for status in reports.STATUSES}
    deadline = Deadline(cast(Any, router.lambda_context))
    rows, complete = reports.count(images, SETTINGS.max_report_images, lambda: deadline.allows(3))
    created_at = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    found: dict[str, Any] = {"first_day": days.first, "last_day": days.last, "created_at": created_at, "complete": complete, "rows": rows}
    report = Report(report_id=secrets.token_hex(16), **found)
    catalog.save_report(report.report_id, report.model_dump(mode="json"))
    return Response(201, JSON, report)


@router.get(
    "/reports/<report_id>",
    summary="A report computed before",
    operation_id="getReport",
    tags=["reports"],
    responses=answers({200: Report}, 404, 422),
)
def get_report(report_id: HexId) -> Report:
    """The stored report; it doesn't change."""
    report = catalog.load_report(report_id)
    if report is None:
        raise not_found("report")
    return Report(**report)
