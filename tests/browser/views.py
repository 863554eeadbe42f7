"""A page of the gallery, as the tests drive it."""

from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import ConsoleMessage, Page, Request

import clouds

SCREENSHOTS = clouds.BUILD / "screenshots"


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

    def shot(self, name: str) -> None:
        """Keep a picture of the page as it stands."""
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png", animations="disabled")

    def accessible(self) -> None:
        """Fails with axe's report if there is any violation."""
        results = Axe().run(self.page)
        assert results.violations_count == 0, results.generate_report()


type Open = Callable[..., Gallery]
"""Opens a gallery; takes options of a browser context."""
