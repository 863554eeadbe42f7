"""Scrolling through ten thousand images keeps the document small and the focus in place."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.mocked_catalog import image, take_uploads
from tests.browser.views import SMALL, Gallery
from tests.integration.support import eventually

IMAGE_COUNT = 10_000
# The grid has 237 elements in this window. With all 10,000 images in the document, it would have 40,000.
MAX_ELEMENTS = 500
MAX_HEAP_BYTES = 30e6
ELEMENTS = "document.querySelectorAll('#grid *').length"
# This script scrolls to the end of the list, and returns the number of elements in the grid after each step.
TO_THE_END = """async () => {
    const counts = [];
    for (let still = 0; still < 60; ) {
        const high = document.body.scrollHeight;
        scrollTo(0, high);
        await new Promise((resolve) => setTimeout(resolve, 20));
        counts.push(document.querySelectorAll('#grid *').length);
        const ended = document.querySelector('#more').textContent.startsWith('Total: ');
        still = ended && document.body.scrollHeight === high ? still + 20 : 0;
    }
    return counts;
}"""
PICTURE_IN_THE_MIDDLE = """() => [0.4, 0.5, 0.6].some((share) =>
    document.elementFromPoint(innerWidth / 2, innerHeight * share)?.closest('.tile')?.querySelector('img.loaded'))"""


def heap_bytes(page: Page) -> float:
    """Return the bytes of JavaScript's heap that are in use."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    return float(session.send("Runtime.getHeapUsage")["usedSize"])


def test_the_document_and_the_heap_stay_small_with_ten_thousand_images(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([image(number) for number in range(IMAGE_COUNT)])
    page = gallery.page
    gallery.enter()
    elements = page.evaluate(TO_THE_END)
    expect(page.locator("#more")).to_have_text("Total: 10,000")
    last = page.get_by_role("button", name=f"{IMAGE_COUNT - 1}.jpg")
    expect(last).to_be_in_viewport()
    assert last.locator("..").get_attribute("aria-posinset") == str(IMAGE_COUNT)
    gallery.shot("ten-thousand")
    for share in (0.75, 0.5, 0.25, 0.0):
        page.evaluate("share => scrollTo(0, share * document.body.scrollHeight)", share)
        eventually(lambda: page.evaluate(PICTURE_IN_THE_MIDDLE), "a picture in the middle of the window")
        elements.append(page.evaluate(ELEMENTS))
    first = page.locator('.tile[data-index="0"]')
    expect(first).to_be_in_viewport()
    assert max(elements) < MAX_ELEMENTS, f"{max(elements)} elements"
    assert heap_bytes(page) < MAX_HEAP_BYTES

    # Go to the end and back with the keyboard. The focused element stays in the document at any scroll position.
    first.focus()
    page.keyboard.press("End")
    expect(last).to_be_focused()
    page.keyboard.press("Home")
    expect(first).to_be_focused()
    page.evaluate("scrollTo(0, 50000)")
    expect(page.locator('.tile[data-index="20"]')).not_to_be_attached()
    expect(first).to_be_focused()
    assert page.evaluate(ELEMENTS) < MAX_ELEMENTS


def test_more_pages_load_until_the_window_is_full(catalog_of: Callable[..., Gallery]) -> None:
    # The API leaves out recently deleted images, so a page may be short or empty.
    gallery = catalog_of([image(number) for number in range(12)], sizes=[0, 1, 0, 2])
    gallery.enter()
    expect(gallery.page.locator("#more")).to_have_text("Total: 12")
    expect(gallery.page.locator(".tile")).to_have_count(12)


def test_a_new_photo_does_not_move_the_photos_in_the_window(catalog_of: Callable[..., Gallery]) -> None:
    images = [image(number) for number in range(600)]
    gallery = catalog_of(images)
    page = gallery.page
    take_uploads(gallery, images, IMAGE_COUNT)
    gallery.enter()
    page.evaluate("scrollTo(0, 2500)")
    expect(page.locator('.tile[data-index="0"]')).not_to_be_attached()
    seen = page.locator(".tile").filter(visible=True).element_handles()
    watched = next(tile for tile in seen if tile.bounding_box()["y"] > 200)  # type: ignore[index]
    name = str(watched.get_attribute("aria-label"))
    tile = page.get_by_role("button", name=name, exact=True)
    tile.focus()
    number, box = int(str(tile.get_attribute("data-index"))), tile.bounding_box()
    assert box

    gallery.page.locator("#files").set_input_files(SMALL)
    expect(tile).to_have_attribute("data-index", str(number + 1))
    expect(page.locator("#tray")).to_be_hidden()
    expect(tile).to_be_focused()
    now = tile.bounding_box()
    assert now
    assert abs(now["y"] - box["y"]) < box["height"], "the photo moved by more than its row"
    page.keyboard.press("Enter")
    expect(page.locator("#viewer-title")).to_have_text(name.partition(",")[0])
