"""Page object of the gallery."""

import re
from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request, expect

from eventloom import clouds

SCREENSHOTS = clouds.BUILD / "screenshots"
PHOTOS = sorted(path for path in (clouds.ROOT / "examples/photos").iterdir() if path.suffix != ".md")
GOOD = [path for path in PHOTOS if path.stem != "corrupt"]
CORRUPT = next(path for path in PHOTOS if path.stem == "corrupt")
# The width and height of a phone and of a large screen, each with a language and a theme
LOOKS = {"phone-korean-dark": (390, 844, "ko", "dark"), "large-english-light": (2560, 1440, "en", "light")}
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "is_mobile": True, "has_touch": True}
SMALL = next(path for path in PHOTOS if path.stem == "loom with alpha")


class Gallery:
    """An open page of the gallery, with its errors and screenshots."""

    def __init__(self, page: Page, address: str, key: str) -> None:
        self.page, self.address, self.key = page, address, key
        self.problems: list[str] = []
        page.on("console", self._record_message)
        page.on("pageerror", lambda error: self.problems.append(f"thrown: {error}"))
        page.on("requestfailed", self._record_failure)

    def _record_message(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"{message.type}: {message.text}")

    def _record_failure(self, request: Request) -> None:
        # Navigation and downloads abort requests.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"failed: {request.url.partition('?')[0]} {request.failure}")

    def enter(self) -> None:
        """Open the page and sign in with the key."""
        self.page.goto(self.address)
        self.page.get_by_label("API key").fill(self.key)
        self.page.keyboard.press("Enter")
        self.page.locator("#gallery").wait_for()

    def upload(self, files: list[Path]) -> None:
        """Select files, and wait until the photos among them are in the grid."""
        before = self.page.locator(".tile").count()
        self.page.locator("#files").set_input_files(files)
        good = [file for file in files if file in GOOD]
        expect(self.page.locator(".tile img.loaded")).to_have_count(before + len(good), timeout=60_000)

    def close_photo(self) -> None:
        """Close the large view, and wait until the browser has left its history entry, so that the page is idle."""
        self.page.keyboard.press("Escape")
        expect(self.page.locator("#viewer")).to_be_hidden()
        expect(self.page).not_to_have_url(re.compile("photo="))

    def forgive(self, *texts: str) -> None:
        """Remove expected errors. Each text must be part of at least one."""
        for text in texts:
            expected = [problem for problem in self.problems if text in problem]
            assert expected, f"{text!r} is not in {self.problems}"
            self.problems = [problem for problem in self.problems if problem not in expected]

    def allow(self, *texts: str) -> None:
        """Remove the errors with one of the texts. They may occur, depending on when the network is cut."""
        self.problems = [problem for problem in self.problems if not any(text in problem for text in texts)]

    def fits(self) -> None:
        """Check that the page needs no horizontal scrolling."""
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), (
            "the page is wider than the window"
        )

    def untranslated(self, pattern: str) -> list[str]:
        """Return the texts and labels of the page that do not match a pattern."""
        script = """pattern => [
            ...[...document.querySelectorAll('[data-text]')].map((element) => element.textContent),
            ...[...document.querySelectorAll('[data-label]')].map((element) => element.ariaLabel),
        ].filter((text) => !RegExp(pattern).test(text))"""
        texts: list[str] = self.page.evaluate(script, pattern)
        return texts

    def shot(self, name: str) -> None:
        """Save a screenshot of the page."""
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")

    def in_all_looks(self, name: str) -> None:
        """Check that nothing is cut off and axe finds no violation, now and with the sizes and settings of LOOKS.

        The page must be in English with the light theme. It is not reloaded, so that a dialog or a selection stays.
        """
        self.accessible()
        size = self.page.viewport_size
        for look, (width, height, language, theme) in LOOKS.items():
            self.page.set_viewport_size({"width": width, "height": height})
            self._set_look(language, theme)
            self.fits()
            self.shot(f"{name}-{look}")
            self.accessible()
        self._set_look("en", "light")
        self.page.set_viewport_size(size)

    def _set_look(self, language: str, theme: str) -> None:
        """Choose the language and the theme with the page's buttons, even if a dialog covers them."""
        script = """([language, theme]) => {
            const root = document.documentElement;
            if (root.lang !== language) document.querySelector('#language').click();
            if ((root.dataset.theme ?? 'light') !== theme) document.querySelector('#theme').click();
        }"""
        self.page.evaluate(script, [language, theme])
        expect(self.page.locator("html")).to_have_attribute("lang", language)
        expect(self.page.locator("html")).to_have_attribute("data-theme", theme)

    def accessible(self) -> None:
        """Check that axe finds no violation."""
        results = Axe().run(self.page)
        assert results.violations_count == 0, results.generate_report()


type Open = Callable[..., Gallery]
"""Opens a gallery. The arguments are options of the browser context."""
