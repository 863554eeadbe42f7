"""The gallery works for its users on the deployed pipeline. Nothing is mocked."""

import pytest
from playwright.sync_api import expect

from tests.browser.views import GOOD, PHONE, PHOTOS, Open

pytestmark = pytest.mark.usefixtures("empty_catalog")


def test_uploaded_photos_appear_and_stay_after_a_reload(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    page.goto(gallery.address)
    expect(page.get_by_label("API key")).to_be_focused()
    gallery.shot("sign-in")
    gallery.accessible()
    gallery.enter()
    expect(page.get_by_text("No photos yet.")).to_be_visible()
    gallery.shot("empty")
    gallery.accessible()

    gallery.upload(PHOTOS)
    rejected = page.locator("#tray-list li", has_text="corrupt.jpg")
    expect(rejected).to_contain_text(
        "The file is damaged or incomplete and cannot be decoded. Check the original and upload it again."
    )
    expect(page.locator("#tray-title")).to_have_text(f"Done: {len(GOOD)} ready, 1 failed")
    expect(page.locator("#tray-list li")).to_have_count(1)
    gallery.shot("rejected-in-tray")
    gallery.accessible()
    page.get_by_role("button", name="Remove corrupt.jpg from the list").click()
    expect(page.locator("#tray")).to_be_hidden()
    page.evaluate("scrollTo(0, 0)")
    gallery.shot("light")

    page.reload()
    expect(page.locator(".tile img.loaded")).to_have_count(len(GOOD))
    expect(page.locator("#more")).to_have_text(f"Total: {len(GOOD)}")
    page.get_by_role("button", name="Rejected").click()
    expect(page.locator(".list .words")).to_contain_text("The file is damaged")
    gallery.shot("rejected")
    gallery.accessible()


def test_the_gallery_works_on_a_phone_in_dark_mode_in_korean(open_gallery: Open) -> None:
    gallery = open_gallery(**PHONE, color_scheme="dark", locale="ko-KR")
    page = gallery.page
    page.goto(gallery.address)
    page.get_by_label("API 키").fill(gallery.key)
    page.get_by_role("button", name="로그인").tap()
    gallery.upload(PHOTOS)
    expect(
        page.get_by_text("파일이 손상되었거나 불완전하여 열 수 없습니다. 원본을 확인하고 다시 업로드하세요.")
    ).to_be_visible()
    expect(page.locator("#tray-title")).to_have_text(f"완료 {len(GOOD)}개, 실패 1개")
    assert page.locator("html").get_attribute("lang") == "ko"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(236, 234, 228)"
    assert gallery.untranslated("[가-힣]") == []
    gallery.fits()
    gallery.shot("phone-dark-korean")
    gallery.accessible()
    page.locator(".tile").first.tap()
    expect(page.get_by_role("link", name="원본 다운로드")).to_be_visible()
    gallery.fits()
    gallery.shot("phone-viewer-dark-korean")
    gallery.accessible()
    page.get_by_role("button", name="닫기").tap()
    page.get_by_role("button", name="English").tap()
    expect(page.get_by_role("button", name="Upload photos")).to_be_visible()
    page.get_by_role("button", name="Change theme").tap()
    gallery.shot("phone-light")
    gallery.accessible()
    # WCAG 2.2, success criterion 1.4.10 (Reflow): 320 CSS pixels.
    page.set_viewport_size({"width": 320, "height": 568})
    gallery.fits()
    page.get_by_role("button", name="Rejected").tap()
    expect(page.locator(".list .words")).to_contain_text("The file is damaged")
    gallery.fits()
    gallery.shot("small-phone-rejected")
    page.get_by_role("button", name="Sign out").tap()
    expect(page.get_by_label("API key")).to_be_focused()
    gallery.fits()


def test_the_gallery_works_on_a_desktop_in_dark_mode(open_gallery: Open) -> None:
    gallery = open_gallery(color_scheme="dark")
    gallery.enter()
    gallery.upload(GOOD)
    expect(gallery.page.locator("#tray")).to_be_hidden()
    gallery.shot("dark")
    gallery.accessible()
    gallery.page.locator(".tile").last.click()  # the only photo with a capture time
    expect(gallery.page.get_by_role("link", name="Download original")).to_be_visible()
    expect(gallery.page.locator("#viewer dl")).to_contain_text("May 1, 2018")
    gallery.shot("viewer-dark")
    gallery.accessible()
