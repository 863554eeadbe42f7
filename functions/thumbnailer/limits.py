"""What an upload may be."""

from dataclasses import dataclass

from thumbnailer.rejections import Rejection


@dataclass(frozen=True)
class Limits:
    """What an upload may be: bytes of the file, pixels of the picture, frames or pages."""

    max_bytes: int = 100 * 1024 * 1024
    max_pixels: int = 100_000_000
    max_frames: int = 1000

    def check_pixels(self, width: int, height: int) -> None:
        """Raises Rejection too_many_pixels."""
        if width * height > self.max_pixels:
            raise Rejection("too_many_pixels", f"It has {width * height:,}; the limit is {self.max_pixels:,}.")

    def check_frames(self, frames: int) -> None:
        """Raises Rejection too_many_frames."""
        if frames > self.max_frames:
            raise Rejection("too_many_frames", f"The limit is {self.max_frames:,}.")
