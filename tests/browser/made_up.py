"""Catalogs that are made up, and answered in the browser: of any size, and as bad as a test wants it.

To put ten thousand items into the table would have every one announced by the notifier, which takes minutes, and says nothing
about the page. The page itself, its policy and its files are the deployment's.
"""

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from playwright.sync_api import Route

from tests.browser.views import Gallery

NEWEST = datetime(2026, 11, 20, 12, tzinfo=UTC)
type Image = dict[str, Any]


def image(number: int) -> Image:
    """One of the catalog, older the higher its number: 60 a day, of all shapes."""
    taken = NEWEST - timedelta(minutes=24 * number)
    return {
        "image_id": f"{number:032x}",
        "status": "READY",
        "filename": f"{number}.jpg",
        "uploaded_at": taken.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "width": 600 + 100 * (number % 7),
        "height": 600 + 100 * (number % 4),
        "dominant_color": f"#{number * 2654435761 % 0xFFFFFF:06x}",
        "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
    }


def thumbnails(address: str) -> dict[str, Any]:
    """An image's only thumbnail."""
    return {"320": {"url": address, "width": 320, "height": 240}}


def icon(gallery: Gallery) -> str:
    """The address of a picture that the page's policy allows, and that the browser keeps."""
    found = re.search(r"page/\w+/icon\.svg", requests.get(gallery.address, timeout=30).text)
    assert found
    return gallery.address + found[0]


def answer(gallery: Gallery, images: list[Image], sizes: list[int]) -> None:
    """Answer for a catalog of `images`, in pages of as many as are asked for, or of `sizes` to begin with."""
    shown = {"thumbnails": thumbnails(icon(gallery))}

    def listed(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        start = int(query.get("cursor", ["0"])[0])
        end = start + (sizes.pop(0) if sizes else int(query["limit"][0]))
        found = [shown | one for one in images[start:end]] if query["status"] == ["READY"] else []
        route.fulfill(json={"images": found, "next_cursor": str(end) if end < len(images) else None})

    def one_of_them(route: Route) -> None:
        wanted = urlsplit(route.request.url).path.rpartition("/")[2]
        found = [shown | {"original_url": gallery.address} | one for one in images if one["image_id"] == wanted]
        route.fulfill(json=found[0]) if found else route.fulfill(status=404, json={})

    gallery.page.route("**/images?**", listed)
    gallery.page.route("**/images/*", one_of_them)


def take_uploads(gallery: Gallery, images: list[Image], number: int) -> None:
    """Answer for uploads too, which become the newest of `images` at once, numbered from `number`."""
    uploaded: list[str] = []

    def upload(route: Route) -> None:
        uploaded.append(f"{number + len(uploaded):032x}")
        route.fulfill(status=201, json={"image_id": uploaded[-1], "url": f"{gallery.address}form", "fields": {}})

    def store(route: Route) -> None:
        images.insert(0, image(0) | {"image_id": uploaded[-1], "filename": "new.jpg", "uploaded_at": "2026-11-21T12:00:00.000Z"})
        route.fulfill(status=204)

    gallery.page.route("**/uploads", upload)
    gallery.page.route("**/form", store)
