"""The web page of the catalog: its files as they are in `page/`, what it has to know, and what it may load (CSP).

The files are public: they hold nothing but code. Everything that they show comes from the other, authenticated routes.
"""

import hashlib
import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler import ApiGatewayResolver, Response

from catalog_api import storage
from catalog_api.problems import not_found
from catalog_api.settings import SETTINGS
from catalog_api.uploads import EXTENSIONS

ALLOWED = {"/": {"GET"}, "/page/<digest>/<file>": {"GET"}}
_FOLDER = Path(__file__).parent / "page"
_TYPES = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


def add_to(resolver: ApiGatewayResolver) -> None:
    """Serve the page at `/`, and its files and configuration below `/page/<digest>/`."""
    resolver.get("/", include_in_schema=False)(_index_for(resolver))
    resolver.get("/page/<digest>/<file>", include_in_schema=False)(_file_for(resolver))


def _index_for(resolver: ApiGatewayResolver) -> Callable[[], Response[str]]:
    def index() -> Response[str]:
        asked: str = resolver.current_event["requestContext"].get("path") or "/"
        if not asked.endswith("/"):
            # All addresses are relative, this one too, so that the page works behind any stage and host.
            return Response(308, "text/plain", "", {"Location": f"{asked.rsplit('/', 1)[-1]}/"})
        page = _files()["index.html"].replace("{version}", version())
        return Response(200, "text/html; charset=utf-8", page, {"Cache-Control": "no-cache", "Content-Security-Policy": policy()})

    return index


def _file_for(resolver: ApiGatewayResolver) -> Callable[[str, str], Response[str]]:
    def file(digest: str, file: str) -> Response[str]:
        if file == "config.json":
            settings = configuration(behind_gateway="elb" not in resolver.current_event["requestContext"])
            return Response(200, "application/json", json.dumps(settings), {"Cache-Control": "no-cache"})
        if file not in _files():
            raise not_found("page")
        content_type = f"{_TYPES[Path(file).suffix]}; charset=utf-8"
        # While versions change, one may be asked for the other's files: its own stand in for them, but nobody may keep them as such.
        keep = "public, max-age=31536000, immutable" if digest == version() else "no-store"
        return Response(200, content_type, _files()[file], {"Cache-Control": keep})

    return file


@cache
def _files() -> dict[str, str]:
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(_FOLDER.iterdir()) if path.suffix in _TYPES}


@cache
def version() -> str:
    """A digest of all files: their addresses change with it, so that browsers may keep them for good."""
    return hashlib.sha256("\0".join(name + "\0" + text for name, text in _files().items()).encode()).hexdigest()[:12]


def configuration(behind_gateway: bool) -> dict[str, Any]:
    """What the page needs to know before anyone has signed in; nothing of it is secret.

    `auth` is none behind a load balancer, which checks no keys and is for callers within the network.
    """
    return {
        "auth": SETTINGS.auth if behind_gateway else "none",
        "cognito": {"domain": SETTINGS.cognito_domain, "client_id": SETTINGS.cognito_client_id} if SETTINGS.cognito_domain else None,
        "max_upload_bytes": SETTINGS.max_upload_bytes,
        "types": {extension: content_type for content_type, extensions in EXTENSIONS.items() for extension in extensions},
    }


@cache
def policy() -> str:
    """The Content-Security-Policy: code from here only, data from here, from the buckets and the user pool only."""
    uploads, thumbnails = (_origin(url) for url in (storage.presigned_post("key", "image/png", 1)["url"], storage.thumbnail_url("key")))
    connect = " ".join(["'self'", uploads, *([SETTINGS.cognito_domain] if SETTINGS.cognito_domain else [])])
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: {thumbnails}; connect-src {connect}; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
