"""Fixtures: the gallery in Chromium, on the deployment of the integration tests (`--keep` keeps it for them)."""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, expect, sync_playwright

from eventloom import clouds
from tests.browser import mocked_catalog
from tests.browser.views import SCREENSHOTS, Gallery, Open
from tests.integration import evidence
from tests.integration.conftest import cloud, deployment, pytest_addoption  # noqa: F401 - fixtures, and --keep
from tests.integration.support import Deployment, eventually

# On a busy machine, other checks run beside these tests, so a cold start of the API takes long.
TIMEOUT_MS = 45_000
expect.set_options(timeout=TIMEOUT_MS)


def pytest_configure(config: pytest.Config) -> None:
    """Collect the decisions of IAM, because the integration tests may continue on this deployment."""
    evidence.collect(config, Path(__file__).parent, "integration", last=False)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Yield the Chromium at $CHROMIUM, which `make test-browser` sets."""
    home = clouds.BUILD / "tmp" / "browser"
    home.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(SCREENSHOTS, ignore_errors=True)
    SCREENSHOTS.mkdir(parents=True)
    with sync_playwright() as playwright:
        # Chromium writes font caches and crash reports to HOME.
        chromium = playwright.chromium.launch(
            executable_path=os.environ["CHROMIUM"],
            env=os.environ | {"HOME": str(home)},
            # Show scrollbars, because they take space in desktop browsers.
            ignore_default_args=["--hide-scrollbars"],
        )
        yield chromium
        chromium.close()


@pytest.fixture
def open_gallery(browser: Browser, deployment: Deployment) -> Iterator[Open]:  # noqa: F811
    """Return `open_gallery(**context)`, which opens the deployed gallery in a new browser context.

    An error in the page fails the test.
    """
    endpoint = clouds.chosen_cloud().endpoint
    served = f"{endpoint}/_aws/execute-api/{deployment['api_id']}/{deployment['api_stage']}/"
    with _galleries(browser, served if endpoint else deployment["gallery_url"], deployment["api_key"]) as open_new:
        yield open_new


@pytest.fixture
def catalog_of(open_gallery: Open) -> Callable[..., Gallery]:
    """Return `catalog_of(images, sizes)`, which opens a gallery of mocked images in first pages of these sizes."""

    def open_mocked(images: list[mocked_catalog.Image], sizes: list[int] | None = None) -> Gallery:
        gallery = open_gallery()
        mocked_catalog.answer(gallery, images, list(sizes or []))
        return gallery

    return open_mocked


@pytest.fixture
def empty_catalog(deployment: Deployment, open_gallery: Open) -> Iterator[None]:  # noqa: F811
    """Empty the catalog before and after a test."""
    address, header = open_gallery().address, {"X-Api-Key": deployment["api_key"]}

    def empty() -> bool:
        remaining = [
            image["image_id"]
            for status in ("READY", "REJECTED")
            for image in requests.get(f"{address}images?status={status}&limit=100", headers=header, timeout=30).json()[
                "images"
            ]
        ]
        for image_id in remaining:
            requests.delete(f"{address}images/{image_id}", headers=header, timeout=30)
        return not remaining

    eventually(empty, "an empty catalog")
    yield
    eventually(empty, "an empty catalog")


@contextmanager
def _galleries(browser: Browser, address: str, key: str) -> Iterator[Open]:
    opened: list[Gallery] = []

    def open_new(**options: object) -> Gallery:
        settings = {
            "viewport": {"width": 1280, "height": 820},
            "locale": "en-US",
            "timezone_id": "Asia/Seoul",
            "reduced_motion": "reduce",
        }
        context = browser.new_context(**settings | options)
        context.set_default_timeout(TIMEOUT_MS)
        opened.append(Gallery(context.new_page(), address, key))
        return opened[-1]

    yield open_new
    for gallery in opened:
        gallery.page.context.close()
    assert [problem for gallery in opened for problem in gallery.problems] == []
