"""README's picture, from what the browser tests left."""

from pathlib import Path

import pytest
from PIL import Image

import pictures


def test_screenshots_that_are_not_there_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that makes them."""
    monkeypatch.setattr(pictures, "SCREENSHOTS", tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "light.png")
    with pytest.raises(SystemExit, match=r"no .*viewer-dark.png; `make pictures`"):
        pictures.main()
