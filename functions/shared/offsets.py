"""The offset from UTC of the uploader, which says on which day a photo without a capture time was added.

It travels beside the object, in the user-defined metadata `x-amz-meta-utc-offset`.
"""

import re
from datetime import UTC, datetime, timedelta

METADATA = "utc-offset"
PATTERN = r"^[+-](0[0-9]|1[0-4]):[0-5][0-9]$"
"""An offset as in ISO 8601. The time zones of the world are from -12:00 to +14:00."""


def from_metadata(value: str | None) -> str | None:
    """Return the offset in a value of S3's metadata; None if there is none. Every writer of the bucket chooses it."""
    return value if value and re.match(PATTERN, value, re.ASCII) and not value.endswith("\n") else None


def of_machine() -> str | None:
    """Return the offset of this machine's clock; None if it is not in whole minutes."""
    return from_metadata(f"{datetime.now(UTC).astimezone():%:z}")


def local(moment: datetime, offset: str) -> datetime:
    """Return a time in UTC as clocks with an offset such as +09:00 show it."""
    minutes = int(offset[1:3]) * 60 + int(offset[4:6])
    return moment + timedelta(minutes=-minutes if offset.startswith("-") else minutes)
