"""Provide the photos of the benchmark: crops of photos in Debian packages, or generated ones without apt."""

import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter, ImageOps

from eventloom.clouds import BUILD, ROOT

HOME = BUILD / "bench"
# The photos to use by package. They are large enough for a crop of 12 megapixels.
PACKAGES = {
    "lomiri-wallpapers-20.04": ("Kleiber_by_Lukas_Baubkus", "Infinite-Sea_by_Aury88"),
    "lomiri-wallpapers-16.04": ("Dragonfly_by_Bolly",),
}
DEMO = ROOT / "examples/photos/seedlings.jpg"
CROP, LARGE = (4000, 3000), (6000, 4000)


@dataclass(frozen=True)
class Photos:
    """The photos of the benchmark."""

    classes: dict[str, list[Path]]
    # One sentence about the source of each photo
    origins: list[str]
    # A photo so small that decoding it hardly grows the memory of a process
    tiny: Path


def collect(quick: bool) -> Photos:
    """Download or generate the photos, only one of each class if `quick`."""
    originals = _from_packages()
    folder = HOME / "photos"
    folder.mkdir(parents=True, exist_ok=True)
    if originals:
        names = [path.stem for path in originals]
        package_of = {stem: package for package, stems in PACKAGES.items() for stem in stems}
        origins = [f"{path.name} (Debian {package_of[path.stem]})" for path in originals]
    else:
        names = ["generated-1", "generated-2", "generated-3"]
        origins = [
            "generated pictures with the spectrum of photos (apt-get could not fetch Debian's wallpaper packages)"
        ]
    classes: dict[str, list[Path]] = {}
    for position, name in enumerate(names[:1] if quick else names):
        source = _Source(originals[position] if originals else None, position)
        for kind, (size, save) in _CLASSES.items():
            path = folder / f"{name}-{kind}"
            if not path.exists():
                partial = path.with_suffix(".partial")
                save(source.picture(size), partial)
                partial.replace(path)
            classes.setdefault(kind, []).append(path)
    if originals:
        classes["jpeg_original"] = originals[:1] if quick else originals
    classes["demo"] = [DEMO]
    tiny = folder / "tiny.jpg"
    _generated((320, 240), 0).save(tiny, "JPEG")
    return Photos(classes, [*origins, "examples/photos/seedlings.jpg (class demo)"], tiny)


class _Source:
    def __init__(self, original: Path | None, seed: int) -> None:
        self._original, self._seed = original, seed
        self._image: Image.Image | None = None

    def picture(self, size: tuple[int, int]) -> Image.Image:
        """Return a crop of the photo at its own resolution. A size beyond the photo is filled with mirror images."""
        if self._image is None:
            self._image = Image.open(self._original).convert("RGB") if self._original else _generated(CROP, self._seed)
        image = self._image
        if image.width < size[0] or image.height < size[1]:
            wide = Image.new("RGB", (2 * image.width, 2 * image.height))
            for left, row in ((0, image), (image.width, ImageOps.mirror(image))):
                wide.paste(row, (left, 0))
                wide.paste(ImageOps.flip(row), (left, image.height))
            image = wide
        left, top = (image.width - size[0]) // 2, (image.height - size[1]) // 2
        return image.crop((left, top, left + size[0], top + size[1]))


def _jpeg(progressive: bool) -> Callable[[Image.Image, Path], None]:
    # Phones store 12 megapixels in 3 to 5 MB. This quality comes closest without exceeding that.
    return lambda image, path: image.save(
        path, "JPEG", quality=95, subsampling="4:2:0", progressive=progressive, optimize=progressive
    )


_CLASSES: dict[str, tuple[tuple[int, int], Callable[[Image.Image, Path], None]]] = {
    "jpeg_12mp": (CROP, _jpeg(progressive=False)),
    "jpeg_24mp": (LARGE, _jpeg(progressive=False)),
    "progressive_12mp": (CROP, _jpeg(progressive=True)),
    "png_12mp": (CROP, lambda image, path: image.save(path, "PNG")),
    "webp_12mp": (CROP, lambda image, path: image.save(path, "WEBP", quality=85, method=2)),
}


def _from_packages() -> list[Path]:
    """Return the photos of the Debian packages, downloaded once, or an empty list if apt cannot download them."""
    folder = HOME / "debian"
    for package in PACKAGES:
        target = folder / package
        if target.exists():
            continue
        if not shutil.which("apt-get") or not shutil.which("dpkg-deb"):
            return []
        folder.mkdir(parents=True, exist_ok=True)
        fetched = subprocess.run(
            ["apt-get", "download", package], cwd=folder, capture_output=True, check=False, timeout=180
        )
        archives = list(folder.glob(f"{package}_*.deb"))
        if fetched.returncode or not archives:
            return []
        partial = folder / f".{package}"
        subprocess.run(["dpkg-deb", "-x", archives[0], partial], check=True)
        archives[0].unlink()
        partial.rename(target)
    return [path for names in PACKAGES.values() for name in names for path in sorted(folder.rglob(f"{name}.jpg"))]


def _generated(size: tuple[int, int], seed: int) -> Image.Image:
    """Generate a picture with structure at every scale and a little noise, like a photo."""
    random = np.random.default_rng(seed)
    width, height = size
    total: NDArray[np.floating] = np.zeros((height, width, 3), np.float32)
    for step in (4, 16, 64, 256, 1024):
        coarse = random.normal(128, 50, (height // step + 2, width // step + 2, 3)).clip(0, 255).astype(np.uint8)
        total += np.asarray(Image.fromarray(coarse).resize(size, Image.Resampling.BICUBIC), np.float32) * step**0.5
    total = (total - total.min()) / (total.max() - total.min()) * 255 + random.normal(0, 2, total.shape)
    return Image.fromarray(total.clip(0, 255).astype(np.uint8)).filter(ImageFilter.GaussianBlur(0.6))
