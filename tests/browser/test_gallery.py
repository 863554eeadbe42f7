"""The gallery as people use it, on the deployed pipeline: nothing here is answered by anything but the deployment."""

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
