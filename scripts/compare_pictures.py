"""Compare our thumbnails of a folder of pictures with what libvips, ImageMagick and Chromium show.

The folder is not part of the project: PngSuite, bmpsuite, and the test files of libtiff, libavif and Pillow are in the
source packages of Debian and PyPI, or in their repositories. Prints a line for each file on which a reference
disagrees, and a summary. libvips needs `pyvips`, ImageMagick the program `convert`, and Chromium `playwright` and
$CHROMIUM; a reference that is missing is left out.

Usage: python scripts/compare_pictures.py FOLDER [--size 256] [--tolerance 12]
"""

import argparse
import base64
import contextlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from PIL import Image, ImageChops, ImageCms, ImageStat

from thumbnailer.imaging.formats import sniff
from thumbnailer.imaging.images import Output, read_picture
from thumbnailer.imaging.limits import Limits
from thumbnailer.imaging.rejections import Rejection
from thumbnailer.imaging.resize import resize
from thumbnailer.imaging.sandbox import Sandbox

type Show = Callable[[bytes], Image.Image | None]

# The mean colours of this grid's cells are compared, because filters and compression hardly change them.
_CELLS = (8, 8)
# Chromium does not show these formats.
_NO_BROWSER = {"TIFF", "HEIF"}
_SHOWN = """async (url) => {
  const image = new Image();
  image.src = url;
  try { await image.decode(); } catch { return null; }
  const canvas = document.createElement("canvas");
  canvas.width = image.naturalWidth;
  canvas.height = image.naturalHeight;
  canvas.getContext("2d").drawImage(image, 0, 0);
  return canvas.toDataURL("image/png");
}"""


@contextlib.contextmanager
def chromium() -> Iterator[Show | None]:
    """Yield a function that returns a picture as Chromium shows it, or None if Chromium is not installed."""
    try:
        from playwright.sync_api import sync_playwright  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415
    except ImportError:
        yield None
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"])
        page = browser.new_page()

        def show(data: bytes) -> Image.Image | None:
            kind = (sniff(data) or "PNG").lower()
            if kind.upper() in _NO_BROWSER:
                return None
            shown = page.evaluate(_SHOWN, f"data:image/{kind};base64,{base64.b64encode(data).decode()}")
            # A canvas beyond the browser's size limit returns no data.
            content = base64.b64decode(shown.partition(",")[2]) if shown else b""
            return Image.open(io.BytesIO(content)) if content else None

        yield show
        browser.close()


def libvips() -> Show | None:
    """Return a function that returns a picture as libvips shows it, or None if libvips is not installed."""
    try:
        import pyvips  # type: ignore[import-not-found,unused-ignore]  # noqa: PLC0415 - optional
    except ImportError:
        return None

    def show(data: bytes) -> Image.Image | None:
        try:
            image: Any = pyvips.Image.new_from_buffer(data, "", access="sequential").autorot()
            if image.get_typeof("icc-profile-data"):
                image = image.icc_transform("srgb", embedded=True)
            return Image.open(io.BytesIO(image.colourspace("srgb").cast("uchar").pngsave_buffer(keep="none")))
        except pyvips.Error:
            return None

    return show


@contextlib.contextmanager
def imagemagick() -> Iterator[Show | None]:
    """Yield a function that returns a picture as ImageMagick shows it, or None if ImageMagick is not installed."""
    program = shutil.which("convert")
    version = subprocess.run([program, "-version"], capture_output=True, check=False).stdout if program else b""
    if not program or b"ImageMagick" not in version:
        yield None
        return
    with tempfile.TemporaryDirectory() as folder:
        profile = Path(folder) / "sRGB.icc"
        profile.write_bytes(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())

        def show(data: bytes) -> Image.Image | None:
            # "[0]" selects the first frame. An embedded profile is converted to sRGB; without one, sRGB is assumed.
            source = f"{(sniff(data) or 'PNG').lower()}:-[0]"
            command = [program, source, "-auto-orient", "-colorspace", "sRGB", "-profile", str(profile), "png32:-"]
            try:
                process = subprocess.run(command, input=data, capture_output=True, check=False, timeout=60)
            except subprocess.TimeoutExpired:
                return None
            return Image.open(io.BytesIO(process.stdout)) if process.stdout else None

        yield show


def ours(data: bytes, size: int, sandbox: Sandbox) -> tuple[Image.Image | None, str]:
    """Return our thumbnail before compression, and our verdict."""
    try:
        name = sandbox.render(data).format
    except Rejection as rejection:
        return None, rejection.code
    # Compression would change colours that alternate from pixel to pixel.
    return read_picture(data, name, Limits(), size, resize)[0].convert("RGBA"), "READY"


def difference(picture: Image.Image, reference: Image.Image) -> float:
    """Return the largest difference of a channel's mean in any cell, from 0 to 255, with both pictures on white.

    Returns 255 if the pictures' shapes differ.
    """
    if abs(picture.width * reference.height - reference.width * picture.height) > max(*reference.size, *picture.size):
        return 255.0
    both = []
    for image in (picture, reference):
        on_white = Image.new("RGBA", image.size, "white")
        on_white.alpha_composite(image.convert("RGBA"))
        both.append(on_white.convert("RGB").resize(_CELLS, Image.Resampling.BOX))
    return float(max(most for _, most in ImageStat.Stat(ImageChops.difference(*both)).extrema))


def main() -> int:
    """Compare all pictures of the folder and print the differences. Return 0."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, default=256, help="longest edge of the thumbnails that are compared")
    parser.add_argument("--tolerance", type=float, default=12.0, help="difference that is not a disagreement")
    options = parser.parse_args()
    sandbox = Sandbox(Limits(), Output((options.size,)))
    counts = {"files": 0, "ready": 0, "disagreements": 0}
    with chromium() as browser, imagemagick() as magick:
        shows = {"libvips": libvips(), "imagemagick": magick, "chromium": browser}
        references = {name: show for name, show in shows.items() if show}
        print(f"references: {', '.join(references) or 'none'}", file=sys.stderr)
        for file in sorted(path for path in options.folder.rglob("*") if path.is_file()):
            data = file.read_bytes()
            if sniff(data) is None:
                continue
            picture, verdict = ours(data, options.size, sandbox)
            shown = {name: show(data) for name, show in references.items()}
            differences = {
                name: round(difference(picture, image), 1) for name, image in shown.items() if picture and image
            }
            refused = picture is None and any(shown.values())
            counts["files"] += 1
            counts["ready"] += picture is not None
            if refused or any(value > options.tolerance for value in differences.values()):
                counts["disagreements"] += 1
                sees = {name: differences.get(name, "shown" if image else "refused") for name, image in shown.items()}
                print(json.dumps({"file": str(file.relative_to(options.folder)), "ours": verdict} | sees), flush=True)
    sandbox.close()
    print(json.dumps(counts))
    return 0


if __name__ == "__main__":
    sys.exit(main())
