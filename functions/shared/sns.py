"""Helpers for messages through Amazon SNS."""

from shared.text import printable

# "ASCII text ... less than 100 characters long": https://docs.aws.amazon.com/sns/latest/api/API_Publish.html
_MAX_SUBJECT = 99


def subject(text: str) -> str:
    """Return `text` as a subject that SNS accepts: printable ASCII of at most 99 characters."""
    return printable(text).encode("ascii", "replace").decode()[:_MAX_SUBJECT]
