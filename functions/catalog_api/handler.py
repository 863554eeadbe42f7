"""The Lambda handler for the catalog's HTTP API behind API Gateway (REST API v1) or an ALB."""

from functools import cache
from typing import Any, cast

from catalog_api.app import Api
from catalog_api.catalog import Catalog
from catalog_api.failures import request_id
from catalog_api.gallery_page import GalleryPage
from catalog_api.image_operations import Images
from catalog_api.listings import Listings
from catalog_api.report_operations import Reports
from catalog_api.report_store import ReportStore
from catalog_api.responses import finish
from catalog_api.routes import Operations
from catalog_api.settings import SETTINGS, Settings
from catalog_api.share_store import ShareStore
from catalog_api.sharing import Sharing
from catalog_api.storage import Storage, s3_client
from catalog_api.timeline import Timeline
from catalog_api.upgrade import DateIndex
from catalog_api.upload_operations import Uploads
from shared.clients import client
from shared.deadline import LambdaContext
from shared.observability import logger


def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Respond to a proxy event. The response to every error is an RFC 9457 problem document."""
    return respond(_deployed_api(), event, context)


def respond(api: Api, event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Return the response of `api` to a proxy event."""
    answer = api.resolver_for(event).resolve(event, cast(Any, context))
    quoted = request_id(event, context.aws_request_id)
    fields = {
        "method": event["httpMethod"],
        "path": event["path"],
        "status": answer["statusCode"],
        "request_id": quoted,
    }
    logger.info("answered", extra=fields)
    return finish(event, answer, quoted)


def api_of(settings: Settings, dynamodb: Any, s3: Any) -> Api:
    """Return the API for the tables and buckets of the settings. `s3` is a client from `storage.s3_client`."""
    storage = Storage(s3, settings)
    catalog = Catalog(dynamodb, settings.catalog_table)
    timeline = Timeline(dynamodb, settings.catalog_table)
    index = DateIndex(dynamodb, settings.catalog_table, settings.state_table)
    operations = Operations(
        listings=Listings(settings, catalog, timeline, index, storage),
        images=Images(settings, catalog, storage),
        uploads=Uploads(settings, catalog, storage),
        sharing=Sharing(catalog, ShareStore(dynamodb, settings.state_table), storage),
        reports=Reports(settings, catalog, ReportStore(dynamodb, settings.state_table)),
    )
    return Api(settings, operations, GalleryPage(settings, storage))


@cache
def _deployed_api() -> Api:
    return api_of(SETTINGS, client("dynamodb"), s3_client())
