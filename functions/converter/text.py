"""Decompress and decode a file into lines of text, with limited memory for any content."""

import codecs
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from converter.encodings import Encoding
from converter.rejections import Rejection
from shared.deadline import Deadline

CHUNK_BYTES = 1 << 20
# Pieces are small, because zlib copies the rest of a piece after each gzip member, and a member may have only 20 bytes.
_GZIP_PIECE_BYTES = 1 << 14

_MAGIC = {
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"\xfd7zXZ": "xz",
    b"\x1f\x9d": "compress",
}


def _mark_lone_surrogate(error: UnicodeError) -> tuple[str, int]:
    """Replace an undecodable unit by a lone surrogate. No valid text has one, so it identifies the bad row."""
    return ("\udc80", error.end) if isinstance(error, UnicodeDecodeError) else ("", 0)


codecs.register_error("lone_surrogate", _mark_lone_surrogate)


def is_gzip(path: Path) -> bool:
    """Return whether the content, not the name, is gzip. Raises Rejection for other compressions."""
    with path.open("rb") as file:
        head = file.read(8)
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            raise Rejection("unsupported_compression", f"It looks like {name}.")
    return head.startswith(b"\x1f\x8b")


def chunks(path: Path, max_bytes: int, deadline: Deadline) -> Iterator[bytes]:
    """Yield the decompressed content in pieces of about CHUNK_BYTES. Only the last piece may be small.

    Raises Rejection (too_large, too_slow, corrupt_gzip).
    """
    total, size, pieces = 0, 0, list[bytes]()
    for piece in _inflated(path, deadline) if is_gzip(path) else _read(path, deadline):
        total, size = total + len(piece), size + len(piece)
        if total > max_bytes:
            raise Rejection("too_large", f"It has more than {max_bytes:,} bytes once decompressed.")
        pieces.append(piece)
        if size >= CHUNK_BYTES:
            yield b"".join(pieces)
            size, pieces = 0, []
    if size:
        yield b"".join(pieces)


def _read(path: Path, deadline: Deadline, size: int = CHUNK_BYTES) -> Iterator[bytes]:
    """Yield the bytes of the file, and check the deadline before each piece. Raises Rejection (too_slow)."""
    with path.open("rb") as file:
        while piece := file.read(size):
            if not deadline.remaining_s():
                raise Rejection("too_slow")
            yield piece


def _inflated(path: Path, deadline: Deadline) -> Iterator[bytes]:
    """Yield the content of the members of a gzip file (RFC 1952), which may have zeros after a member.

    The deadline is checked for each piece of the file, because members without content yield nothing. Raises Rejection.
    """
    member = None
    for piece in _read(path, deadline, _GZIP_PIECE_BYTES):
        data, more = piece, True
        while more:
            if member is None:
                data = data.lstrip(b"\0")
                if not data:
                    break
                member = zlib.decompressobj(zlib.MAX_WBITS | 16)
            try:
                content = member.decompress(data, CHUNK_BYTES)
            except zlib.error as error:
                raise Rejection("corrupt_gzip", f"({error})") from error
            yield content
            data = member.unconsumed_tail or member.unused_data
            # If the output is full, zlib may still hold content although it has read all data.
            more = bool(data) or len(content) == CHUNK_BYTES
            if member.eof:
                member = None
    if member is not None:
        raise Rejection("corrupt_gzip", "(it ends within its data)")


def decoded(source: Iterator[bytes], encoding: Encoding) -> Iterator[str]:
    """Yield pieces of decoded text that are not empty. Bytes that cannot be decoded become lone surrogates."""
    errors = "lone_surrogate" if _has_wide_units(encoding.name) else "surrogateescape"
    decoder = codecs.getincrementaldecoder(encoding.name)(errors)
    skip = encoding.skip
    for chunk in source:
        text = decoder.decode(chunk[skip:])
        skip = 0
        if text:
            yield text
    if text := decoder.decode(b"", final=True):
        yield text


def encoded(text: str, encoding: str) -> bytes:
    """Return the bytes from which `decoded` made this text.

    Bytes that could not be decoded are restored too, except in UTF-16 and UTF-32.
    """
    return text.encode(encoding, "surrogatepass" if _has_wide_units(encoding) else "surrogateescape")


def _has_wide_units(encoding: str) -> bool:
    return encoding.startswith(("utf-16", "utf-32"))


def lines(texts: Iterator[str], limit: int) -> Iterator[str]:
    """Yield lines with their line ends, which are LF and CRLF, and also CR if most of the first lines end with it.

    A line longer than `limit` may be cut to `limit` + 1 or more characters.
    """
    rest, newline = "", None
    for text in texts:
        if newline is None:
            newline = _newline(rest + text)
        pieces = io.StringIO(rest + text, newline="\n" if newline is None else newline).readlines()
        rest = "" if pieces[-1].endswith("\n") else pieces.pop()
        yield from pieces
        if len(rest) > limit + 1:
            # The last character is kept, because a CR may be the first half of a CRLF.
            rest = rest[:limit] + rest[-1]
    if rest:
        yield rest


def _newline(text: str) -> str | None:
    """Return the `newline` argument for `io.StringIO`: "" for every kind of line end, "\\n" for LF only.

    Returns None if the text has no line end.
    """
    text = text.removesuffix("\r")
    lone = text.count("\r") - text.count("\r\n")
    if not lone and "\n" not in text:
        return None
    return "" if lone > text.count("\n") else "\n"
