"""S3's sequencers: hexadecimal texts that grow with each event of a key.

"right-pad the shorter string with zeros, then compare":
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

_WIDTH = 32


def padded(sequencer: str | None) -> str:
    """Return a sequencer padded so that texts sort like sequencers; all zeros, the smallest, if there is none."""
    return (sequencer or "").upper().ljust(_WIDTH, "0")


def compare(first: str | None, second: str | None) -> int | None:
    """Return 1 if the event of `first` came later, -1 if it came earlier, 0 if they are equal.

    Returns None if one is missing.
    """
    if not first or not second:
        return None
    return (padded(first) > padded(second)) - (padded(first) < padded(second))
