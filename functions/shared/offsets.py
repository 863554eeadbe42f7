"""The uploader's offset from UTC, which determines the local day on which a photo without a capture time was added.

It is stored in the object's user-defined metadata as `x-amz-meta-utc-offset`.
"""

import re
from datetime import UTC, datetime, timedelta

METADATA = "utc-offset"
PATTERN = r"^[+-](0[0-9]|1[0-4]):[0-5][0-9]$"
"""An offset as in ISO 8601. The time zones of the world are from -12:00 to +14:00."""


def from_metadata(value: str | None) -> str | None:
    """Return the offset in a value of S3's metadata, or None if the value is missing or not valid.

    Everybody who can write to the bucket can set the value.
    """
    return value if value and re.match(PATTERN, value, re.ASCII) and not value.endswith("\n") else None


def of_machine() -> str | None:
    """Return the offset of this machine's clock, or None if it is not in whole minutes."""
    return from_metadata(f"{datetime.now(UTC).astimezone():%:z}")


def local(moment: datetime, offset: str) -> datetime:
    """Convert a time in UTC to the local time at an offset such as +09:00."""
    minutes = int(offset[1:3]) * 60 + int(offset[4:6])
    return moment + timedelta(minutes=-minutes if offset.startswith("-") else minutes)
