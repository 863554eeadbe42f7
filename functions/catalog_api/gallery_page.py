"""Serve the gallery: the files in `gallery/`, their configuration and their Content-Security-Policy (CSP).

The files are public and contain only code. All data comes from the other routes, which require authentication.
"""

import base64
import hashlib
import json
from functools import cache, cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler import ApiGatewayResolver, Response

from catalog_api import icons
from catalog_api.problems import not_found
from catalog_api.settings import Settings
from catalog_api.storage import Storage
from catalog_api.uploads import EXTENSIONS, accepted_types

ALLOWED = {"/": {"GET"}, "/page/<digest>/<file>": {"GET"}}
_FOLDER = Path(__file__).parent / "gallery"
_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
}


class GalleryPage:
    """The page at `/`, and its files and configuration below `/page/<digest>/`."""

    def __init__(self, settings: Settings, storage: Storage) -> None:
        """`storage` provides the origins of the buckets for the policy."""
        self._settings = settings
        self._storage = storage

    def add_to(self, resolver: ApiGatewayResolver) -> None:
        """Register the page's routes."""

        def index() -> Response[str]:
            return self._index(resolver.current_event["requestContext"].get("path") or "/")

        def file(digest: str, file: str) -> Response[str]:
            if file == "config.json":
                configuration = self._configuration(
                    behind_gateway="elb" not in resolver.current_event["requestContext"]
                )
                return Response(200, "application/json", json.dumps(configuration), {"Cache-Control": "no-cache"})
            return _file(digest, file)

        resolver.get("/", include_in_schema=False)(index)
        resolver.get("/page/<digest>/<file>", include_in_schema=False)(file)

    def _index(self, path: str) -> Response[str]:
        if not path.endswith("/"):
            # All addresses are relative, including this redirect, so that the page works with any stage and host.
            return Response(308, "text/plain", "", {"Location": f"{path.rsplit('/', 1)[-1]}/"})
        page = _files()["index.html"].replace("{version}", version())
        headers = {"Cache-Control": "no-cache", "Content-Security-Policy": self._policy}
        return Response(200, "text/html; charset=utf-8", page, headers)

    def _configuration(self, behind_gateway: bool) -> dict[str, Any]:
        """Return the configuration that the page needs before the sign-in. It contains no secrets.

        `auth` is "none" behind a load balancer, which checks no keys and serves only callers within the network.
        """
        settings = self._settings
        cognito = {"domain": settings.cognito_domain, "client_id": settings.cognito_client_id}
        return {
            "auth": settings.auth if behind_gateway else "none",
            "cognito": cognito if settings.cognito_domain else None,
            "max_upload_bytes": settings.max_upload_bytes,
            "types": {
                extension: content_type
                for content_type in accepted_types(settings.accepted_formats)
                for extension in EXTENSIONS[content_type]
            },
        }

    @cached_property
    def _policy(self) -> str:
        """Return the Content-Security-Policy.

        It allows code only from the page's origin, and data only from this origin, the buckets and the user pool. It
        allows pictures from both buckets, because the large view shows an original if its thumbnails are not sharp.
        """
        uploads = _origin(self._storage.presigned_post("key", "image/png", 1)["url"])
        thumbnails = _origin(self._storage.thumbnail_url("key"))
        pictures = " ".join(dict.fromkeys(["'self'", "blob:", thumbnails, uploads]))
        domain = self._settings.cognito_domain
        connect = " ".join(["'self'", uploads, *([domain] if domain else [])])
        return (
            f"default-src 'none'; script-src 'self'; style-src 'self'; img-src {pictures}; connect-src {connect}; "
            "manifest-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
            "trusted-types 'none'"
        )


@cache
def version() -> str:
    """Return a digest of all files. It is part of their addresses, so that browsers may cache the files forever."""
    texts = _files() | {"icons.py": Path(icons.__file__).read_text(encoding="utf-8")}
    return hashlib.sha256("\0".join(name + "\0" + text for name, text in texts.items()).encode()).hexdigest()[:12]


@cache
def _files() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}


def _file(digest: str, name: str) -> Response[str]:
    # During a deployment, a browser may request files of another version. It gets the files of this version, but must
    # not cache them.
    headers = {"Cache-Control": "public, max-age=31536000, immutable" if digest == version() else "no-store"}
    if name in icons.PICTURES:
        # The picture is encoded here, because the validation of responses would decode bytes as UTF-8.
        picture = base64.b64encode(icons.picture(_files()["icon.svg"], name)).decode()
        answer = Response(200, "image/png", picture, headers)
        answer.base64_encoded = True
        return answer
    if name not in _files():
        raise not_found("page")
    return Response(200, f"{_TYPES[Path(name).suffix]}; charset=utf-8", _files()[name], headers)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
