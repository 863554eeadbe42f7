"""Format times and texts for messages and items."""

from datetime import UTC, datetime


def utc_text(moment: datetime) -> str:
    """Return a time as ISO 8601 in UTC with milliseconds, as in 2026-11-23T09:30:00.000Z.

    A time without an offset counts as UTC.
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def printable(text: str) -> str:
    """Return `text` on one line.

    "?" replaces line breaks, control characters and characters that change the direction of writing.
    """
    return "".join(character if character.isprintable() else "?" for character in text)
