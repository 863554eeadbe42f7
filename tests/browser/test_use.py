"""Deleting, dropping files, and keyboard-only use work on the deployed pipeline."""

import base64
import re

import pytest
import requests
from playwright.sync_api import Locator, Page, Route, expect

from eventloom.clouds import client
from tests.browser.views import CORRUPT, GOOD, SMALL, Gallery, Open
from tests.integration.support import Deployment, eventually

NAME = SMALL.name
# After this time, the page requests the image of an upload by its id (results.js).
LOOKED_UP_AFTER_MS = 16_000
pytestmark = pytest.mark.usefixtures("empty_catalog")

# This script drags and drops files. For both events it returns whether the default is allowed and the sign hidden.
DROP = """([files, to]) => {
    const [transfer, sign] = [new DataTransfer(), document.querySelector('#drop')];
    for (const [name, type, text] of files) {
        const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt());
        transfer.items.add(new File([bytes], name, { type }));
    }
    const fire = (kind) => {
        const event = new DragEvent(kind, { bubbles: true, cancelable: true, dataTransfer: transfer });
        return [document.querySelector(to).dispatchEvent(event), sign.hidden];
    };
    return [...fire('dragover'), ...fire('drop')];
}"""
# This script cancels the deletion and starts it again before the browser sends the close event.
ASKED_AGAIN = """() => {
    document.querySelector('#confirm button').click();
    document.activeElement.dispatchEvent(new KeyboardEvent('keydown', { key: 'Delete', bubbles: true }));
}"""
# This script records the values of each progress bar in the tray.
PROGRESS = """() => {
    window.shown = {};
    new MutationObserver((changes) => changes.forEach(({ target }) => {
        if (target.tagName !== 'PROGRESS' || !target.hasAttribute('value')) return;
        (window.shown[target.ariaLabel] ??= []).push(target.value);
    })).observe(document.querySelector('#tray-list'), { attributes: true, subtree: true });
}"""


def photo(name: str, size: int = 0) -> list[str]:
    """Return a photo for DROP. Decoders ignore bytes after the end of a PNG."""
    return [name, "image/png", base64.b64encode(SMALL.read_bytes().ljust(size, b"\0")).decode()]


def is_focused(page: Page, locator: Locator) -> None:
    expect(locator).to_be_focused()
    assert page.evaluate("document.activeElement.matches(':focus-visible')"), "the focus is not visible"


def test_deleting_asks_first_and_removes_everything(open_gallery: Open, deployment: Deployment) -> None:
    gallery = open_gallery()
    page = gallery.page
    gallery.enter()
    gallery.upload([SMALL, CORRUPT])
    page.locator(".tile").click()
    image = page.locator(".frame img").get_attribute("src")
    assert image
    image_id = re.findall(r"[0-9a-f]{32}", image)[0]
    prefix = {"Bucket": deployment["thumbnails_bucket"], "Prefix": f"{image_id}/"}
    assert client("s3").list_objects_v2(**prefix)["KeyCount"] > 0

    viewer, question = page.locator("#viewer"), page.locator("#confirm")
    viewer.get_by_role("button", name="Delete").click()
    expect(question).to_contain_text(f"This deletes “{NAME}” and its thumbnails.")
    gallery.shot("delete")
    gallery.accessible()
    question.get_by_role("button", name="Cancel").click()
    expect(viewer).to_be_visible()
    expect(page.locator(".tile")).to_have_count(1)

    viewer.get_by_role("button", name="Delete").click()
    question.get_by_role("button", name="Delete").click()
    expect(viewer).to_be_hidden()
    expect(page.get_by_text("No photos yet.")).to_be_visible()
    expect(page.locator("#announcement")).to_have_text(f"{NAME} was deleted.")
    page.get_by_role("button", name="Rejected").click()
    page.get_by_role("button", name="Delete corrupt.jpg").click()
    question.get_by_role("button", name="Delete").click()
    expect(page.get_by_text("There are no rejected files.")).to_be_visible()

    answer = requests.get(f"{gallery.address}images/{image_id}", headers={"X-Api-Key": gallery.key}, timeout=30)
    assert answer.status_code == 404
    eventually(lambda: client("s3").list_objects_v2(**prefix)["KeyCount"] == 0, "no thumbnails")
    page.reload()
    expect(page.get_by_text("There are no rejected files.")).to_be_visible()
    page.get_by_role("button", name="Photos", exact=True).click()
    expect(page.get_by_text("No photos yet.")).to_be_visible()


def test_files_dropped_go_up_across_origins_each_with_its_progress(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    # The page is at localhost and S3 at 127.0.0.1. As on AWS, these are two origins, so CORS rules apply.
    assert "127.0.0.1" in gallery.address
    gallery.address = gallery.address.replace("127.0.0.1", "localhost")
    page.goto(gallery.address)
    nasty = "<img src=x onerror=alert(1)>.png"
    dropped = [photo("one.png", 400_000), photo("two.png", 300_000), photo(nasty), ["notes.txt", "text/plain", ""]]
    expect(page.get_by_label("API key")).to_be_focused()
    assert page.evaluate(DROP, [dropped, "body"]) == [False, True, False, True], "the browser must not open the file"
    expect(page.locator("#tray")).to_be_hidden()

    gallery.enter()
    page.evaluate(PROGRESS)
    uploads: list[str] = []
    page.on("request", lambda request: uploads.append(request.url) if request.resource_type == "xhr" else None)
    slow = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000}
    network = page.context.new_cdp_session(page)
    network.send("Network.enable")
    network.send("Network.emulateNetworkConditions", slow)
    assert page.evaluate(DROP, [dropped, "body"]) == [False, False, False, True]
    refused = page.locator("#tray-list li", has_text="notes.txt")
    expect(refused).to_contain_text("This file type is not supported. Choose a photo, such as a JPEG or PNG file.")
    expect(
        page.locator("#tray-list li", has_text=nasty)
    ).to_be_visible()  # a file name is shown as text, never as markup
    gallery.shot("uploading")
    expect(page.locator(".tile img.loaded")).to_have_count(3, timeout=60_000)

    assert uploads
    assert all(url.startswith("http://127.0.0.1") for url in uploads)
    for name in ("one.png", "two.png"):
        shares = page.evaluate("name => window.shown[`Upload of ${name}`]", name)
        assert shares == sorted(shares)
        assert len([share for share in shares if 0 < share < 1]) >= 2, f"{name}: {shares}"
    page.get_by_role("button", name="Remove notes.txt from the list").click()
    expect(page.locator("#tray")).to_be_hidden()


def test_an_upload_that_is_no_longer_among_the_newest_images_is_found(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    page.clock.install()
    gallery.enter()
    requested: list[str] = []

    def newest(route: Route) -> None:
        requested.append(route.request.url)
        route.fulfill(json={"images": [], "next_cursor": "older"})

    # The tray requests 12 images while it waits for an upload. The grid requests pages of 50 and 100.
    page.route(re.compile(r"/images\?status=\w+&limit=12$"), newest)
    page.locator("#files").set_input_files(SMALL)
    expect(page.locator("#tray-list")).to_contain_text("Creating thumbnails…")
    # The page's clock jumps, but the pipeline needs real time. Without this wait, the page would report a 404.
    listing, header = f"{gallery.address}images?status=READY&limit=1", {"X-Api-Key": gallery.key}
    eventually(lambda: requests.get(listing, headers=header, timeout=30).json()["images"], "the photo in the catalog")
    page.clock.fast_forward(LOOKED_UP_AFTER_MS)
    expect(page.locator(".tile img.loaded")).to_have_count(1)
    expect(page.locator("#tray")).to_be_hidden()
    assert requested


def open_by_keyboard(gallery: Gallery) -> None:
    """Reload the page and go to the first photo with the keyboard."""
    page = gallery.page
    page.reload()
    expect(page.locator(".tile img.loaded")).to_have_count(3)
    page.keyboard.press("Tab")
    is_focused(page, page.get_by_role("link", name="Skip to photos"))
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    is_focused(page, page.locator(".tile").nth(0))


def test_the_keyboard_reaches_everything(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    gallery.enter()
    gallery.upload(GOOD[:3])
    open_by_keyboard(gallery)
    tiles, viewer, question = page.locator(".tile"), page.locator("#viewer"), page.locator("#confirm")
    page.keyboard.press("ArrowRight")
    is_focused(page, tiles.nth(1))
    page.keyboard.press("Enter")
    expect(viewer.get_by_role("link", name="Download original")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(viewer.get_by_role("button", name="Next photo")).to_be_disabled()
    # Tab stays within the dialog.
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(
            "document.activeElement === document.body || "
            "document.querySelector('#viewer').contains(document.activeElement)"
        )
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    is_focused(page, tiles.nth(2))

    page.keyboard.press("Delete")
    is_focused(page, question.get_by_role("button", name="Cancel"))
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    is_focused(page, tiles.nth(2))
    page.keyboard.press("Delete")
    is_focused(page, question.get_by_role("button", name="Cancel"))
    page.evaluate(ASKED_AGAIN)
    is_focused(page, question.get_by_role("button", name="Cancel"))
    page.keyboard.press("Tab")
    is_focused(page, question.get_by_role("button", name="Delete"))
    page.keyboard.press("Enter")
    expect(tiles).to_have_count(2)
    is_focused(page, tiles.nth(1))

    page.keyboard.press("Home")
    page.keyboard.press("Enter")
    expect(viewer.get_by_role("link", name="Download original")).to_be_visible()
    page.keyboard.press("Delete")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(tiles).to_have_count(1)
    # The large view shows the next photo.
    expect(viewer).to_be_visible()
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()
    is_focused(page, tiles.nth(0))
    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("button", name="Select", exact=True)).to_be_focused()
