"""Decompress and decode a file into lines of text, with bounded memory whatever the file holds."""

import codecs
import io
import zlib
from collections.abc import Iterator
from pathlib import Path

from converter.rejections import Rejection
from shared.deadline import Deadline

CHUNK_BYTES = 1 << 20
# What remains of a piece is copied after each member, and members may be as small as 20 bytes.
_GZIP_PIECE_BYTES = 1 << 14

_MAGIC = {
    b"PK\x03\x04": "zip",
    b"BZh": "bzip2",
    b"\x28\xb5\x2f\xfd": "Zstandard",
    b"\xfd7zXZ": "xz",
    b"\x1f\x9d": "compress",
}
# Longest first: the UTF-32 mark begins with the UTF-16 one.
_MARKS = [
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]


def _mark_lone_surrogate(error: UnicodeError) -> tuple[str, int]:
    """Replace an undecodable unit by a lone surrogate, which no valid text has, so that its row can be recognised."""
    return ("\udc80", error.end) if isinstance(error, UnicodeDecodeError) else ("", 0)


codecs.register_error("lone_surrogate", _mark_lone_surrogate)


def is_gzip(path: Path) -> bool:
    """Return whether gzip compressed the content, whatever the name says. Raises Rejection for other compressions."""
    with path.open("rb") as file:
        head = file.read(8)
    for magic, name in _MAGIC.items():
        if head.startswith(magic):
            raise Rejection("unsupported_compression", f"It looks like {name}.")
    return head.startswith(b"\x1f\x8b")


def chunks(path: Path, max_bytes: int, deadline: Deadline) -> Iterator[bytes]:
    """Yield the decompressed content in pieces of about CHUNK_BYTES; only the last piece may be small.

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
    """Yield the bytes of the file, and ask the clock before each piece. Raises Rejection (too_slow)."""
    with path.open("rb") as file:
        while piece := file.read(size):
            if not deadline.remaining_s():
                raise Rejection("too_slow")
            yield piece


def _inflated(path: Path, deadline: Deadline) -> Iterator[bytes]:
    """Yield the content of the members of a gzip file (RFC 1952), which zeros may follow.

    The clock is asked for each piece of the file, because members without content give nothing. Raises Rejection.
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
            # A full answer may leave content within zlib although it has read all data.
            more = bool(data) or len(content) == CHUNK_BYTES
            if member.eof:
                member = None
    if member is not None:
        raise Rejection("corrupt_gzip", "(it ends within its data)")


class Text:
    """The decoded content of a file; `encoding` is known once it was iterated over.

    A byte order mark decides; else UTF-16 shows by its NUL bytes; else the first bytes that are not ASCII tell UTF-8
    from Windows-1252 (of which Latin-1's printable characters are a part). What cannot be decoded becomes a lone
    surrogate.
    """

    def __init__(self, source: Iterator[bytes]) -> None:
        """`source` yields the content; its first piece holds at least four bytes if the file does."""
        self.encoding = ""
        self._source = source

    def __iter__(self) -> Iterator[str]:
        """Yield pieces of text, none of them empty."""
        first = next(self._source, b"")
        encoding, skip = _encoding_by_mark(first)
        self.encoding = "ascii"
        decoder = None if encoding is None else self._decoder(encoding)
        held = b""
        for chunk in _chain(first[skip:], self._source):
            piece, held = held + chunk, b""
            if decoder is None and not piece.isascii():
                encoding = _encoding_of(piece)
                if encoding is None:
                    held = piece
                    continue
                decoder = self._decoder(encoding)
            if text := piece.decode("ascii") if decoder is None else decoder.decode(piece):
                yield text
        if held:
            # One byte more than ASCII at the very end is a letter of Windows-1252; several are the beginning of one in
            # UTF-8.
            decoder = self._decoder("cp1252" if held[:-1].isascii() else "utf-8")
            if text := decoder.decode(held):
                yield text
        if decoder is not None and (text := decoder.decode(b"", final=True)):
            yield text

    def _decoder(self, encoding: str) -> codecs.IncrementalDecoder:
        self.encoding = encoding
        return codecs.getincrementaldecoder(encoding)(
            "lone_surrogate" if _has_wide_units(encoding) else "surrogateescape"
        )


def encoded(text: str, encoding: str) -> bytes:
    """Return as bytes what `Text` decoded, with the bytes that it could not decode, except for UTF-16 and UTF-32."""
    return text.encode(encoding, "surrogatepass" if _has_wide_units(encoding) else "surrogateescape")


def _has_wide_units(encoding: str) -> bool:
    return encoding.startswith(("utf-16", "utf-32"))


def _chain(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _encoding_by_mark(head: bytes) -> tuple[str | None, int]:
    """Return the encoding that the first bytes show, and the length of their mark.

    Raises Rejection for binary content.
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding, len(mark)
    sample = head[:4096]
    nuls = sample.count(0)
    if nuls > len(sample) * 0.3 and len(sample) % 2 == 0:
        even = sample[::2].count(0)
        if even < nuls * 0.05:
            return "utf-16-le", 0
        if even > nuls * 0.95:
            return "utf-16-be", 0
    if nuls > max(1, len(sample) // 100):
        raise Rejection("not_text", f"{nuls} of its first {len(sample)} bytes are NUL.")
    return None, 0


def _encoding_of(chunk: bytes) -> str | None:
    """Return UTF-8 if most of the bytes beyond ASCII are valid UTF-8, else Windows-1252.

    Returns None if only the next chunk can tell.
    """
    decoded = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode(chunk)
    if decoded.isascii():
        return None  # the chunk may end within a character
    invalid = sum(1 for character in decoded if "\udc80" <= character <= "\udcff")
    valid = sum(1 for character in decoded if character > "\x7f") - invalid
    return "utf-8" if valid >= invalid else "cp1252"


def lines(texts: Iterator[str], limit: int) -> Iterator[str]:
    """Yield lines with their ends (LF, CRLF or CR).

    A line longer than `limit` may be cut, to at least `limit` + 1 characters.
    """
    rest = ""
    for text in texts:
        pieces = io.StringIO(rest + text, newline="").readlines()
        rest = "" if pieces[-1].endswith("\n") else pieces.pop()
        yield from pieces
        if len(rest) > limit + 1:
            # The last character stays: a CR may be the first half of a CRLF.
            rest = rest[:limit] + rest[-1]
    if rest:
        yield rest
