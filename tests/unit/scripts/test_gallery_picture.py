"""README's picture, from what the browser tests left."""

from pathlib import Path

import pytest
from PIL import Image

from scripts import gallery_picture


def test_screenshots_that_are_not_there_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that makes them."""
    monkeypatch.setattr(gallery_picture, "SCREENSHOTS", tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "light.png")
    with pytest.raises(SystemExit, match=r"no .*viewer-dark.png; `make pictures`"):
        gallery_picture.main()
