"""What may happen between two requests: a key is taken away, addresses expire, a file of the page does not come, an upload gets stuck."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.made_up import icon, image, take_uploads, thumbnails
from tests.browser.views import SMALL, Gallery, Open

INVALID_KEY = "This API key is not valid. Check the key and sign in again."


def refuse(page: Page, pattern: str, key: str) -> None:
    """From now on, what a pattern matches is for another key."""

    def answer(route: Route) -> None:
        if route.request.headers.get("x-api-key") == key:
            route.fallback()
        else:
            route.fulfill(status=403, json={})

    page.route(pattern, answer)


# Asking where to send it; asking what has become of it, as the tray does for one upload
@pytest.mark.parametrize("pattern", ["**/uploads", "**/images?status=READY&limit=12"])
def test_an_upload_waits_for_who_signs_in_again(catalog_of: Callable[..., Gallery], pattern: str) -> None:
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


def test_the_large_view_asks_who_it_is_too(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([image(number) for number in range(3)])
    page = gallery.page
    gallery.enter()
    refuse(page, "**/images/*", "new-key")
    page.locator(".tile").first.click()
    expect(page.get_by_role("alert")).to_have_text(INVALID_KEY)
    expect(page.locator("#viewer")).to_be_hidden()
    gallery.forgive("status of 403")


def test_who_the_load_balancer_does_not_let_in_is_told_so(open_gallery: Open) -> None:
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


def test_one_stuck_upload_hides_no_other_and_is_not_counted_as_refused(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([image(number) for number in range(3)])
    page, uploaded = gallery.page, list[str]()

    def upload(route: Route) -> None:
        uploaded.append(f"{1000 + len(uploaded):032x}")
        route.fulfill(status=201, json={"image_id": uploaded[-1], "url": f"{gallery.address}form", "fields": {}})

    def one_of_them(route: Route) -> None:
        found = image(0) | {"image_id": uploaded[-1], "filename": "fine.jpg", "thumbnails": {}}
        route.fulfill(json=found) if route.request.url.endswith(uploaded[-1]) else route.fulfill(status=404, json={})

    page.clock.install()
    page.route("**/uploads", upload)
    page.route("**/form", lambda route: route.fulfill(status=204))
    page.route("**/images/*", one_of_them)
    gallery.enter()
    expect(page.locator(".tile")).to_have_count(3)
    # The newest are others' images, always.
    page.route(re.compile(r"images\?status=\w+&limit=1\d$"), lambda route: route.fulfill(json={"images": [], "next_cursor": "older"}))
    for number in (1, 2):
        page.locator("#files").set_input_files(SMALL)
        expect(page.locator("#tray-list li", has_text="Creating thumbnails…")).to_have_count(number)
    for _ in range(30):
        page.clock.run_for(8000)
    title = page.locator("#tray-title")
    expect(title).to_have_text("Creating thumbnails: 1 of 2")
    expect(page.locator("#tray-list li")).to_contain_text("This takes longer than usual. The photo appears when it is ready.")
    page.get_by_role("button", name="한국어").click()
    expect(title).to_have_text("썸네일 만드는 중: 2개 중 1개 완료")
    page.get_by_role("button", name=f"{SMALL.name} 목록에서 제거").click()
    expect(page.locator("#tray")).to_be_hidden()
    gallery.forgive("status of 404")


def test_thumbnails_whose_addresses_expired_cost_one_request_a_page(catalog_of: Callable[..., Gallery]) -> None:
    images: list[dict[str, Any]] = [image(number) for number in range(50)]
    gallery = catalog_of(images)
    page, address = gallery.page, icon(gallery)
    asked: list[str] = []

    def sign(time: int) -> None:
        for one in images:
            one["thumbnails"] = thumbnails(f"{address}?signed={time}&of={one['filename']}")

    page.clock.install()
    sign(1)
    gallery.enter()
    expect(page.locator(".tile img.loaded").first).to_be_visible()

    page.clock.fast_forward("16:00")
    page.route("**/icon.svg?signed=1**", lambda route: route.fulfill(status=403))
    sign(2)
    page.on("request", lambda request: asked.append(request.url) if "/images" in request.url else None)
    last = page.locator('.tile[data-index="49"]')
    expect(last).not_to_be_attached()
    page.locator(".tile").first.focus()
    page.keyboard.press("End")
    expect(last.locator("img.loaded")).to_have_attribute("src", re.compile("signed=2"))
    page.keyboard.press("Home")
    expect(page.locator(".tile").first.locator("img.loaded")).to_have_attribute("src", re.compile("signed=2"))
    assert [url.rpartition("/")[2] for url in asked] == ["images?status=READY&limit=50"]
    gallery.forgive("status of 403")


def test_a_file_of_the_page_that_does_not_come_leaves_a_way_to_go_on(open_gallery: Open) -> None:
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
