"""Test the modules in other root modules than terraform/: triggers, changes of triggers, a foreign root, the examples.

The embedded cloud gets its own emulator, so that these tests can run beside those of tests/integration.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

if os.environ.get("CLOUD", "embedded") == "embedded":
    os.environ.setdefault("EMBEDDED_PORT", "4593")

from eventloom import clouds
from tests.embedded import launch
from tests.integration import evidence, results
from tests.integration.results import _module_needs, _needs  # noqa: F401 - pytest finds the fixtures here


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--keep", action="store_true", help="leave the emulator and the triggers' deployment")


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugins that write the results for docs/capabilities.md and the evidence of IAM decisions."""
    results.collect(config)
    evidence.collect(config, Path(__file__).parent, "modules")


@pytest.fixture(scope="session")
def cloud(request: pytest.FixtureRequest) -> Iterator[clouds.Cloud]:
    """Return the cloud once it is reachable. The embedded one is started here and stopped at the end."""
    cloud = clouds.chosen_cloud()
    if cloud.name == "embedded":
        launch("up", cloud.port, IAM_AUDIT="1")
    yield cloud
    if cloud.name == "embedded" and not request.config.getoption("--keep"):
        launch("down", cloud.port, "--forget")
