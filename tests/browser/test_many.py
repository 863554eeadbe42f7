"""Ten thousand images: the listing to its end, without the page growing or slowing."""

from playwright.sync_api import expect

from browser.views import Gallery, Open

MOST_TILES = 150


def cost_of_scrolling(gallery: Gallery) -> float:
    """Seconds of script, style and layout for 20 steps of half a window, upwards."""
    session = gallery.page.context.new_cdp_session(gallery.page)
    session.send("Performance.enable")

    def spent() -> float:
        found = {metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]}
        return float(found["ScriptDuration"] + found["LayoutDuration"] + found["RecalcStyleDuration"])

    began = spent()
    for _ in range(20):
        gallery.page.mouse.wheel(0, -400)
        gallery.page.wait_for_timeout(30)
    return spent() - began


def test_ten_thousand_images_scroll_as_ten_do(open_many: Open) -> None:
    gallery = open_many()
    page = gallery.page
    gallery.enter()
    tiles = page.locator(".tile")
    expect(page.get_by_role("button", name="photo9999.jpg")).to_be_visible()
    page.mouse.move(600, 400)
    for _ in range(30):
        page.mouse.wheel(0, 400)
        page.wait_for_timeout(20)
    at_first = cost_of_scrolling(gallery)

    end = page.locator("#more", has_text="That is all: 10,000.")
    for _ in range(400):
        page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
        page.wait_for_timeout(50)
        assert tiles.count() < MOST_TILES
        if end.count():
            break
    expect(end).to_be_visible()
    expect(page.get_by_role("button", name="photo0.jpg,")).to_be_visible()
    gallery.shot("ten-thousand")
    assert page.locator("*").count() < 10 * MOST_TILES
    assert cost_of_scrolling(gallery) < max(3 * at_first, 0.5)

    tiles.first.focus()
    page.keyboard.press("Home")
    expect(page.get_by_role("button", name="photo9999.jpg")).to_be_focused()
    page.keyboard.press("End")
    expect(page.get_by_role("button", name="photo0.jpg,")).to_be_focused()
    gallery.accessible()
    assert tiles.count() < MOST_TILES
