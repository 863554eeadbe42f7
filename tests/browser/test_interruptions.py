"""The page handles revoked keys, expired URLs, page files that do not load, and uploads without a result."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.mocked_catalog import icon, image, take_uploads, thumbnails
from tests.browser.views import GOOD, SMALL, Gallery, Open

INVALID_KEY = "This API key is not valid. Check the key and sign in again."


def refuse(page: Page, pattern: str, key: str) -> None:
    """Refuse requests that match a pattern, unless they have the key."""

    def answer(route: Route) -> None:
        if route.request.headers.get("x-api-key") == key:
            route.fallback()
        else:
            route.fulfill(status=403, json={})

    page.route(pattern, answer)


# The request for a presigned POST, and the request for the results of one upload.
@pytest.mark.parametrize("pattern", ["**/uploads", "**/images?status=READY&limit=12"])
def test_an_upload_continues_after_a_new_sign_in(catalog_of: Callable[..., Gallery], pattern: str) -> None:
    images = [image(number) for number in range(3)]
    gallery = catalog_of(images)
    page = gallery.page
    take_uploads(gallery, images, 1000)
    gallery.enter()
    expect(page.locator(".tile")).to_have_count(3)
    refuse(page, pattern, "new-key")
    page.locator("#files").set_input_files(SMALL)
    expect(page.get_by_role("alert")).to_have_text(INVALID_KEY)
    entry = page.locator("#tray-list li")
    expect(entry).to_have_text(f"{SMALL.name}{'Waiting' if 'uploads' in pattern else 'Creating thumbnails…'}")
    gallery.accessible()
    gallery.forgive("status of 403")
    page.get_by_label("API key").fill("new-key")
    page.keyboard.press("Enter")
    expect(page.locator("#tray")).to_be_hidden()
    expect(page.get_by_role("button", name="new.jpg")).to_be_visible()
    expect(page.locator(".tile")).to_have_count(4)


def test_the_large_view_closes_for_a_new_sign_in(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([image(number) for number in range(3)])
    page = gallery.page
    gallery.enter()
    refuse(page, "**/images/*", "new-key")
    page.locator(".tile").first.click()
    expect(page.get_by_role("alert")).to_have_text(INVALID_KEY)
    expect(page.locator("#viewer")).to_be_hidden()
    gallery.forgive("status of 403")


def test_a_caller_that_the_load_balancer_refuses_sees_an_explanation(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page

    def settings(route: Route) -> None:
        served = route.fetch()
        route.fulfill(response=served, json=served.json() | {"auth": "none"})

    page.route("**/config.json", settings)
    page.route("**/images?**", lambda route: route.fulfill(status=403, json={}))
    page.goto(gallery.address)
    expect(page.get_by_text("You do not have access to this gallery.")).to_be_visible()
    gallery.accessible()
    gallery.forgive("status of 403")


def test_an_upload_without_a_result_does_not_block_others_and_is_not_counted_as_failed(
    catalog_of: Callable[..., Gallery],
) -> None:
    gallery = catalog_of([image(number) for number in range(3)])
    page, uploaded = gallery.page, list[str]()

    def upload(route: Route) -> None:
        uploaded.append(f"{1000 + len(uploaded):032x}")
        route.fulfill(status=201, json={"image_id": uploaded[-1], "url": f"{gallery.address}form", "fields": {}})

    def get_image(route: Route) -> None:
        finished = image(0) | {"image_id": uploaded[-1], "filename": "fine.jpg", "thumbnails": {}}
        route.fulfill(json=finished) if route.request.url.endswith(uploaded[-1]) else route.fulfill(status=404, json={})

    page.clock.install()
    page.route("**/uploads", upload)
    page.route("**/form", lambda route: route.fulfill(status=204))
    page.route(re.compile(r"/images/[0-9a-f]{32}$"), get_image)
    gallery.enter()
    expect(page.locator(".tile")).to_have_count(3)
    # The newest images always belong to other uploads.
    page.route(
        re.compile(r"images\?status=\w+&limit=1\d$"),
        lambda route: route.fulfill(json={"images": [], "next_cursor": "older"}),
    )
    for number, file in enumerate((SMALL, next(path for path in GOOD if path != SMALL)), start=1):
        page.locator("#files").set_input_files(file)
        expect(page.locator("#tray-list li", has_text="Creating thumbnails…")).to_have_count(number)
    for _ in range(30):
        page.clock.run_for(8000)
    title = page.locator("#tray-title")
    expect(title).to_have_text("Creating thumbnails: 1 of 2")
    expect(page.locator("#tray-list li")).to_contain_text(
        "This takes longer than usual. The photo appears when it is ready."
    )
    page.get_by_role("button", name="한국어").click()
    expect(title).to_have_text("썸네일 만드는 중: 2개 중 1개 완료")
    page.get_by_role("button", name=f"{SMALL.name} 목록에서 제거").click()
    expect(page.locator("#tray")).to_be_hidden()
    gallery.forgive("status of 404")


def test_expired_thumbnail_urls_are_renewed_with_one_request_per_page(catalog_of: Callable[..., Gallery]) -> None:
    images: list[dict[str, Any]] = [image(number) for number in range(50)]
    gallery = catalog_of(images)
    page, address = gallery.page, icon(gallery)
    requested: list[str] = []

    def sign(time: int) -> None:
        for item in images:
            item["thumbnails"] = thumbnails(f"{address}?signed={time}&of={item['filename']}")

    page.clock.install()
    sign(1)
    gallery.enter()
    expect(page.locator(".tile img.loaded").first).to_be_visible()

    page.clock.fast_forward("16:00")
    page.route("**/icon.svg?signed=1**", lambda route: route.fulfill(status=403))
    sign(2)
    page.on("request", lambda request: requested.append(request.url) if "/images" in request.url else None)
    last = page.locator('.tile[data-index="49"]')
    expect(last).not_to_be_attached()
    page.locator(".tile").first.focus()
    page.keyboard.press("End")
    expect(last.locator("img.loaded")).to_have_attribute("src", re.compile("signed=2"))
    page.keyboard.press("Home")
    expect(page.locator(".tile").first.locator("img.loaded")).to_have_attribute("src", re.compile("signed=2"))
    # The page also requests new photos, in the order of their uploads, and deleted photos.
    pages = [url.rpartition("/")[2] for url in requested if not re.search("order=added|/deleted", url)]
    assert pages == ["images?order=taken&status=READY&limit=50"]
    gallery.forgive("status of 403")


def test_a_page_with_a_missing_file_offers_a_reload(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    page.route("**/viewer.js", lambda route: route.fulfill(status=429))
    page.goto(f"{gallery.address}#key={gallery.key}")
    broken = page.get_by_role("alert")
    expect(broken).to_contain_text("The gallery could not be loaded. Check your connection, then reload the page.")
    expect(broken).to_contain_text("갤러리를 불러오지 못했습니다.")
    gallery.accessible()
    gallery.shot("broken")
    gallery.forgive("status of 429", "thrown: ")
    page.unroute("**/viewer.js")
    broken.get_by_role("button", name="Reload").click()
    expect(page.locator("#gallery")).to_be_visible()
    expect(broken).to_be_hidden()
