"""The page's URL works with Back and Forward, with reloads, and as a link for another user."""

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.mocked_catalog import image
from tests.browser.test_viewer import is_shown, open_photo
from tests.browser.views import Gallery


def has_address(page: Page, gallery: Gallery, fragment: str) -> None:
    expect(page).to_have_url(gallery.address + fragment)


def test_back_closes_the_large_view_and_forward_opens_it_again(catalog_of: Callable[..., Gallery]) -> None:
    images = [image(number) for number in range(5)]
    gallery = catalog_of(images)
    page, viewer = gallery.page, gallery.page.locator("#viewer")
    gallery.enter()
    open_photo(gallery, 1)
    has_address(page, gallery, f"#photo={images[1]['image_id']}")
    page.keyboard.press("ArrowRight")
    is_shown(page, 2)
    has_address(page, gallery, f"#photo={images[2]['image_id']}")
    page.go_back()
    expect(viewer).to_be_hidden()
    expect(page.locator('.tile[data-index="2"]')).to_be_focused()
    has_address(page, gallery, "")
    page.go_forward()
    is_shown(page, 2)
    # Closing the large view also goes back in the history, so that no entry opens the view twice.
    gallery.close_photo()
    has_address(page, gallery, "")

    page.get_by_role("button", name="Rejected").click()
    has_address(page, gallery, "#rejected")
    expect(page.get_by_text("There are no rejected files.")).to_be_visible()
    page.reload()
    expect(page.get_by_text("There are no rejected files.")).to_be_visible()
    page.go_back()
    expect(page.locator(".tile")).to_have_count(5)
    expect(page.get_by_role("button", name="Photos", exact=True)).to_have_attribute("aria-pressed", "true")


def test_the_address_of_a_photo_survives_a_reload_and_can_be_sent(catalog_of: Callable[..., Gallery]) -> None:
    # The photo is not in the first page of the list.
    images = [image(number) for number in range(90)]
    gallery = catalog_of(images)
    page, viewer = gallery.page, gallery.page.locator("#viewer")
    page.goto(f"{gallery.address}#photo={images[80]['image_id']}")
    page.get_by_label("API key").fill(gallery.key)
    page.keyboard.press("Enter")
    is_shown(page, 80)
    gallery.accessible()
    page.reload()
    is_shown(page, 80)
    viewer.get_by_role("button", name="Close").click()
    expect(viewer).to_be_hidden()
    has_address(page, gallery, "")

    page.evaluate("location.hash = '#photo=' + 'f'.repeat(32)")
    expect(page.get_by_role("alert")).to_have_text("This photo no longer exists. Reload the page to update the list.")
    has_address(page, gallery, "")
    gallery.forgive("status of 404")


def test_closing_the_large_view_leaves_the_focus_where_somebody_has_put_it(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([image(number) for number in range(5)])
    page = gallery.page
    gallery.enter()
    open_photo(gallery, 1)
    # Browsers send the close event of a dialog in a separate task (HTML Standard).
    page.evaluate("() => { document.querySelector('#viewer').close(); document.querySelector('#find-name').focus(); }")
    has_address(page, gallery, "")
    expect(page.get_by_role("searchbox", name="Search by name")).to_be_focused()


def test_the_window_stays_at_the_photo_that_was_shown_last(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([image(number) for number in range(20)])
    page = gallery.page
    gallery.enter()
    open_photo(gallery, 0)
    for number in range(1, 20):
        page.keyboard.press("ArrowRight")
        is_shown(page, number)
    gallery.close_photo()
    # Browsers restore the scroll position of a history entry after the URL has changed.
    page.evaluate("() => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve, 200)))")
    last = page.locator('.tile[data-index="19"]')
    expect(last).to_be_focused()
    expect(last).to_be_in_viewport()


def test_after_a_deletion_the_large_view_shows_the_next_photo(catalog_of: Callable[..., Gallery]) -> None:
    images = [image(number) for number in range(3)]
    gallery = catalog_of(images)
    page, viewer, question = gallery.page, gallery.page.locator("#viewer"), gallery.page.locator("#confirm")

    page.route("**/images/delete", lambda route: route.fulfill(status=202, json={}))
    gallery.enter()
    open_photo(gallery, 1)
    for number in (2, 0):
        page.keyboard.press("Delete")
        question.get_by_role("button", name="Delete").click()
        is_shown(page, number)
        has_address(page, gallery, f"#photo={images[number]['image_id']}")
    page.keyboard.press("Delete")
    question.get_by_role("button", name="Delete").click()
    expect(viewer).to_be_hidden()
    expect(page.get_by_text("No photos yet.")).to_be_visible()
    has_address(page, gallery, "")
