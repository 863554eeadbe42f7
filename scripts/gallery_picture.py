"""Create docs/gallery.png, the picture in the README, from screenshots of the browser tests.

The picture shows the gallery in light and dark mode, on a desktop and on a phone.
"""

import sys

from PIL import Image

from eventloom.clouds import BUILD, ROOT

SCREENSHOTS = BUILD / "screenshots"
OUT = ROOT / "docs" / "gallery.png"
MOST_BYTES = 300_000
HEIGHT, GAP, PAPER = 480, 16, "#8a8f87"


def main() -> None:
    """Put three screenshots of the same height side by side."""
    paths = [SCREENSHOTS / f"{name}.png" for name in ("light", "viewer-dark", "phone-dark-korean")]
    if missing := [path for path in paths if not path.exists()]:
        sys.exit(f"pictures: there is no {missing[0]}; `make pictures` takes the screenshots first")
    shots = []
    for path in paths:
        shot = Image.open(path).convert("RGB")
        shots.append(shot.resize((round(shot.width * HEIGHT / shot.height), HEIGHT), Image.Resampling.LANCZOS))
    sheet = Image.new("RGB", (sum(shot.width + GAP for shot in shots) + GAP, HEIGHT + 2 * GAP), PAPER)
    left = GAP
    for shot in shots:
        sheet.paste(shot, (left, GAP))
        left += shot.width + GAP
    # A palette of 256 colours reduces the file to a quarter.
    sheet.quantize(256, dither=Image.Dither.FLOYDSTEINBERG).save(OUT, optimize=True)
    if OUT.stat().st_size > MOST_BYTES:
        sys.exit(f"pictures: {OUT.name} has {OUT.stat().st_size:,} bytes; reduce HEIGHT to stay below {MOST_BYTES:,}")
    print(f"  {OUT.relative_to(ROOT)}: {sheet.width} x {sheet.height}, {OUT.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
