"""Each bomb is refused or harmless, with a fraction of the memory and the time that the function has."""

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
    """Provide a sandbox with a short time-out and a third of the function's memory, for decoders written in C too."""
    sandbox = Sandbox(Limits(max_memory=512 * 1024**2), Output((64, 24)), timeout_s=8)
    yield sandbox
    sandbox.close()


@pytest.mark.parametrize("name", ALL)
def test_a_bomb_is_refused_or_harmless(name: str, sandbox: Sandbox) -> None:
    make, expected = ALL[name]
    verdict, text = "READY", ""
    try:
        sandbox.render(make())
    except Rejection as rejection:
        verdict, text = rejection.code, rejection.text
    assert verdict in expected, text
