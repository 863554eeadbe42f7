"""The gallery as people use it, on the deployed pipeline: nothing here is answered by anything but the deployment."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import expect
from support import Deployment, eventually

import clouds
from browser.views import Gallery, Open

PHOTOS = sorted(path for path in (clouds.ROOT / "scripts/demo_photos").iterdir() if path.suffix != ".md")
GOOD = [path for path in PHOTOS if path.stem != "corrupt"]
CORRUPT = next(path for path in PHOTOS if path.stem == "corrupt")
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}


@pytest.fixture(autouse=True)
def _empty_catalog(deployment: Deployment, open_gallery: Open) -> Iterator[None]:
    """Each test begins with no image: what it finds it has uploaded."""
    address, header = open_gallery().address, {"X-Api-Key": deployment["api_key"]}

    def empty() -> bool:
        left = [
            image["image_id"]
            for status in ("READY", "REJECTED")
            for image in requests.get(f"{address}images?status={status}&limit=100", headers=header, timeout=30).json()["images"]
        ]
        for image_id in left:
            requests.delete(f"{address}images/{image_id}", headers=header, timeout=30)
        return not left

    eventually(empty, "an empty catalog")
    yield
    eventually(empty, "an empty catalog")


def upload(gallery: Gallery, files: list[Path]) -> None:
    """Pick files, and wait until those that are photos stand in the grid."""
    before = gallery.page.locator(".tile").count()
    gallery.page.locator("#files").set_input_files(files)
    good = [file for file in files if file in GOOD]
    expect(gallery.page.locator(".tile img.loaded")).to_have_count(before + len(good), timeout=60_000)


def test_photos_go_up_and_appear_and_are_there_after_a_reload(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    page.goto(gallery.address)
    expect(page.get_by_label("API key")).to_be_focused()
    gallery.shot("sign-in")
    gallery.accessible()
    gallery.enter()
    expect(page.get_by_text("Nothing here yet.")).to_be_visible()
    gallery.shot("empty")
    gallery.accessible()

    upload(gallery, PHOTOS)
    rejected = page.locator("#tray-list li", has_text="corrupt.jpg")
    expect(rejected).to_contain_text("The file is damaged or incomplete and cannot be decoded.")
    expect(page.locator("#tray-title")).to_have_text(f"Done: {len(GOOD)} ready, 1 not taken")
    expect(page.locator("#tray-list li")).to_have_count(1)
    gallery.shot("rejected-in-tray")
    gallery.accessible()
    page.get_by_role("button", name="Dismiss corrupt.jpg").click()
    expect(page.locator("#tray")).to_be_hidden()
    gallery.shot("light")

    page.reload()
    expect(page.locator(".tile img.loaded")).to_have_count(len(GOOD))
    expect(page.locator("#more")).to_have_text(f"That is all: {len(GOOD)}.")
    page.get_by_role("button", name="Rejected").click()
    expect(page.locator(".list .words")).to_contain_text("The file is damaged")
    gallery.shot("rejected")
    gallery.accessible()


def test_a_drop_from_another_origin_shows_progress_and_placeholders(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    # The page at another name than the bucket's: S3's own CORS rules decide whether the upload may be made.
    gallery.address = gallery.address.replace("127.0.0.1", "localhost")
    gallery.enter()
    page.route("**/eventloom-*-uploads-*/", lambda route: (page.wait_for_timeout(400), route.continue_()))
    files = page.evaluate_handle(
        """files => { const carried = new DataTransfer();
            for (const [name, text] of files) carried.items.add(new File([Uint8Array.from(atob(text), c => c.charCodeAt(0))], name));
            return carried; }""",
        [[path.name, _base64(path)] for path in GOOD[:2]],
    )
    page.dispatch_event("body", "dragover", {"dataTransfer": files})
    expect(page.locator("#drop")).to_be_visible()
    page.dispatch_event("body", "drop", {"dataTransfer": files})
    expect(page.get_by_role("progressbar")).to_have_count(2)
    gallery.shot("uploading")
    expect(page.locator(".tile canvas")).to_have_count(2)
    expect(page.locator(".tile img.loaded")).to_have_count(2)


def test_a_photo_is_looked_at_and_deleted_by_keyboard(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    gallery.enter()
    upload(gallery, GOOD)
    page.locator(".tile").first.focus()
    page.keyboard.press("ArrowRight")
    second = page.locator(":focus").get_attribute("aria-label")
    page.keyboard.press("Enter")
    viewer = page.get_by_role("dialog")
    expect(viewer.get_by_role("heading")).to_have_text((second or "").rpartition(", ")[0].split(", ")[0])
    expect(viewer.get_by_role("link", name="Download original")).to_be_visible()
    expect(viewer.locator("dt")).to_contain_text(["Dimensions", "Uploaded", "File", "Thumbnails", "SHA-256"])
    expect(viewer.locator(".frame img.loaded")).to_be_visible()
    gallery.shot("viewer-light")
    gallery.accessible()
    with page.expect_download() as download:
        viewer.get_by_role("link", name="Download original").click()
    assert download.value.path().read_bytes() in [path.read_bytes() for path in GOOD]

    page.keyboard.press("ArrowRight")
    name = viewer.get_by_role("heading").inner_text()
    page.keyboard.press("Delete")
    question = page.get_by_role("dialog", name="Delete this photo?")
    expect(question.get_by_role("button", name="Cancel")).to_be_focused()
    gallery.shot("delete")
    gallery.accessible()
    page.keyboard.press("Escape")
    expect(question).to_be_hidden()
    page.keyboard.press("Delete")
    question.get_by_role("button", name="Delete").click()
    expect(page.locator(".tile")).to_have_count(len(GOOD) - 1)
    expect(page.locator("#said")).to_have_text(f"{name} was deleted.")
    expect(page.locator(".tile:focus")).to_have_count(1)
    page.reload()
    expect(page.locator(".tile")).to_have_count(len(GOOD) - 1)


def test_a_phone_in_the_dark_in_korean(open_gallery: Open) -> None:
    gallery = open_gallery(**PHONE, color_scheme="dark", locale="ko-KR")
    page = gallery.page
    page.goto(gallery.address)
    page.get_by_label("API 키").fill(gallery.key)
    page.get_by_role("button", name="열기").tap()
    upload(gallery, PHOTOS)
    expect(page.get_by_text("파일이 손상되었거나 불완전하여 열 수 없습니다.")).to_be_visible()
    expect(page.locator("#tray-title")).to_have_text(f"완료: {len(GOOD)}개, 처리 불가 1개")
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(236, 234, 228)"
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    gallery.shot("phone-dark-korean")
    gallery.accessible()
    page.locator(".tile").first.tap()
    expect(page.get_by_role("link", name="원본 내려받기")).to_be_visible()
    gallery.shot("phone-viewer-dark-korean")
    gallery.accessible()
    page.get_by_role("button", name="닫기").tap()
    page.get_by_role("button", name="English").tap()
    expect(page.get_by_role("button", name="Add photos")).to_be_visible()
    page.get_by_role("button", name="Light or dark").tap()
    gallery.shot("phone-light")
    gallery.accessible()


def test_dark_on_a_desktop(open_gallery: Open) -> None:
    gallery = open_gallery(color_scheme="dark")
    gallery.enter()
    upload(gallery, GOOD)
    expect(gallery.page.locator("#tray")).to_be_hidden()
    gallery.shot("dark")
    gallery.accessible()
    gallery.page.locator(".tile").nth(1).click()
    expect(gallery.page.get_by_role("link", name="Download original")).to_be_visible()
    gallery.shot("viewer-dark")
    gallery.accessible()


def test_a_wrong_key_is_refused_and_forgotten(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    page.goto(gallery.address)
    page.get_by_label("API key").fill("wrong" * 8)
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("That was not accepted. Please check it and try again.")
    assert page.evaluate("sessionStorage.length") == 0
    assert all("403" in problem for problem in gallery.problems)
    gallery.problems.clear()

    page.goto(f"{gallery.address}#key={gallery.key}")
    page.reload()
    expect(page.get_by_text("Nothing here yet.")).to_be_visible()
    assert "key" not in page.url
    page.get_by_role("button", name="Sign out").click()
    page.reload()
    expect(page.get_by_label("API key")).to_be_visible()


def test_what_is_no_picture_is_not_sent(open_gallery: Open, tmp_path: Path) -> None:
    gallery = open_gallery()
    gallery.enter()
    note, nothing = tmp_path / "note.txt", tmp_path / "nothing.jpg"
    note.write_text("hello")
    nothing.touch()
    sent: list[str] = []
    gallery.page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    gallery.page.locator("#files").set_input_files([note, nothing])
    expect(gallery.page.locator("#tray-list li", has_text="note.txt")).to_contain_text("no kind of picture")
    expect(gallery.page.locator("#tray-list li", has_text="nothing.jpg")).to_contain_text("The file is empty.")
    assert sent == []


def test_the_page_loads_nothing_from_elsewhere_and_its_policy_is_strict(open_gallery: Open) -> None:
    gallery = open_gallery()
    asked: list[str] = []
    gallery.page.on("request", lambda request: asked.append(request.url))
    answer = gallery.page.goto(gallery.address)
    assert answer
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert not re.search(r"[ ;]\*", policy)
    expect(gallery.page.get_by_label("API key")).to_be_visible()
    assert all(url.startswith(gallery.address) for url in asked), asked


def _base64(path: Path) -> str:
    import base64  # noqa: PLC0415

    return base64.b64encode(path.read_bytes()).decode()
