"""The environment variables of the function. `shared.settings.load` parses them in Lambda's INIT phase."""

from dataclasses import dataclass

from shared.settings import SettingsError
from thumbnailer.imaging.images import FORMATS, Output
from thumbnailer.imaging.limits import FORMATS as ACCEPTABLE
from thumbnailer.imaging.limits import Limits

# SQS hides a message for at most 12 hours, and visibility.py extends a delay by up to a half.
_MOST_HIDDEN_S = 8 * 3600


@dataclass(frozen=True)
class Settings:
    """Each field is the environment variable of the same name in upper case."""

    thumbnails_bucket: str
    catalog_table: str
    # The longest edge of each thumbnail in pixels
    thumbnail_sizes: tuple[int, ...] = (1280, 512, 128)
    # jpeg, webp, or auto, which means WebP if the picture has transparency, and otherwise JPEG
    output_format: str = "jpeg"
    jpeg_quality: int = 80
    max_bytes: int = 100 * 1024 * 1024
    max_pixels: int = 250_000_000
    max_frames: int = 1000
    # Uploads of other formats are rejected.
    accepted_formats: tuple[str, ...] = tuple(ACCEPTABLE)
    # The days for which a deletion is recorded. An event can be 28 days late: queue and DLQ keep it for 14 days each.
    tombstone_days: int = 30
    # The number of objects of a batch that are handled at the same time
    workers: int = 2
    # The time for which messages stay hidden after the death of the process that handles them
    lease_s: int = 15
    # The time for which a failed message stays hidden after its first, second, ... receive
    retry_delays_s: tuple[int, ...] = (5, 15, 60, 900)

    def __post_init__(self) -> None:
        """Raise SettingsError for values that would prevent every thumbnail."""
        if not self.thumbnail_sizes or min(self.thumbnail_sizes) < 1 or max(self.thumbnail_sizes) > 8192:
            raise SettingsError(
                "THUMBNAIL_SIZES must be one or more lengths of 1 to 8192 pixels, for example 1280,512,128"
            )
        if self.output_format not in FORMATS:
            raise SettingsError(
                f"OUTPUT_FORMAT={self.output_format!r} is not supported; set it to {' or '.join(FORMATS)}"
            )
        if not self.accepted_formats or not set(self.accepted_formats) <= set(ACCEPTABLE):
            raise SettingsError(f"ACCEPTED_FORMATS must be one or more of {','.join(ACCEPTABLE)}, separated by commas")
        if not 1 <= self.jpeg_quality <= 95:
            raise SettingsError("JPEG_QUALITY must be 1 to 95")
        if min(self.max_bytes, self.max_pixels, self.max_frames, self.tombstone_days, self.workers) < 1:
            raise SettingsError("MAX_BYTES, MAX_PIXELS, MAX_FRAMES, TOMBSTONE_DAYS and WORKERS must be at least 1")
        if not 1 <= self.lease_s <= _MOST_HIDDEN_S:
            raise SettingsError(f"LEASE_S must be 1 to {_MOST_HIDDEN_S:,} seconds")
        if not self.retry_delays_s or not all(0 <= delay_s <= _MOST_HIDDEN_S for delay_s in self.retry_delays_s):
            raise SettingsError(
                f"RETRY_DELAYS_S must be one or more delays of 0 to {_MOST_HIDDEN_S:,} seconds, for example 5,15,60,900"
            )

    @property
    def limits(self) -> Limits:
        """Return the limits on uploads."""
        return Limits(self.max_bytes, self.max_pixels, self.max_frames, formats=self.accepted_formats)

    @property
    def output(self) -> Output:
        """Return the thumbnails to make."""
        return Output(self.thumbnail_sizes, self.output_format, self.jpeg_quality)
