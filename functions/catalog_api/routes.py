"""Define the API's routes, each with its operation and its part of the OpenAPI document."""

from dataclasses import dataclass
from typing import Annotated, Any, cast

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from catalog_api.image_operations import JSON, Images
from catalog_api.listings import Listings
from catalog_api.models import (
    BatchDeletion,
    BatchRestoration,
    DeletedPage,
    Deletion,
    Health,
    ImageDetail,
    ImageIds,
    ImagePage,
    Report,
    ReportRequest,
    Restoration,
    RestoreIds,
    Share,
    Status,
    Summary,
    Upload,
)
from catalog_api.openapi_responses import responses
from catalog_api.report_operations import Reports
from catalog_api.sharing import Sharing
from catalog_api.upload_operations import Uploads
from shared.deadline import Deadline


@dataclass(frozen=True)
class Operations:
    """The operations of the API. Each takes validated input and returns a response, or raises Problem."""

    listings: Listings
    images: Images
    uploads: Uploads
    sharing: Sharing
    reports: Reports


def health() -> Health:
    """Answers load balancers and uptime checks. Needs no authentication and calls no other service."""
    return Health()


def router_for(operations: Operations) -> Router:
    """Return the routes of the operations, each with its part of the OpenAPI document."""
    router = Router()  # type: ignore[no-untyped-call]
    router.get(
        "/health",
        summary="Check that the service answers",
        operation_id="health",
        responses=responses({200: Health}),
        security=[{}],
    )(health)
    _add_listing_routes(router, operations.listings)
    _add_image_routes(router, operations.images)
    _add_batch_routes(router, operations.images)
    _add_share_routes(router, operations.sharing)
    router.post(
        "/uploads",
        summary="Request an upload",
        operation_id="createUpload",
        tags=["images"],
        responses=responses({201: Upload}, 400, 409, 413, 415, 422),
    )(operations.uploads.create_upload)
    _add_report_routes(router, operations.reports)
    return router


def _deadline(router: Router) -> Deadline:
    return Deadline(cast(Any, router.lambda_context))


def _add_listing_routes(router: Router, listings: Listings) -> None:
    def summarize(status: Annotated[Status, Query(description="The status of the images")] = "READY") -> Summary:
        """Counts images by month, camera, format and reason: the newest 20,000. All months are listed in any case."""
        return listings.summarize(status, _deadline(router))

    router.get(
        "/images",
        summary="List images, newest first",
        operation_id="listImages",
        tags=["images"],
        responses=responses({200: ImagePage, 304: None}, 400, 422),
    )(listings.list_images)
    router.get(
        "/images/summary",
        summary="Count images by month and by what they can be filtered by",
        operation_id="summarizeImages",
        tags=["images"],
        responses=responses({200: Summary}, 422),
    )(summarize)
    router.get(
        "/images/deleted",
        summary="List deleted images that can be restored",
        operation_id="listDeletedImages",
        tags=["images"],
        responses=responses({200: DeletedPage, 304: None}, 400, 422),
    )(listings.list_deleted)


def _add_image_routes(router: Router, images: Images) -> None:
    router.get(
        "/images/<image_id>",
        summary="Get an image",
        operation_id="getImage",
        tags=["images"],
        responses=responses({200: ImageDetail}, 404, 422),
    )(images.get_image)
    router.delete(
        "/images/<image_id>",
        summary="Delete an image",
        operation_id="deleteImage",
        tags=["images"],
        responses=responses({202: Deletion, 204: None}, 404, 422),
    )(images.delete_image)
    router.post(
        "/images/<image_id>/restore",
        summary="Undo the deletion of an image",
        operation_id="restoreImage",
        tags=["images"],
        responses=responses({202: Restoration}, 404, 422),
    )(images.restore_image)


def _add_batch_routes(router: Router, images: Images) -> None:
    def delete_images(body: Annotated[ImageIds, Body(description="Which images")]) -> Response[BatchDeletion]:
        """Starts the deletion of up to 100 images. Repeating the request is safe."""
        return Response(202, JSON, images.delete_many(body))

    def restore_images(body: Annotated[RestoreIds, Body(description="Which images")]) -> Response[BatchRestoration]:
        """Starts to undo the deletion of up to 50 images. Repeating the request is safe."""
        return Response(202, JSON, images.restore_many(body, _deadline(router)))

    router.post(
        "/images/delete",
        summary="Delete images",
        operation_id="deleteImages",
        tags=["images"],
        responses=responses({202: BatchDeletion}, 400, 413, 415, 422),
    )(delete_images)
    router.post(
        "/images/restore",
        summary="Undo the deletion of images",
        operation_id="restoreImages",
        tags=["images"],
        responses=responses({202: BatchRestoration}, 400, 413, 415, 422),
    )(restore_images)


def _add_share_routes(router: Router, sharing: Sharing) -> None:
    router.post(
        "/images/<image_id>/share",
        summary="Share an image by a link that expires",
        operation_id="shareImage",
        tags=["sharing"],
        responses=responses({201: Share}, 400, 404, 413, 415, 422),
    )(sharing.share_image)
    router.delete(
        "/images/<image_id>/share",
        summary="Revoke the link of an image",
        operation_id="revokeShare",
        tags=["sharing"],
        responses=responses({204: None}, 404, 422),
    )(sharing.revoke_share)
    router.get(
        "/shared/<token>",
        summary="Follow a link that was shared",
        operation_id="openShare",
        tags=["sharing"],
        responses=responses({302: None}, 404, 422),
        security=[{}],
    )(sharing.open_share)


def _add_report_routes(router: Router, reports: Reports) -> None:
    def create_report(body: Annotated[ReportRequest, Body(description="What to count")]) -> Response[Report]:
        """Counts images and bytes by status and format, and keeps the result for 30 days."""
        return Response(201, JSON, reports.create_report(body, _deadline(router)))

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
    )(reports.get_report)
