"""The operation that lets a client upload one file."""

import secrets
from datetime import UTC, datetime
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body

from catalog_api import uploads
from catalog_api.catalog import Catalog
from catalog_api.image_operations import JSON
from catalog_api.models import Upload, UploadRequest
from catalog_api.problems import Problem
from catalog_api.settings import Settings
from catalog_api.storage import Storage
from shared import identity, names


class Uploads:
    """The operation that signs uploads. Its method is called by the routes."""

    def __init__(self, settings: Settings, catalog: Catalog, storage: Storage) -> None:
        """Nothing is called before the first request."""
        self._settings = settings
        self._catalog = catalog
        self._storage = storage

    def create_upload(
        self, upload: Annotated[UploadRequest, Body(description="The file to upload")]
    ) -> Response[Upload]:
        """Returns a presigned POST to S3 for this name, type and size. It expires.

        Answers 422 if the environment does not accept the content type, and 409 if `sha256` is given and an image with
        the same bytes is there.
        """
        accepted = uploads.accepted_types(self._settings.accepted_formats)
        if upload.content_type not in accepted:
            raise Problem(
                422,
                "Files of this type are not accepted here. Send a file of a type that `errors` names.",
                "validation",
                [{"detail": f"Input should be one of {', '.join(accepted)}", "pointer": "#/content_type"}],
            )
        for image in self._catalog.with_content(upload.sha256):
            raise Problem(
                409,
                "An image with the same bytes is there already. Leave out sha256 to upload it again.",
                "already-there",
                members={"image_id": image["image_id"]},
            )
        key = uploads.key_of(upload.filename, upload.content_type, datetime.now(UTC), secrets.token_hex(16))
        filename = names.clean(upload.filename)
        post = self._storage.presigned_post(key, upload.content_type, upload.bytes, filename, upload.utc_offset)
        image_id = identity.image_id(self._settings.uploads_bucket, key)
        return Response(201, JSON, Upload(image_id=image_id, expires_in_s=self._settings.url_expiry_s, **post))
