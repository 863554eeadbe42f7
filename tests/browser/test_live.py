"""Images that others delete disappear from an open page without disturbing its user."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.mocked_catalog import NEWEST, Image, answer, image
from tests.browser.test_viewer import is_shown, open_photo
from tests.browser.views import Gallery, Open
from tests.integration.support import eventually


def deletion(number: int, deleted_at: str = f"{NEWEST:%Y}-11-21T00:00:00.000Z") -> Image:
    """Return an image as in the list of deleted images."""
    return {"image_id": f"{number:032x}", "filename": f"{number}.jpg", "deleted_at": deleted_at}


@pytest.fixture
def deleted() -> list[Image]:
    """Return the list of images that others have deleted. The tests add to it."""
    return []


@pytest.fixture
def gallery(open_gallery: Open, deleted: list[Image]) -> Gallery:
    """Return a gallery of six photos."""
    gallery = open_gallery()
    gallery.page.clock.install()
    answer(gallery, [image(number) for number in range(6)], [], deleted)
    gallery.enter()
    expect(gallery.page.locator(".tile")).to_have_count(6)
    return gallery


def wait_for_count(page: Page, count: int) -> None:
    def has_count() -> bool:
        page.clock.run_for(20_000)
        return page.locator(".tile").count() == count

    eventually(has_count, f"{count} photos")


def test_photos_that_others_delete_disappear_from_the_grid_and_the_selection(
    gallery: Gallery, deleted: list[Image]
) -> None:
    page, search = gallery.page, gallery.page.get_by_role("searchbox", name="Search by name")
    for number in (1, 2):
        page.locator(f'.tile[data-index="{number}"]').click(modifiers=["Control"])
    expect(page.locator("#selected-count")).to_have_text("Selected: 2")
    search.focus()
    # Photo 5 was restored, which is a new upload, after the deletion that is still listed.
    deleted.extend([deletion(2), deletion(0), deletion(5, "2026-11-01T00:00:00.000Z")])
    wait_for_count(page, 4)
    expect(page.locator("#more")).to_have_text("Total: 4")
    expect(page.locator("#selected-count")).to_have_text("Selected: 1")
    expect(page.get_by_role("button", name="5.jpg")).to_be_visible()
    expect(search).to_be_focused()


def test_the_large_view_continues_when_others_delete_its_photo(gallery: Gallery, deleted: list[Image]) -> None:
    page, notice = gallery.page, gallery.page.locator("#notice")
    open_photo(gallery, 3)
    deleted.extend([deletion(3), deletion(4)])
    wait_for_count(page, 4)
    is_shown(page, 5)
    expect(notice).to_contain_text("3.jpg was deleted.")
    gallery.accessible()
    # The tile with the focus was removed.
    gallery.close_photo()
    expect(page.locator('.tile[aria-label^="5.jpg"]')).to_be_focused()
    open_photo(gallery, 0)
    deleted.extend(deletion(number) for number in (0, 1, 2, 5))
    wait_for_count(page, 0)
    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.get_by_text("No photos yet.")).to_be_visible()
