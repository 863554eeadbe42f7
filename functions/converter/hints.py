"""Hints on how to read a file, from the metadata of its object or from the schema of its dataset."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from converter.rejections import Rejection

NAMES = ("encoding", "delimiter", "header")
_WORDS = {"true": True, "false": False}
_DELIMITERS = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}


@dataclass(frozen=True)
class Hints:
    """The hints for one file. Without a hint, the field is None and the converter detects the value from the content.

    `encoding` is the name of a Python codec. `header` says whether the first row names the columns.
    """

    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None


NO_HINTS = Hints()


def hints_of(metadata: Mapping[str, Any], dataset: Mapping[str, Any]) -> Hints:
    """Return the hints in the metadata of an object, completed from the document of its dataset's schema.

    Raises Rejection (unknown_hint).
    """
    hints = {name: metadata.get(name, dataset.get(name)) for name in NAMES}
    encoding, delimiter, header = hints["encoding"], hints["delimiter"], hints["header"]
    if isinstance(header, str):
        header = _WORDS.get(header.strip().lower(), header)
    if isinstance(delimiter, str):
        delimiter = _DELIMITERS.get(delimiter.strip().lower(), delimiter)
    if encoding is not None and not isinstance(encoding, str):
        raise Rejection("unknown_hint", f"The encoding {encoding!r} is not text.")
    if delimiter is not None and (not isinstance(delimiter, str) or len(delimiter) != 1 or delimiter in '"\r\n'):
        raise Rejection("unknown_hint", f"The delimiter {delimiter!r} is not one character.")
    if header not in (None, True, False):
        raise Rejection("unknown_hint", f"The header {header!r} is neither true nor false.")
    return Hints(encoding, delimiter, header)
