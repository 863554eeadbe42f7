"""Clean the file names that people chose, store them in the metadata of S3 objects, and fold them for searches.

An S3 key contains only a safe form of the name (see catalog_api/uploads.py). The metadata contains the name itself.
"""

import base64
import binascii
import re
import unicodedata
from email.errors import HeaderParseError
from email.header import decode_header, make_header

METADATA = "filename"
"""The user-defined metadata `x-amz-meta-filename` of an upload."""

MAX_CHARS = 255
# User-defined metadata is limited to 2 KB: https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html
_MAX_METADATA_CHARS = 2048
_MAX_EXTENSION_CHARS = 16
# The joiners and the tags of emoji. All other format characters are invisible or change the direction of writing.
_JOINERS = {"\u200c", "\u200d", *map(chr, range(0xE0020, 0xE0080))}
# Signatures treat repeated spaces as one space, so names with repeated spaces do not match and are encoded.
_PLAIN = re.compile(r"[!-~]+(?: [!-~]+)*")
# "An 'encoded-word' may not be more than 75 characters long": RFC 2047, section 2. 45 bytes become 60 characters.
_WORD_BYTES = 45


def clean(text: str) -> str | None:
    """Return the last part of a path as one line of at most 255 characters, or None if nothing is left.

    Control characters and characters that change the direction of writing are removed. A long name keeps its extension.
    """
    name = unicodedata.normalize("NFC", text).replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    name = "".join(_visible(character) for character in name).strip()
    if not name.strip(". "):
        return None
    if len(name) > MAX_CHARS:
        stem, dot, extension = name.rpartition(".")
        ending = f"{dot}{extension}" if dot and len(extension) <= _MAX_EXTENSION_CHARS else ""
        name = (stem if ending else name)[: MAX_CHARS - len(ending)] + ending
    return name


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category in {"Zl", "Zp", "Zs"}:
        return " "
    return "" if category in {"Cc", "Cs"} or (category == "Cf" and character not in _JOINERS) else character


def to_metadata(name: str) -> str:
    """Return a cleaned name as a value for S3's metadata.

    An ASCII name stays unchanged. Other names become encoded words (RFC 2047): 255 characters take at most 1.8 KB.
    """
    if _PLAIN.fullmatch(name) and "=?" not in name:
        return name
    words = [b""]
    for character in name:
        encoded = character.encode()
        if len(words[-1]) + len(encoded) > _WORD_BYTES:
            words.append(b"")
        words[-1] += encoded
    return " ".join(f"=?UTF-8?B?{base64.b64encode(word).decode()}?=" for word in words)


def from_metadata(value: str | None) -> str | None:
    """Return the cleaned name from a value of S3's metadata, or None if it contains no name.

    Everybody who can write to the bucket can set the value, so any text is accepted and cleaned.
    """
    if not value or len(value) > _MAX_METADATA_CHARS:
        return None
    try:
        text = str(make_header(decode_header(value)))
    except (HeaderParseError, LookupError, ValueError, binascii.Error):
        text = value
    return clean(text)


def folded(text: str) -> str:
    """Return a text without differences of case, accents and character widths, for searches."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(part for part in decomposed if unicodedata.category(part) != "Mn"))


def of_key(key: str) -> str:
    """Return the name to show for a key: its last part, without the random prefix that the API adds to uploads."""
    name = key.rstrip("/").rsplit("/", 1)[-1] or key
    random, dash, rest = name.partition("-")
    return rest if key.startswith("web/") and dash and len(random) == 32 and rest else name
