"""The icons for home screens look like the SVG in Chromium."""

import re

import requests

from tests.browser.views import Open

# This script draws two pictures in one size, and returns the share of pixel bytes that differ by more than 32.
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


def test_the_icon_of_a_home_screen_is_the_svg(open_gallery: Open) -> None:
    gallery = open_gallery()
    page = gallery.page
    page.goto(gallery.address)
    page.locator("#sign-in").wait_for()
    served = requests.get(gallery.address, timeout=30).text
    match = re.search(r"page/\w+/", served)
    assert match
    folder = gallery.address + match[0]
    assert page.evaluate(DIFFERENCE, [f"{folder}icon.svg", f"{folder}icon-192.png", 192]) < 0.002
    # As a cross-check, another picture differs by more.
    other = f"{folder}icon-maskable-512.png"
    assert page.evaluate(DIFFERENCE, [f"{folder}icon.svg", other, 192]) > 0.002
    # Chromium reports no error in the manifest.
    manifest = page.context.new_cdp_session(page).send("Page.getAppManifest")
    assert (manifest["errors"], manifest["url"]) == ([], f"{folder}manifest.webmanifest")
