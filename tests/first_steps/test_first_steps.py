"""README's first steps, typed in a checkout that was never set up: from `make demo` to `make clean`, which leaves nothing."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from embedded_localstack import processes
from embedded_localstack.state import Home
from eventloom.clouds import BUILD, ROOT
from tests.integration.checkouts import PARTS, SHARED, another_checkout, environment, make, run

# An emulator of its own beside those of the other tests
PORT = int(os.environ.get("FIRST_STEPS_PORT", "4593"))
# What setting up installs is in the cache already: PyPI does not have to be reached twice.
VARIABLES = environment() | {"CLOUD": "embedded", "EMBEDDED_PORT": str(PORT), "UV_OFFLINE": "1"}
PHOTOS = [path for path in (ROOT / "examples/photos").iterdir() if path.suffix != ".md"]


def typed(checkout: Path, *arguments: str) -> str:
    """What a command prints there."""
    return make(checkout, *arguments, variables=VARIABLES)


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    """Where the commands are typed, one test after the other. Always the same folder: what a killed run left there is stopped first."""
    folder = BUILD / "first-steps"
    if folder.exists():
        run(folder, "down", variables=VARIABLES)
        shutil.rmtree(folder)
    yield another_checkout(folder)
    typed(folder, "down")


@pytest.fixture(scope="module")
def demo(checkout: Path) -> str:
    """What `make demo` prints."""
    return typed(checkout, "demo")


def test_the_demo_shows_every_photo(checkout: Path, demo: str) -> None:
    table = demo.partition("3. results")[2]
    assert len(re.findall(r"  READY  ", table)) == len(PHOTOS) - 1
    assert re.findall(r"^(\S+) +REJECTED  ", table, re.MULTILINE) == ["corrupt.jpg"]
    shown = checkout / "build" / "demo"
    with Image.open(shown / "contact-sheet.png") as sheet:
        assert sheet.width > sheet.height
    pictures = re.findall(r'<img src="([^"]+)"', (shown / "index.html").read_text())
    assert len(pictures) == len(PHOTOS) - 1
    assert [name for name in pictures if not (shown / name).is_file()] == []


@pytest.mark.usefixtures("demo")
def test_another_up_changes_nothing(checkout: Path) -> None:
    assert f"runs already on http://127.0.0.1:{PORT}" in typed(checkout, "up")
    said = typed(checkout, "status")
    assert f"http://127.0.0.1:{PORT}" in said
    assert "IAM refused no call" in said


@pytest.mark.usefixtures("demo")
def test_a_restart_loses_nothing(checkout: Path) -> None:
    """What the next tests find is what it brought back."""
    assert "with all that was in it" in typed(checkout, "restart")


@pytest.mark.usefixtures("demo")
def test_a_plan_that_changes_nothing_is_saved_and_applied(checkout: Path) -> None:
    assert "No changes." in typed(checkout, "plan")
    assert "Resources: 0 added, 0 changed, 0 destroyed." in typed(checkout, "apply-saved")


@pytest.mark.usefixtures("demo")
def test_the_load_is_simulated_with_the_demos_times(checkout: Path) -> None:
    assert f"{len(PHOTOS) - 1} photos" in typed(checkout, "simulate", "ARGS=measure")
    assert "10,000" in typed(checkout, "simulate")


def test_what_is_written_into_the_documentation_is_there_already(checkout: Path) -> None:
    typed(checkout, "docs")
    typed(checkout, "capabilities")
    written = [
        page for folder in ("docs", "terraform/modules") for page in (checkout / folder).rglob("*.*") if page.suffix in {".md", ".svg"}
    ]
    assert [page for page in written if page.read_bytes() != (ROOT / page.relative_to(checkout)).read_bytes()] == []


@pytest.mark.usefixtures("demo")
def test_down_leaves_nothing_running(checkout: Path) -> None:
    home = Home(PORT, checkout / "build" / f"localstack-{PORT}")
    server = home.load()
    assert server
    assert server.running()
    assert processes.belonging_to(home.path), "its functions among them"
    assert f"stopped (process {server.pid})" in typed(checkout, "down")
    assert not server.running()
    assert processes.belonging_to(home.path) == []
    stopped = run(checkout, "status", variables=VARIABLES)
    assert "not running" in stopped.stdout
    assert "Error 3" in stopped.stderr


@pytest.mark.usefixtures("demo")
def test_clean_leaves_what_was_cloned(checkout: Path) -> None:
    typed(checkout, "clean")
    assert sorted(path.name for path in checkout.iterdir()) == sorted(PARTS)
    left = [path for path in checkout.rglob("*") if path.name in {"build", ".terraform", "__pycache__"} or path.suffix == ".egg-info"]
    assert left == []
    assert all((BUILD / name).exists() for name in SHARED if name != "cache/localstack"), "what it linked to is still there"
