"""The gallery in Chromium, on the deployment that the integration tests use too (`--keep` leaves it for them)."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect, sync_playwright

from eventloom import clouds
from tests.browser import made_up
from tests.browser.views import SCREENSHOTS, Gallery, Open
from tests.integration import evidence
from tests.integration.conftest import cloud, deployment, pytest_addoption  # noqa: F401 - fixtures, and --keep
from tests.integration.support import Deployment, eventually

# Longer than the API takes on a busy machine, where the checks run beside these tests and an environment starts cold.
PATIENCE_MS = 45_000
expect.set_options(timeout=PATIENCE_MS)


def pytest_configure(config: pytest.Config) -> None:
    """What IAM decided meanwhile counts, if the integration tests go on from here."""
    evidence.collect(config, Path(__file__).parent, last=False)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, or another that is installed: `make test-browser` finds it."""
    home = clouds.BUILD / "tmp" / "browser"
    home.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir(parents=True)
    with sync_playwright() as playwright:
        # Chromium keeps fonts and crash reports in HOME.
        started = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], env=os.environ | {"HOME": str(home)})
        yield started
        started.close()


@pytest.fixture
def open_gallery(browser: Browser, deployment: Deployment) -> Iterator[Open]:  # noqa: F811
    """`open_gallery(**context)` gives the deployed gallery in a browser context of its own; nothing may go wrong in it."""
    endpoint = clouds.chosen_cloud().endpoint
    served = f"{endpoint}/_aws/execute-api/{deployment['api_id']}/{deployment['api_stage']}/"
    with _galleries(browser, served if endpoint else deployment["gallery_url"], deployment["api_key"]) as open_one:
        yield open_one


@pytest.fixture
def catalog_of(open_gallery: Open) -> Callable[..., Gallery]:
    """`catalog_of(images, sizes)` gives a gallery of those made up images, in pages of 100 or of the sizes given first."""

    def open_one(images: list[made_up.Image], sizes: list[int] | None = None) -> Gallery:
        gallery = open_gallery()
        made_up.answer(gallery, images, list(sizes or []))
        return gallery

    return open_one


@pytest.fixture
def empty_catalog(deployment: Deployment, open_gallery: Open) -> Iterator[None]:  # noqa: F811
    """The test begins with no image: what it finds it has uploaded."""
    address, header = open_gallery().address, {"X-Api-Key": deployment["api_key"]}

    def empty() -> bool:
        left = [
            image["image_id"]
            for status in ("READY", "REJECTED")
            for image in requests.get(f"{address}images?status={status}&limit=100", headers=header, timeout=30).json()["images"]
        ]
        for image_id in left:
            requests.delete(f"{address}images/{image_id}", headers=header, timeout=30)
        return not left

    eventually(empty, "an empty catalog")
    yield
    eventually(empty, "an empty catalog")


@contextmanager
def _galleries(browser: Browser, address: str, key: str) -> Iterator[Open]:
    opened: list[Gallery] = []

    def open_one(**context: object) -> Gallery:
        settings = {"viewport": {"width": 1280, "height": 820}, "locale": "en-US", "timezone_id": "Asia/Seoul", "reduced_motion": "reduce"}
        one = browser.new_context(**settings | context)
        one.set_default_timeout(PATIENCE_MS)
        opened.append(Gallery(one.new_page(), address, key))
        return opened[-1]

    yield open_one
    for gallery in opened:
        gallery.page.context.close()
    assert [problem for gallery in opened for problem in gallery.problems] == []
