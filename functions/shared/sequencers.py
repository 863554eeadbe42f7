"""S3's sequencers: hexadecimal strings, of which a later event of the same key has a larger one.

AWS describes how to compare them: "right-pad the shorter string with zeros, then compare",
https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

_WIDTH = 32


def padded(sequencer: str | None) -> str:
    """Return a sequencer padded with zeros, so that the order of strings is the order of events.

    Returns only zeros, the smallest value, if there is no sequencer.
    """
    return (sequencer or "").upper().ljust(_WIDTH, "0")


def compare(first: str | None, second: str | None) -> int | None:
    """Return 1 if the event of `first` came later, -1 if it came earlier, and 0 if both sequencers are equal.

    Returns None if a sequencer is missing.
    """
    if not first or not second:
        return None
    return (padded(first) > padded(second)) - (padded(first) < padded(second))
