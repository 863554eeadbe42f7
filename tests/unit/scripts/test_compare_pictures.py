"""The comparison with libvips, ImageMagick and Chromium reports pictures that differ, and no others."""

import json
import sys
from pathlib import Path

import pytest
from PIL import Image

from scripts import compare_pictures
from tests.unit.thumbnailer.pictures import encode, quarters


def test_pictures_of_other_sizes_and_compressions_are_the_same() -> None:
    small, large = quarters((96, 64)), quarters((960, 640))
    assert compare_pictures.difference(small, large) <= 1
    assert compare_pictures.difference(small, large.resize((97, 64))) <= 16


def test_other_colours_shapes_and_transparency_differ() -> None:
    picture = quarters((96, 64))
    assert compare_pictures.difference(picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)) > 100
    assert compare_pictures.difference(picture, picture.transpose(Image.Transpose.ROTATE_90)) == 255
    see_through = picture.convert("RGBA")
    see_through.putalpha(0)
    assert compare_pictures.difference(picture, see_through) > 100


def test_every_picture_of_a_folder_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Files of other formats are left out. Without references, nobody disagrees."""
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper/good.png").write_bytes(encode(quarters(), "PNG"))
    (tmp_path / "cut.png").write_bytes(encode(quarters(), "PNG")[:100])
    (tmp_path / "notes.txt").write_text("no picture")
    monkeypatch.setattr(sys, "argv", ["compare_pictures", str(tmp_path)])
    monkeypatch.setitem(sys.modules, "playwright.sync_api", None)
    monkeypatch.setitem(sys.modules, "pyvips", None)
    monkeypatch.setenv("PATH", "")
    assert compare_pictures.main() == 0
    assert json.loads(capsys.readouterr().out) == {"files": 2, "ready": 1, "disagreements": 0}


def test_a_program_of_another_kind_named_convert_is_no_reference(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "convert"
    program.write_text("#!/bin/sh\necho converts units\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with compare_pictures.imagemagick() as show:
        assert show is None
