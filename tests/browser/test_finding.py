"""The filters above the grid select images."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Route, expect

from tests.browser.mocked_catalog import image
from tests.browser.views import Gallery

REASONS = {"corrupt": 2, "too_many_frames": 1}


def test_reasons_are_shown_in_words_in_both_languages(catalog_of: Callable[..., Gallery]) -> None:
    gallery = catalog_of([image(number) for number in range(3)])
    page = gallery.page

    def summarize(route: Route) -> None:
        reasons = [{"value": reason, "images": count} for reason, count in REASONS.items()]
        summary: dict[str, Any] = {"images": 3, "complete": True, "months": [], "cameras": [], "formats": []}
        route.fulfill(json=summary | {"reasons": reasons})

    page.route("**/images/summary?**", summarize)
    gallery.enter()
    page.get_by_role("button", name="Rejected").click()
    reasons = page.get_by_label("Reason").locator("option")
    expect(reasons).to_have_text(["All reasons", "Damaged or incomplete file (2)", "Too many frames or pages (1)"])
    with page.expect_request("**/images?**reason=too_many_frames**"):
        page.get_by_label("Reason").select_option("Too many frames or pages (1)")
    gallery.accessible()
    page.get_by_role("button", name="한국어").click()
    expect(page.get_by_label("사유").locator("option")).to_have_text(
        ["모든 사유", "손상되었거나 불완전한 파일 (2)", "너무 많은 프레임이나 페이지 (1)"]
    )
    expect(page.get_by_label("사유")).to_have_value("too_many_frames")
