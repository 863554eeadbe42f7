"""The large view shows the original on large screens and at high zoom, and can be zoomed, moved and swiped."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.mocked_catalog import answer, icon, image
from tests.browser.test_viewer import is_shown, open_photo
from tests.browser.views import PHONE, Gallery, Open

# This script returns the zoom of the photo and its offset.
TRANSFORM = """() => {
    const { a, e, f } = new DOMMatrix(getComputedStyle(document.querySelector('.frame')).transform);
    return [a, e, f];
}"""
# This script returns whether the whole button is visible.
IS_WHOLE = """(button) => {
    const { left, right, top, bottom } = button.getBoundingClientRect();
    const [x, y] = [(left + right) / 2, (top + bottom) / 2];
    return [[left + 2, y], [right - 2, y], [x, top + 2], [x, bottom - 2]]
        .every(([x, y]) => x > 0 && x < innerWidth && button.contains(document.elementFromPoint(x, y)));
}"""


def zoom(page: Page) -> float:
    return float(page.evaluate(TRANSFORM)[0])


def photo_with_original(gallery: Gallery, **fields: Any) -> dict[str, Any]:
    """Return a photo of 12,000 x 1,500 pixels whose largest thumbnail has 1,280."""
    address = icon(gallery)
    thumbnails = {"1280": {"url": address, "width": 1280, "height": 160}}
    original = {"original_url": f"{address}?original", "width": 12_000, "height": 1_500, "format": "PNG", "bytes": 9e6}
    return image(0) | original | {"thumbnails": thumbnails} | fields


def test_a_photo_is_zoomed_and_moved_by_wheel_keys_and_buttons(catalog_of: Callable[..., Gallery]) -> None:
    images = [image(number) for number in range(3)]
    gallery = catalog_of(images)
    page, out = gallery.page, gallery.page.get_by_role("button", name="Zoom out")
    images[0] |= photo_with_original(gallery)
    gallery.enter()
    open_photo(gallery, 0)
    expect(out).to_be_disabled()
    expect(page.locator(".frame .original")).to_have_count(0)
    page.mouse.move(300, 400)
    page.mouse.wheel(0, -600)
    assert zoom(page) > 2
    # The thumbnail is too small for this zoom, so the page shows the original over it.
    expect(page.locator(".frame .original.loaded")).to_have_attribute("src", f"{icon(gallery)}?original")
    gallery.shot("zoomed")
    gallery.accessible()
    left = page.evaluate(TRANSFORM)[1]
    page.keyboard.press("ArrowRight")
    assert page.evaluate(TRANSFORM)[1] < left, "an arrow key moves a zoomed photo"
    page.mouse.move(300, 400)
    page.mouse.down()
    page.mouse.move(380, 400)
    page.mouse.up()
    assert page.evaluate(TRANSFORM)[1] > left - 60
    page.keyboard.press("0")
    assert zoom(page) == 1
    expect(out).to_be_disabled()
    page.keyboard.press("+")
    assert zoom(page) == 1.5
    out.click()
    assert zoom(page) == 1
    expect(page.get_by_role("button", name="Close")).to_be_focused()
    page.get_by_role("button", name="Zoom in").click()
    page.keyboard.press("0")
    page.keyboard.press("ArrowRight")
    is_shown(page, 1)


def test_a_phone_turns_the_page_by_a_swipe_and_zooms_by_two_fingers(open_gallery: Open) -> None:
    gallery = open_gallery(**PHONE)
    answer(gallery, [image(number) for number in range(3)], [])
    page = gallery.page
    gallery.enter()
    page.locator(".tile").first.tap()
    expect(page.get_by_role("link", name="Download original")).to_be_visible()
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[int, int]) -> None:
        fingers = [{"x": x, "y": y, "id": index} for index, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    touch("touchStart", (300, 300))
    for x in (250, 200, 150):
        touch("touchMove", (x, 300))
    touch("touchEnd")
    is_shown(page, 1)
    touch("touchStart", (180, 300), (220, 300))
    touch("touchMove", (120, 300), (280, 300))
    touch("touchEnd")
    assert zoom(page) == pytest.approx(4, rel=0.1)
    # One finger moves a zoomed photo instead of showing the next one.
    before = page.evaluate(TRANSFORM)[1]
    touch("touchStart", (300, 300))
    touch("touchMove", (200, 300))
    touch("touchEnd")
    assert page.evaluate(TRANSFORM)[1] < before
    is_shown(page, 1)
    gallery.accessible()


@pytest.mark.parametrize(("fields", "is_shown_whole"), [({}, True), ({"format": "HEIC"}, False)], ids=["PNG", "HEIC"])
def test_a_large_screen_shows_the_original_if_the_browser_can(
    open_gallery: Open, fields: dict[str, Any], is_shown_whole: bool
) -> None:
    gallery = open_gallery(viewport={"width": 2560, "height": 1440}, color_scheme="dark")
    photo = photo_with_original(gallery, width=4000, height=3000, **fields)
    answer(gallery, [photo], [])
    gallery.enter()
    open_photo(gallery, 0)
    expect(gallery.page.locator(".frame .original.loaded")).to_have_count(int(is_shown_whole))
    gallery.shot(f"viewer-2560-{photo['format'].lower()}")
    gallery.accessible()


@pytest.mark.parametrize("size", [(1280, 820), (640, 410)], ids=["100 %", "200 %"])
def test_nothing_is_cut_by_the_scroll_bar(catalog_of: Callable[..., Gallery], size: tuple[int, int]) -> None:
    gallery = catalog_of([image(number) for number in range(60)])
    page = gallery.page
    page.set_viewport_size({"width": size[0], "height": size[1]})
    gallery.enter()
    assert page.evaluate("innerWidth - document.documentElement.clientWidth") > 0, "there is a scroll bar"
    # The tabs come before the tools, both on the screen and in the keyboard order.
    edges = "(id) => { const { top, left } = document.getElementById(id).getBoundingClientRect(); return [top, left]; }"
    assert page.evaluate(edges, "show-rejected") < page.evaluate(edges, "language")
    tile = page.locator(".tile").first
    width = tile.bounding_box()
    open_photo(gallery, 0)
    close = page.locator("#viewer .close")
    assert page.evaluate("document.querySelector('#viewer').getBoundingClientRect().right === innerWidth")
    assert close.evaluate(IS_WHOLE)
    gallery.shot(f"viewer-{size[0]}")
    gallery.accessible()
    close.click()
    assert tile.bounding_box() == width, "the grid keeps its layout"
