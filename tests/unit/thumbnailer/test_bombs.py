"""Each bomb is refused, or is harmless, within a fraction of the memory and the time that the function has."""

from collections.abc import Callable, Iterator

import pytest

from tests.unit.thumbnailer.bombs import BOMBS
from tests.unit.thumbnailer.bombs_boxes import BOX_BOMBS
from tests.unit.thumbnailer.bombs_metadata import METADATA_BOMBS
from thumbnailer.imaging.images import Output
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection
from thumbnailer.imaging.sandbox import Sandbox

ALL: dict[str, tuple[Callable[[], bytes], set[str]]] = BOMBS | METADATA_BOMBS | BOX_BOMBS


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    """Kills what takes long, and has a third of the function's memory: for decoders written in C too."""
    made = Sandbox(Limits(max_memory=512 * 1024**2), Output((64, 24)), timeout_s=8)
    yield made
    made.close()


@pytest.mark.parametrize("name", ALL)
def test_bombs_are_defused(name: str, sandbox: Sandbox) -> None:
    make, expected = ALL[name]
    found, text = "READY", ""
    try:
        sandbox.render(make())
    except Rejection as rejection:
        found, text = rejection.code, rejection.text
    assert found in expected, text
