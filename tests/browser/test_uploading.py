"""Uploads survive stalls, a lost network, pauses and cancellations, and every way to choose files works."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.mocked_catalog import image
from tests.browser.views import PHONE, SMALL, Gallery, Open
from tests.integration.support import eventually

pytestmark = pytest.mark.usefixtures("empty_catalog")

FORMS = re.compile(r"/eventloom-local-uploads-\d+$")
STALLED = "The connection stalled. The upload starts again in a few seconds."
# This script pastes files into the page, and returns whether the browser's default paste is allowed.
PASTE = """(files) => {
    const data = new DataTransfer();
    for (const [name, type, text] of files) {
        data.items.add(new File([Uint8Array.from(atob(text), (character) => character.charCodeAt())], name, { type }));
    }
    return document.body.dispatchEvent(
        new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
}"""


def copies(folder: Path, names: list[str], size: int = 0) -> list[Path]:
    """Write copies of a small photo, of at least `size` bytes.

    Each copy ends with its name, because the page skips a file with the same content. Decoders ignore bytes after the
    end of a PNG.
    """
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes((SMALL.read_bytes() + path.name.encode()).ljust(size, b"\0"))
    return paths


def network(page: Page) -> Callable[..., None]:
    """Return a function that sets the conditions of the page's network."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")

    def emulate(*, offline: bool = False, upload: int = -1) -> None:
        conditions = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": upload, "offline": offline}
        session.send("Network.emulateNetworkConditions", conditions)

    return emulate


def soon(page: Page, condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition. Playwright calls route handlers only during a call to the page."""
    eventually(lambda: page.title() and condition(), what)


def test_uploads_wait_without_a_network_and_continue_by_themselves(open_gallery: Open, tmp_path: Path) -> None:
    gallery = open_gallery()
    page = gallery.page
    gallery.enter()
    set_network = network(page)
    set_network(upload=150_000)
    names = [f"{number}.png" for number in range(6)]
    page.locator("#files").set_input_files(copies(tmp_path, names, 200_000))
    title, list_ = page.locator("#tray-title"), page.locator("#tray-list")
    expect(title).to_have_text("Uploading 0 of 6")
    expect(page.locator("#tray-sent")).to_have_text(re.compile(r"of 1\.2 MB$"))
    expect(page).to_have_title(re.compile(r"^[1-9]\d?% \W Eventloom gallery$"))
    gallery.shot("uploading-bytes")
    gallery.accessible()

    set_network(offline=True)
    expect(title).to_have_text(
        re.compile(r"^No connection: \d of 6 sent\. Uploads continue when the connection is back\.")
    )
    expect(list_.locator("[data-state=waiting]").first).to_contain_text("Waiting")
    expect(list_.locator("[data-state=failed], [data-state=sending]")).to_have_count(0)
    gallery.shot("offline")
    gallery.accessible()
    page.get_by_role("button", name="한국어").click()
    expect(title).to_have_text(re.compile("^연결 끊김: 6개 중 .*연결되면 업로드를 계속합니다"))
    set_network()
    expect(page.locator(".tile img.loaded")).to_have_count(6)
    expect(page.locator("#tray")).to_be_hidden()
    assert page.title() == "Eventloom 갤러리"
    gallery.allow("failed", "ERR_INTERNET_DISCONNECTED")


def test_a_stalled_upload_is_sent_again_and_does_not_block_the_others(open_gallery: Open, tmp_path: Path) -> None:
    gallery = open_gallery()
    page = gallery.page
    gallery.enter()
    hanging: list[Route] = []
    page.clock.install()
    page.route(FORMS, lambda route: hanging.append(route) if len(hanging) < 4 else route.fallback())
    page.locator("#files").set_input_files(copies(tmp_path, [f"{number}.png" for number in range(6)]))
    soon(page, lambda: len(hanging) == 4, "four uploads that hang")
    expect(page.locator("#tray-list [data-state=sending]")).to_have_count(4)
    page.clock.run_for(31_000)
    expect(page.locator("#tray-list", has_text=STALLED)).to_be_visible()

    def finished() -> bool:
        page.clock.run_for(1_000)
        return page.locator(".tile img.loaded").count() == 6

    eventually(finished, "six photos")


def test_uploads_can_be_paused_cancelled_and_retried(catalog_of: Callable[..., Gallery], tmp_path: Path) -> None:
    images = [image(0)]
    gallery = catalog_of(images)
    page, held, started = gallery.page, list[Route](), list[str]()
    refuses = False

    def upload(route: Route) -> None:
        started.append(route.request.post_data_json["filename"])
        answer = {"image_id": f"{len(started):032x}", "url": f"{gallery.address}form", "fields": {}}
        route.fulfill(status=201, json=answer)

    page.route("**/uploads", upload)
    page.route("**/form", lambda route: route.fulfill(status=400) if refuses else held.append(route))
    gallery.enter()
    page.locator("#files").set_input_files(copies(tmp_path, [f"{number}.png" for number in range(6)]))
    soon(page, lambda: len(held) == 4, "four uploads")
    page.get_by_role("button", name="Pause").click()
    # The uploads in progress are finished, but no other upload starts.
    title = page.locator("#tray-title")
    expect(title).to_have_text("Pausing when the files being sent are done: 0 of 6 sent")
    page.get_by_role("button", name="한국어").click()
    expect(title).to_have_text("전송 중인 파일을 마치면 일시 중지: 6개 중 0개 완료")
    page.get_by_role("button", name="English").click()
    expect(page.locator("#tray-list [data-state=waiting]")).to_have_count(2)
    gallery.shot("pausing")
    gallery.accessible()
    page.get_by_role("button", name="Cancel the upload of 0.png").click()
    expect(page.locator("#tray-list li")).to_have_count(5)
    images.extend(image(number) for number in (2, 3, 4))
    for route in held[1:]:
        route.fulfill(status=204)
    expect(title).to_have_text("Uploads are paused: 3 of 5 sent")
    assert len(started) == 4
    gallery.accessible()
    held.clear()
    page.get_by_role("button", name="Resume").click()
    soon(page, lambda: len(held) == 2, "the remaining files")
    assert started[4:] == ["4.png", "5.png"], "they start in their order"
    page.get_by_role("button", name="Cancel all").click()
    expect(page.locator("#tray")).to_be_hidden()
    expect(page.locator("#photos")).to_be_focused()

    refuses = True
    page.locator("#files").set_input_files(copies(tmp_path, ["8.png", "9.png"]))
    expect(page.locator("#tray-title")).to_have_text("Done: 0 ready, 2 failed")
    gallery.forgive("status of 400")
    refuses = False
    page.get_by_role("button", name="Retry all").click()
    expect(page.locator("#tray-title")).to_have_text("Uploading 0 of 2")
    # The tray stays in the window while the page scrolls.
    page.evaluate("document.querySelector('#photos').style.minHeight = '5000px'; scrollTo(0, 3000)")
    expect(page.locator("#tray-title")).to_be_in_viewport()
    page.get_by_role("button", name="Cancel all").click()


@pytest.mark.parametrize("context", [{}, PHONE | {"locale": "ko-KR", "color_scheme": "dark"}], ids=["desktop", "phone"])
def test_folders_and_pasted_pictures_are_uploaded_and_other_files_get_a_reason(
    open_gallery: Open, tmp_path: Path, context: dict[str, object]
) -> None:
    gallery = open_gallery(**context)
    page, is_korean = gallery.page, bool(context)
    page.goto(f"{gallery.address}#key={gallery.key}")
    accepted = "한 장에 104MB까지" if is_korean else "Photos of up to 104 MB each"
    expect(page.locator("#empty")).to_contain_text(accepted)
    copies(tmp_path, ["trip/one.png", "trip/day 2/two.png", "trip/day 2/film.mp4", "trip/raw.NEF", "trip/.DS_Store"])
    session = page.context.new_cdp_session(page)
    dragged = {"items": [], "files": [str(tmp_path / "trip")], "dragOperationsMask": 1}
    # The sign for the drop target appears under the pointer, so it gets its own `dragOver`.
    for kind in ("dragEnter", "dragOver", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 200, "y": 400, "data": dragged})
    # Chromium names every pasted picture `image.png`.
    pasted = ["image.png", "image/png", base64.b64encode(SMALL.read_bytes()).decode()]
    assert page.evaluate(PASTE, [pasted]) is False
    assert page.evaluate(PASTE, [["notes.txt", "text/plain", ""]]) is True, "other pastes stay with the browser"
    expect(page.locator(".tile img.loaded")).to_have_count(3)
    names = page.locator(".tile").evaluate_all("(tiles) => tiles.map((tile) => tile.getAttribute('aria-label'))")
    assert sum(bool(re.match(r"20\d\d", name)) for name in names) == 1, names
    lines = page.locator("#tray-list li")
    expect(lines).to_have_count(2)
    film = "동영상은 지원하지 않습니다." if is_korean else "Videos are not supported."
    raw = "RAW 파일은 지원하지 않습니다." if is_korean else "RAW files are not supported."
    expect(lines.filter(has_text="film.mp4")).to_contain_text(film)
    expect(lines.filter(has_text="raw.NEF")).to_contain_text(raw)
    gallery.fits()
    gallery.shot(f"refused-{'korean-phone' if is_korean else 'desktop'}")
    gallery.accessible()
