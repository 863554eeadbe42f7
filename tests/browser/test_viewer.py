"""The large view moves through the catalog, handles keyboard and focus, and shows errors."""

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from tests.browser.mocked_catalog import image
from tests.browser.views import Gallery

# This script presses Alt+Left on the focused element, and returns whether the browser may go back.
ALT_LEFT = """() => document.activeElement.dispatchEvent(
    new KeyboardEvent('keydown', { key: 'ArrowLeft', altKey: true, bubbles: true, cancelable: true }))"""
FAILED = "The photo could not be deleted. Check your connection, then try again."


def open_photo(gallery: Gallery, number: int) -> None:
    page = gallery.page
    page.locator(f'.tile[data-index="{number}"]').click()
    expect(page.get_by_role("link", name="Download original")).to_be_visible()


def is_shown(page: Page, number: int) -> None:
    """Check that the photo with this number is shown and that the dialog has the focus."""
    expect(page.locator("#viewer-title")).to_have_text(f"{number}.jpg")
    assert page.evaluate("document.querySelector('#viewer').contains(document.activeElement)"), (
        "the focus left the dialog"
    )


def test_the_large_view_reaches_the_last_photo_although_pages_load_late(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([image(number) for number in range(160)], sizes=[50, 0])
    page, late = gallery.page, list[Route]()

    def delay(route: Route) -> None:
        late.append(route)

    page.route("**/images?**cursor=**", delay)
    gallery.enter()
    page.locator(".tile").first.focus()
    page.keyboard.press("End")
    page.keyboard.press("Enter")
    is_shown(page, 49)
    following = page.get_by_role("button", name="Next photo")
    expect(following).to_be_disabled()
    page.unroute("**/images?**cursor=**", delay)
    # The first of these pages is empty.
    late.pop().fallback()
    expect(following).to_be_enabled()
    for number in range(50, 160):
        page.keyboard.press("ArrowRight")
        is_shown(page, number)
    expect(following).to_be_disabled()
    gallery.close_photo()
    expect(page.locator('.tile[data-index="159"]')).to_be_focused()


def test_a_small_file_has_its_size_in_bytes_in_both_languages(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([image(0) | {"format": "PNG", "bytes": 400}])
    page = gallery.page
    gallery.enter()
    open_photo(gallery, 0)
    details = page.locator("#viewer dl")
    expect(details).to_contain_text("PNG, 400 bytes")
    gallery.close_photo()
    page.get_by_role("button", name="한국어").click()
    page.locator(".tile").click()
    expect(details).to_contain_text("PNG, 400바이트")


def test_the_focus_stays_in_the_large_view(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([image(number) for number in range(5)])
    page = gallery.page
    viewer = page.locator("#viewer")
    gallery.enter()
    open_photo(gallery, 1)
    page.get_by_role("link", name="Download original").focus()
    for number in (2, 3):
        page.keyboard.press("ArrowRight")
        is_shown(page, number)
    following = viewer.get_by_role("button", name="Next photo")
    following.focus()
    page.keyboard.press("Enter")
    is_shown(page, 4)
    expect(following).to_be_disabled()
    expect(viewer.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    is_shown(page, 3)

    # The API's answer arrives while a button has the focus.
    late: list[Route] = []
    page.route("**/images/*", lambda route: late.append(route) if not late else route.fallback())
    page.keyboard.press("ArrowLeft")
    is_shown(page, 2)
    delete = viewer.get_by_role("button", name="Delete")
    delete.focus()
    late.pop().fallback()
    expect(viewer.get_by_role("link", name="Download original")).to_be_visible()
    expect(delete).to_be_focused()


def test_key_combinations_of_the_browser_keep_their_meaning(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([image(number) for number in range(5)])
    page = gallery.page
    gallery.enter()
    page.locator('.tile[data-index="2"]').focus()
    assert page.evaluate(ALT_LEFT)
    expect(page.locator('.tile[data-index="2"]')).to_be_focused()
    open_photo(gallery, 2)
    assert page.evaluate(ALT_LEFT)
    is_shown(page, 2)


def test_a_failed_deletion_is_reported_in_the_view_where_it_started(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([image(number) for number in range(90)])
    page = gallery.page
    works = False

    page.route("**/images/delete", lambda route: route.fulfill(status=202 if works else 500, json={}))
    question = page.locator("#confirm")
    gallery.enter()
    open_photo(gallery, 1)
    page.keyboard.press("Delete")
    question.get_by_role("button", name="Delete").click()
    alert = page.locator("#viewer").get_by_role("alert")
    expect(alert).to_have_text(FAILED)
    expect(alert).to_be_in_viewport()
    gallery.shot("delete-failed-viewer")
    gallery.accessible()
    page.keyboard.press("ArrowRight")
    is_shown(page, 2)
    expect(alert).to_be_hidden()

    gallery.close_photo()
    page.keyboard.press("Delete")
    question.get_by_role("button", name="Delete").click()
    alert = page.get_by_role("alert")
    expect(alert).to_have_text(FAILED)
    expect(alert).to_be_in_viewport()
    gallery.shot("delete-failed")
    gallery.accessible()
    gallery.forgive("status of 500")
    page.get_by_role("button", name="한국어").click()
    expect(alert).to_have_text("사진을 삭제하지 못했습니다. 네트워크 연결을 확인하고 다시 시도하세요.")
    page.locator('.tile[data-index="2"]').focus()
    works = True
    page.keyboard.press("Delete")
    question.get_by_role("button", name="삭제").click()
    expect(page.locator("#announcement")).to_have_text("2.jpg 파일을 삭제했습니다.")
    expect(alert).to_be_hidden()
