"""The README's picture is made from screenshots of the browser tests."""

from pathlib import Path

import pytest
from PIL import Image

from scripts import gallery_picture


def test_a_missing_screenshot_is_named_with_the_command_that_takes_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gallery_picture, "SCREENSHOTS", tmp_path)
    Image.new("RGB", (8, 8)).save(tmp_path / "light.png")
    with pytest.raises(SystemExit, match=r"no .*viewer-dark.png; `make pictures`"):
        gallery_picture.main()
