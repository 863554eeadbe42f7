"""The operations on links that show one image without a key."""

import time
from datetime import UTC, datetime
from typing import Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Path

from catalog_api.catalog import Catalog
from catalog_api.image_operations import JSON, HexId
from catalog_api.models import Share, ShareRequest
from catalog_api.openapi_responses import Empty
from catalog_api.problems import not_found
from catalog_api.share_store import ShareStore
from catalog_api.storage import SHARED_S, Storage
from shared import names
from shared.text import utc_text

Token = Annotated[str, Path(pattern="^[0-9a-f]{64}$", description="The end of a link that was shared")]


class Sharing:
    """The operations on links. Their methods are called by the routes."""

    def __init__(self, catalog: Catalog, shares: ShareStore, storage: Storage) -> None:
        """Nothing is called before the first request."""
        self._catalog = catalog
        self._shares = shares
        self._storage = storage

    def share_image(
        self, image_id: HexId, request: Annotated[ShareRequest, Body(description="What the link shows")]
    ) -> Response[Share]:
        """Returns a link that shows one image without authentication, until it expires. It replaces an earlier link."""
        if self._catalog.find(image_id) is None:
            raise not_found("image")
        expires_at = int(time.time()) + 3600 * request.hours
        token = self._shares.create(image_id, expires_at, original=request.original)
        share = Share(path=f"shared/{token}", expires_at=utc_text(datetime.fromtimestamp(expires_at, UTC)))
        return Response(201, JSON, share)

    def revoke_share(self, image_id: HexId) -> Response[Empty]:
        """Makes the link of an image stop working. Repeating it is safe."""
        self._shares.revoke(image_id)
        return Response(204, body=None)

    def open_share(self, token: Token) -> Response[Empty]:
        """Redirects to the image that a link shares. Needs no authentication: the link itself is the secret."""
        shared = self._shares.find(token)
        item = self._catalog.find(shared.image_id) if shared else None
        if shared is None or item is None:
            raise not_found("link")
        return Response(302, body=None, headers={"Location": self._target(item, shared.original)})

    def _target(self, item: dict[str, Any], original: bool) -> str:
        """Return the URL of the original or of the largest thumbnail. Raises Problem if a rejected image has none."""
        thumbnails: dict[str, Any] = item.get("thumbnails") or {}
        if original:
            filename = item.get("filename") or names.of_key(item["key"])
            return self._storage.original_url(item["key"], filename, SHARED_S)
        if not thumbnails:
            raise not_found("link")
        return self._storage.shared_url(thumbnails[max(thumbnails, key=int)]["key"])
