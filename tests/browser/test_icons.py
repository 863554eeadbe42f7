"""The icons of home screens look like the SVG, as Chromium draws it."""

import re

import pytest
import requests

from tests.browser.views import Open

# Draw two pictures of the page in a size; return the share of the bytes of their pixels that differ by more than 32
DIFFERENCE = """async ([first, second, size]) => {
    const draw = async (address) => {
        const picture = new Image();
        picture.src = address;
        await picture.decode();
        const canvas = new OffscreenCanvas(size, size).getContext('2d');
        canvas.drawImage(picture, 0, 0, size, size);
        return canvas.getImageData(0, 0, size, size).data;
    };
    const [one, other] = [await draw(first), await draw(second)];
    return one.filter((value, index) => Math.abs(value - other[index]) > 32).length / one.length;
}"""


@pytest.mark.parametrize("size", [192, 512])
def test_the_icon_of_a_home_screen_is_the_svg(open_gallery: Open, size: int) -> None:
    gallery = open_gallery()
    page = gallery.page
    page.goto(gallery.address)
    page.locator("#sign-in").wait_for()
    served = requests.get(gallery.address, timeout=30).text
    match = re.search(r"page/\w+/", served)
    assert match
    folder = gallery.address + match[0]
    assert page.evaluate(DIFFERENCE, [f"{folder}icon.svg", f"{folder}icon-{size}.png", size]) < 0.002
    # Another picture differs by more.
    other = f"{folder}icon-maskable-512.png"
    assert page.evaluate(DIFFERENCE, [f"{folder}icon.svg", other, size]) > 0.002
    # Chromium finds nothing to complain about in the manifest.
    manifest = page.context.new_cdp_session(page).send("Page.getAppManifest")
    assert (manifest["errors"], manifest["url"]) == ([], f"{folder}manifest.webmanifest")
