"""Mock catalogs of any size. The browser answers the requests to the API.

The notifier would announce each of ten thousand real items, which takes minutes and does not test the page. The page,
its policy and its files come from the deployment.
"""

import re
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests
from playwright.sync_api import Route

from tests.browser.views import Gallery

NEWEST = datetime(2026, 11, 20, 12, tzinfo=UTC)
type Image = dict[str, Any]


def image(number: int) -> Image:
    """Return an image of the catalog. Higher numbers are older, with 60 images a day in various aspect ratios."""
    taken = NEWEST - timedelta(minutes=24 * number)
    return {
        "image_id": f"{number:032x}",
        "status": "READY",
        "filename": f"{number}.jpg",
        "uploaded_at": taken.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "taken_at": taken.strftime("%Y-%m-%dT%H:%M:%S"),
        "taken_from": "camera",
        "utc_offset": None,
        "width": 600 + 100 * (number % 7),
        "height": 600 + 100 * (number % 4),
        "dominant_color": f"#{number * 2654435761 % 0xFFFFFF:06x}",
        "blurhash": "LEHV6nWB2yk8pyo0adR*.7kCMdnj",
    }


def thumbnails(address: str) -> dict[str, Any]:
    """Return the thumbnails of an image: one, at `address`."""
    return {"320": {"url": address, "width": 320, "height": 240}}


def icon(gallery: Gallery) -> str:
    """Return the URL of a picture that the page's policy allows and that the browser caches."""
    match = re.search(r"page/\w+/icon\.svg", requests.get(gallery.address, timeout=30).text)
    assert match
    return gallery.address + match[0]


def answer(gallery: Gallery, images: list[Image], sizes: list[int], deleted: list[Image] | None = None) -> None:
    """Mock a catalog of `images`. The first pages have the given sizes, and the others have the requested limit.

    `deleted` has the deleted images, starting with the last deletion.
    """
    thumbnail = {"thumbnails": thumbnails(icon(gallery))}

    def list_images(route: Route) -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        start = int(query.get("cursor", ["0"])[0])
        is_poll = query.get("order") == ["added"]
        end = start + (sizes.pop(0) if sizes and not is_poll else int(query["limit"][0]))
        listed = [item for item in images if item["taken_at"][:7] <= query.get("until", ["9999"])[0]]
        page = [thumbnail | item for item in listed[start:end]] if query["status"] == ["READY"] else []
        cursor = str(end) if end < len(listed) else None
        route.fulfill(json={"images": page, "next_cursor": cursor, "order": query.get("order", ["added"])[0]})

    def summarize(route: Route) -> None:
        months = Counter(item["taken_at"][:7] for item in images)
        counts = [{"month": month, "images": months[month]} for month in sorted(months, reverse=True)]
        empty: dict[str, Any] = {"cameras": [], "formats": [], "reasons": []}
        route.fulfill(json=empty | {"images": len(images), "complete": True, "months": counts})

    def get_image(route: Route) -> None:
        image_id = urlsplit(route.request.url).path.rpartition("/")[2]
        matches = [
            thumbnail | {"original_url": gallery.address} | item for item in images if item["image_id"] == image_id
        ]
        route.fulfill(json=matches[0]) if matches else route.fulfill(status=404, json={})

    gallery.page.route("**/images?**", list_images)
    gallery.page.route("**/images/*", get_image)
    gallery.page.route(
        "**/images/deleted?**", lambda route: route.fulfill(json={"images": deleted or [], "next_cursor": None})
    )
    gallery.page.route("**/images/summary?**", summarize)


def take_uploads(gallery: Gallery, images: list[Image], number: int) -> None:
    """Mock uploads. Each upload immediately becomes the newest of `images`. Their ids count up from `number`."""
    uploaded: list[str] = []

    def upload(route: Route) -> None:
        uploaded.append(f"{number + len(uploaded):032x}")
        route.fulfill(status=201, json={"image_id": uploaded[-1], "url": f"{gallery.address}form", "fields": {}})

    def store(route: Route) -> None:
        images.insert(
            0,
            image(0)
            | {
                "image_id": uploaded[-1],
                "filename": "new.jpg",
                "uploaded_at": "2026-11-21T12:00:00.000Z",
                "taken_at": "2026-11-21T12:00:00",
            },
        )
        route.fulfill(status=204)

    gallery.page.route("**/uploads", upload)
    gallery.page.route("**/form", store)
