"""A page of the gallery, as the tests drive it."""

from collections.abc import Callable
from pathlib import Path

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request, expect

from eventloom import clouds

SCREENSHOTS = clouds.BUILD / "screenshots"
PHOTOS = sorted(path for path in (clouds.ROOT / "examples/photos").iterdir() if path.suffix != ".md")
GOOD = [path for path in PHOTOS if path.stem != "corrupt"]
CORRUPT = next(path for path in PHOTOS if path.stem == "corrupt")
SMALL = next(path for path in PHOTOS if path.stem == "loom with alpha")


class Gallery:
    """One page, what went wrong in it, and the screenshots of it."""

    def __init__(self, page: Page, address: str, key: str) -> None:
        self.page, self.address, self.key = page, address, key
        self.problems: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.problems.append(f"thrown: {error}"))
        page.on("requestfailed", self._fail)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.problems.append(f"{message.type}: {message.text}")

    def _fail(self, request: Request) -> None:
        # Leaving a page, and a download, end requests.
        if request.failure != "net::ERR_ABORTED":
            self.problems.append(f"failed: {request.url.partition('?')[0]} {request.failure}")

    def enter(self) -> None:
        """Open the page and sign in with the key."""
        self.page.goto(self.address)
        self.page.get_by_label("API key").fill(self.key)
        self.page.keyboard.press("Enter")
        self.page.locator("#gallery").wait_for()

    def upload(self, files: list[Path]) -> None:
        """Pick files, and wait until those that are photos stand in the grid."""
        before = self.page.locator(".tile").count()
        self.page.locator("#files").set_input_files(files)
        good = [file for file in files if file in GOOD]
        expect(self.page.locator(".tile img.loaded")).to_have_count(before + len(good), timeout=60_000)

    def forgive(self, *texts: str) -> None:
        """Take out of what went wrong what has to: each text stands in at least one problem."""
        for text in texts:
            expected = [problem for problem in self.problems if text in problem]
            assert expected, f"{text!r} is not in {self.problems}"
            self.problems = [problem for problem in self.problems if problem not in expected]

    def fits(self) -> None:
        """Fails if there is anything to scroll sideways."""
        assert self.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the window"

    def untranslated(self, pattern: str) -> list[str]:
        """The texts and labels of the page's own elements that have nothing of a pattern in them."""
        script = """pattern => [...document.querySelectorAll('[data-text]')].map(one => one.textContent)
            .concat([...document.querySelectorAll('[data-label]')].map(one => one.ariaLabel)).filter(text => !RegExp(pattern).test(text))"""
        found: list[str] = self.page.evaluate(script, pattern)
        return found

    def shot(self, name: str) -> None:
        """Keep a picture of the page as it stands."""
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")

    def accessible(self) -> None:
        """Fails with axe's report if there is any violation."""
        results = Axe().run(self.page)
        assert results.violations_count == 0, results.generate_report()


type Open = Callable[..., Gallery]
"""Opens a gallery; takes options of a browser context."""
