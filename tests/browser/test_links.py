"""Thumbnails keep their first link, because the browser has cached the picture under this link."""

import itertools
from collections.abc import Callable
from datetime import UTC, datetime

from playwright.sync_api import Route, expect

from tests.browser.mocked_catalog import icon, image, thumbnails
from tests.browser.views import Gallery


def list_another_link_each_time(gallery: Gallery, valid_s: int) -> None:
    """Mock a catalog of one image. Each answer has different links, as if from another execution environment."""
    visits, signed = itertools.count(1), f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"

    def list_images(route: Route) -> None:
        link = f"{icon(gallery)}?X-Amz-Date={signed}&X-Amz-Expires={valid_s}&visit={next(visits)}"
        route.fulfill(json={"images": [image(0) | {"thumbnails": thumbnails(link)}], "next_cursor": None})

    gallery.page.route("**/images?**", list_images)


def test_a_thumbnail_keeps_its_link_until_somebody_signs_out(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([])
    page, picture = gallery.page, gallery.page.locator(".tile img.loaded")
    list_another_link_each_time(gallery, 3_600)
    gallery.enter()
    first = str(picture.get_attribute("src"))
    page.reload()
    expect(picture).to_have_attribute("src", first)
    page.get_by_role("button", name="Sign out").click()
    gallery.enter()
    expect(picture).not_to_have_attribute("src", first)


def test_a_link_that_soon_expires_is_replaced(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([])
    page, picture = gallery.page, gallery.page.locator(".tile img.loaded")
    list_another_link_each_time(gallery, 30)
    gallery.enter()
    first = str(picture.get_attribute("src"))
    page.reload()
    expect(picture).not_to_have_attribute("src", first)
