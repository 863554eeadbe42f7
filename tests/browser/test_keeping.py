"""Dates, names, search, deleting and restoring many photos, and sharing work on the deployed pipeline."""

import io
import re
import secrets
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.views import PHONE, SMALL, Gallery, Open
from tests.integration.support import eventually

pytestmark = pytest.mark.usefixtures("empty_catalog")

CAMERA, ZONE = "Loom 12", "+02:00"
# Exif 2.32: Model, DateTimeOriginal, OffsetTimeOriginal, and the directory that holds the latter two
MODEL, EXIF, TAKEN, OFFSET = 0x0110, 0x8769, 0x9003, 0x9011
FAMILY = "My family photo (2) \N{EN DASH} Zürich, é.jpg"


def phone_photo(path: Path, taken: datetime, colour: int) -> Path:
    """Write a photo as a phone does, with a camera, a time and its time zone."""
    exif = Image.Exif()
    exif[MODEL] = CAMERA
    exif.get_ifd(EXIF).update({TAKEN: f"{taken:%Y:%m:%d %H:%M:%S}", OFFSET: ZONE})
    picture = Image.new("RGB", (640, 480), (colour * 20 % 256, 90, 200 - colour * 10))
    picture.save(path, exif=exif)
    return path


@pytest.fixture
def year(tmp_path: Path) -> list[Path]:
    """Return twelve photos, one for each month of a year. The months are not in the order of the names."""
    names = [FAMILY, *(f"IMG_{number:04}.jpg" for number in range(11))]
    return [
        phone_photo(tmp_path / name, datetime(2026, 12 - index, 15, 10, 30), index) for index, name in enumerate(names)
    ]


def filled(open_gallery: Open, files: list[Path]) -> Gallery:
    """Return a gallery with these photos."""
    gallery = open_gallery(accept_downloads=True)
    gallery.enter()
    gallery.page.locator("#files").set_input_files(files)
    expect(gallery.page.locator("#tray")).to_be_hidden(timeout=90_000)
    return gallery


@pytest.fixture
def gallery(open_gallery: Open, year: list[Path]) -> Gallery:
    """Return a gallery with the photos of the year."""
    return filled(open_gallery, year)


@pytest.fixture
def small_gallery(open_gallery: Open, year: list[Path]) -> Gallery:
    """Return a gallery with the two newest photos of the year."""
    return filled(open_gallery, year[:2])


def shown_names(page: Page) -> list[str]:
    """Return the names of the tiles at one moment, because the page removes tiles that leave the window."""
    labels = page.locator(".tile").evaluate_all("(tiles) => tiles.map((tile) => tile.getAttribute('aria-label'))")
    return [re.sub(r", \w+, \w+ \d+, \d{4}$", "", label) for label in labels]


def test_photos_are_under_their_months_and_can_be_found(gallery: Gallery, year: list[Path]) -> None:
    page = gallery.page
    page.reload()
    expect(page.locator(".tile img.loaded").first).to_be_visible()
    expect(page.locator("#grid h3").first).to_have_text("Tuesday, December 15, 2026")
    expect(page.locator("#more")).to_have_text("Total: 12")
    gallery.shot("months")
    gallery.in_all_looks("months")
    names, shown = [path.name for path in year], shown_names(page)
    assert shown == names[: len(shown)], "the photos are in the order of their dates"
    assert shown

    # The page shows the camera's local time in any time zone of the viewer (the browser is in Seoul).
    page.locator(".tile").first.click()
    details = page.locator("#viewer dl")
    expect(details).to_contain_text("December 15, 2026 at 10:30 AM (UTC+02:00)")
    expect(page.locator("#viewer-title")).to_have_text(FAMILY)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download original").click()
    assert download.value.suggested_filename == FAMILY
    gallery.close_photo()

    # The scrubber has one step for each month.
    scrubber = page.locator("#scrubber")
    expect(scrubber).to_have_attribute("aria-valuetext", "December 2026: 1")
    scrubber.focus()
    page.keyboard.press("End")
    expect(scrubber).to_have_attribute("aria-valuetext", "January 2026: 1")
    expect(page.locator("#grid h3", has_text="January 15, 2026")).to_be_in_viewport()

    search = page.get_by_role("searchbox", name="Search by name")
    search.fill("zürich")
    expect(page.locator(".tile")).to_have_count(1)
    expect(page.locator("#more")).to_have_text("Total: 1")
    search.fill("nothing has this name")
    expect(page.get_by_text("No photo matches.")).to_be_visible()
    gallery.accessible()
    search.fill("")
    expect(page.locator("#more")).to_have_text("Total: 12")
    page.get_by_label("Order").select_option("By date added")
    expect(page.locator("#grid h3")).to_have_count(1)
    expect(page.locator("#more")).to_have_text("Total: 12")


def test_a_photo_without_a_capture_time_is_under_the_day_of_its_uploader(open_gallery: Open) -> None:
    now = datetime.now(UTC)
    # At any time, one of these zones has another day than UTC.
    zone, hours = ("Pacific/Pago_Pago", -11) if now.hour < 10 else ("Pacific/Kiritimati", 14)
    there = now + timedelta(hours=hours)
    assert there.date() != now.date()
    gallery = open_gallery(timezone_id=zone)
    gallery.enter()
    gallery.upload([SMALL])
    heading = gallery.page.locator("#grid h3")
    expect(heading).to_have_text(f"{there:%A, %B} {there.day}, {there.year}")
    gallery.page.get_by_label("Order").select_option("By date added")
    expect(gallery.page.locator("#more")).to_have_text("Total: 1")
    expect(heading).to_have_text(f"{there:%A, %B} {there.day}, {there.year}")
    counts = requests.get(f"{gallery.address}images/summary", headers={"X-Api-Key": gallery.key}, timeout=30).json()
    assert [month["month"] for month in counts["months"]] == [f"{there:%Y-%m}"]


def test_many_photos_are_selected_and_downloaded(gallery: Gallery, year: list[Path]) -> None:
    page, tiles = gallery.page, gallery.page.locator(".tile")
    page.reload()
    expect(page.locator("#more")).to_have_text("Total: 12")
    tiles.nth(0).focus()
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#selected-count")).to_have_text("Selected: 3")
    tiles.nth(3).click(modifiers=["Shift"])
    expect(page.locator("#selected-count")).to_have_text("Selected: 4")
    page.get_by_role("button", name="Select Sunday, November 15, 2026").click()
    expect(page.locator("#selected-count")).to_have_text("Selected: 3")
    expect(tiles.nth(0)).to_have_attribute("aria-pressed", "true")
    expect(tiles.nth(1)).to_have_attribute("aria-pressed", "false")
    gallery.shot("selection")
    gallery.in_all_looks("selection")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download as zip").click()
    with zipfile.ZipFile(download.value.path()) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [year[index].name for index in (0, 2, 3)]
        assert all(archive.read(year[index].name) == year[index].read_bytes() for index in (0, 2, 3))
        assert archive.infolist()[0].date_time == (2026, 12, 15, 10, 30, 0)
        assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
    expect(page.locator("#notice")).to_contain_text("Photos in the zip file: 3")
    gallery.accessible()


def test_deleted_photos_are_restored_at_once_or_later(open_gallery: Open, tmp_path: Path) -> None:
    # The list also contains deletions of other tests.
    names = [f"{secrets.token_hex(4)}.jpg" for _ in range(2)]
    paths = [phone_photo(tmp_path / name, datetime(2026, 12 - index, 15), index) for index, name in enumerate(names)]
    gallery = filled(open_gallery, paths)
    page, tiles = gallery.page, gallery.page.locator(".tile")
    page.get_by_role("button", name="Select", exact=True).click()
    tiles.nth(0).click()
    tiles.nth(1).click()
    page.locator("#selection").get_by_role("button", name="Delete").click()
    question = page.locator("#confirm")
    expect(question).to_contain_text("Delete 2 photos?")
    gallery.accessible()
    question.get_by_role("button", name="Delete").click()
    expect(page.locator("#notice")).to_contain_text("2 photos were deleted.")
    expect(page.get_by_text("No photos yet.")).to_be_visible()
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#notice")).to_contain_text("2 photos were restored.", timeout=90_000)
    # The page requests the photos until they are restored.
    gallery.allow("status of 404")
    expect(tiles).to_have_count(2)
    assert shown_names(page) == names

    # The message's button also works in the large view.
    tiles.nth(0).click()
    page.keyboard.press("Delete")
    question.get_by_role("button", name="Delete").click()
    expect(page.locator("#viewer").get_by_role("button", name="Undo")).to_be_visible()
    gallery.accessible()
    gallery.close_photo()
    page.get_by_role("button", name="Recently deleted").click()
    line = page.locator(".list .cell", has_text=names[0])

    def listed() -> bool:
        page.reload()
        page.locator(".list .cell").or_(page.get_by_text("There are no recently")).first.wait_for()
        return line.count() == 1

    eventually(listed, "the deleted photo")
    gallery.shot("recently-deleted")
    gallery.in_all_looks("recently-deleted")
    line.get_by_role("button", name=f"Restore {names[0]}").click()
    expect(page.locator("#notice")).to_contain_text(f"{names[0]} was restored.", timeout=90_000)
    expect(line).to_have_count(0)
    gallery.allow("status of 404")


def test_a_second_visit_fetches_no_thumbnail(small_gallery: Gallery) -> None:
    page, responses, served = small_gallery.page, list[Any](), set[str]()
    session = page.context.new_cdp_session(page)

    def note(event: dict[str, Any]) -> None:
        responses.append(event)

    session.send("Network.enable")
    session.on("Network.requestServedFromCache", lambda event: served.add(event["requestId"]))
    session.on("Network.responseReceived", note)
    for _ in range(2):
        responses.clear()
        page.reload()
        expect(page.locator(".tile img.loaded")).to_have_count(2)
    shown = [event for event in responses if "-thumbnails-" in event["response"]["url"]]
    assert len(shown) == 2
    assert all(event["response"]["fromDiskCache"] or event["requestId"] in served for event in shown)


def test_a_file_that_is_there_is_skipped_or_uploaded_again(
    small_gallery: Gallery, year: list[Path], tmp_path: Path
) -> None:
    gallery, page, lines = small_gallery, small_gallery.page, small_gallery.page.locator("#tray-list li")
    again = tmp_path / "the same under another name.jpg"
    again.write_bytes(year[0].read_bytes())
    page.locator("#files").set_input_files([again, year[1]])
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("This photo is already in the gallery.")
    expect(page.locator("#tray-title")).to_have_text("Done: 0 ready, 2 already in the gallery")
    gallery.forgive("status of 409")
    gallery.shot("duplicates")
    gallery.in_all_looks("duplicates")
    page.get_by_role("button", name=f"Skip {year[1].name}").click()
    expect(lines).to_have_count(1)
    page.get_by_role("link", name="Show it").click()
    expect(page.locator("#viewer-title")).to_have_text(FAMILY)
    gallery.close_photo()
    page.get_by_role("button", name="Upload anyway").click()
    expect(page.locator("#tray")).to_be_hidden(timeout=90_000)
    page.get_by_role("button", name=again.name).click()
    expect(page.locator("#viewer dl")).to_contain_text(f"Same photo{FAMILY}")


def test_a_photo_is_shared_by_a_link_until_it_is_revoked(small_gallery: Gallery) -> None:
    gallery, page = small_gallery, small_gallery.page
    page.locator(".tile").first.click()
    expect(page.get_by_role("link", name="Download original")).to_be_visible()
    gallery.in_all_looks("viewer")
    page.locator("#viewer").get_by_role("button", name="Share").click()
    dialog = page.locator("#share")
    gallery.accessible()
    dialog.get_by_role("button", name="Create link").click()
    link = dialog.get_by_label("Link", exact=True)
    expect(link).to_be_focused()
    gallery.in_all_looks("share")
    answer = requests.get(link.input_value(), timeout=30)
    assert answer.status_code == 200
    assert Image.open(io.BytesIO(answer.content)).size == (640, 480)
    dialog.get_by_role("button", name="Revoke link").click()
    expect(dialog).to_contain_text("The link no longer works.")
    assert requests.get(link.evaluate("(input) => input.value"), timeout=30).status_code == 404


def test_uploads_and_deletions_of_others_show_by_themselves_also_on_a_phone_in_korean(
    small_gallery: Gallery, open_gallery: Open, tmp_path: Path
) -> None:
    gallery = small_gallery
    other = open_gallery(**PHONE | {"locale": "ko-KR", "color_scheme": "dark"})
    asked: list[Any] = []
    other.page.on("response", lambda answer: asked.append(answer.status) if "order=added" in answer.url else None)
    other.page.clock.install()
    other.page.goto(f"{gallery.address}#key={gallery.key}")
    expect(other.page.locator("#more")).to_contain_text("총 2개")
    other.page.clock.run_for(11_000)
    eventually(lambda: other.page.title() and len(asked) >= 2, "a first poll")
    gallery.page.locator("#files").set_input_files(phone_photo(tmp_path / "new.jpg", datetime(2027, 1, 2), 99))
    expect(gallery.page.locator("#tray")).to_be_hidden(timeout=90_000)

    def appears() -> bool:
        other.page.clock.run_for(20_000)
        return other.page.locator('.tile[aria-label^="new.jpg"]').count() == 1

    eventually(appears, "the photo of the other user")
    expect(other.page.locator("#grid h3").first).to_have_text("2027년 1월 2일 토요일")

    gallery.page.locator('.tile[aria-label^="new.jpg"]').focus()
    gallery.page.keyboard.press("Delete")
    gallery.page.locator("#confirm").get_by_role("button", name="Delete").click()

    def disappears() -> bool:
        other.page.clock.run_for(20_000)
        return other.page.locator('.tile[aria-label^="new.jpg"]').count() == 0

    eventually(disappears, "the photo that the other user has deleted is gone")
    expect(other.page.locator("#more")).to_contain_text("총 2개")
    asked.clear()
    eventually(lambda: other.page.clock.run_for(60_000) or 304 in asked, "an answer that says that nothing changed")
    assert other.untranslated("[가-힣]") == []
    other.fits()
    other.shot("phone-months-korean")
    other.accessible()
    other.page.get_by_role("button", name="선택", exact=True).tap()
    other.page.locator(".tile").first.tap()
    expect(other.page.locator("#selected-count")).to_have_text("1장 선택됨")
    other.fits()
    other.shot("phone-selection-korean")
    other.accessible()
