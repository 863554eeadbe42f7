"""Detect the encoding of a file from its byte order mark, the uploader's hint or all of its bytes."""

import codecs
import itertools
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from converter.rejections import Rejection

# UTF-32 comes before UTF-16, because its little-endian mark begins with the mark of UTF-16.
_MARKS = [
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
]
WESTERN = "cp1252"
# Map chardet's name of each encoding in which programs write tables to the Python codec that reads it
_TWO_BYTES = {
    "gb18030": "gb18030",
    "big5hkscs": "big5hkscs",
    "cp949": "cp949",
    "cp932": "cp932",
    "shift_jis_2004": "shift_jis_2004",
    "euc_jis_2004": "euc_jp",
}
_WINDOWS = {f"cp125{number}": f"cp125{number}" for number in range(9)}
_ISO = {f"iso8859-{number}": f"iso8859-{number}" for number in (2, 5, 6, 7, 8, 13, 15)}
_OTHERS = {name: name for name in ("koi8-r", "koi8-u", "cp874")}
# Few programs still write these.
_RARE = {name: name for name in ("cp437", "cp850", "cp852", "cp866", "mac-roman", "mac-cyrillic")}
_CODECS = _TWO_BYTES | _WINDOWS | _ISO | _OTHERS | _RARE
_RARITY = 0.95
# Latin encodings, for which Windows-1252 may be mistaken
_LATIN = {"cp1250", "cp1254", "cp1257", "cp1258", "iso8859-2", "iso8859-13", "iso8859-15", "mac-roman"}
# A reading is accepted if its fit is at least _LEAST, and better than that of any other text by the factor _BETTER. A
# text that looks Western is read as Western unless another reading fits better by the factor _CLEARLY. These values
# were measured with tables in 36 languages: see docs/decisions.md.
_LEAST, _BETTER, _CLEARLY = 0.02, 1.03, 1.35
_LEAST_LATIN = 0.05
_MANY_WORDS, _FEW_WORDS_BETTER = 0.15, 1.7
# The largest share of words in a Western text that may look strange
_FEW = 0.03
# Bytes that are never part of a two-byte character, and that separate fields in every format
_SEPARATING = (b"\n", b"\r", b"\t", b",", b";", b'"')
_SEPARATORS = re.compile(rb'[\r\n\t",;]+')
_BEYOND_ASCII = re.compile(rb"[\x80-\xff]")
_ESCAPES = {b"\x1b$B": "iso2022_jp_ext", b"\x1b$@": "iso2022_jp_ext", b"\x1b$)C": "iso2022_kr"}
_SAMPLE_BYTES = 1 << 16
_WINDOWS_A_PIECE, _WINDOW_BYTES = 8, 1 << 12

# These encodings differ in one letter. A file that is read with the wrong one has a sign in place of that letter.
_TWINS = {"cp1253", "iso8859-7"}
_WORD = re.compile(r"[^\s,;|\"<>()\[\]{}/]+")
# Signs that no word has between letters (quotes, fractions, currencies, but not the apostrophe, dash or middle dot),
# after a letter (such as an opening quote), or before a letter (such as a closing quote)
_BETWEEN = (
    r"\xa1-\xac\xae-\xb4\xb6\xb8-\xbf\xd7\xf7\u0192\u02c6\u02dc\u201a\u201c-\u201e"
    r"\u2020-\u2022\u2026\u2030\u2039\u203a\u207f\u2122\u2202\u2206\u220f\u2211\u221a\u221e\u222b\u2248\u2260\u2264\u2265\u2320\u2321\u25a0\u25ca"
)
_BEHIND = (
    r"\xa1-\xa6\xac\xaf\xb1\xb6\xb8\xbc-\xbf"
    r"\u02c6\u02dc\u201a\u201c\u201e\u2039\u2206\u221a\u2248\u25ca\u2020\u2021\u20ac"
)
_BEFORE = (
    r"\xa2-\xa6\xa8\xac\xaf\xb1-\xb4\xb6\xb8\xb9\xbc-\xbe\xd7\xf7\u201d\u2030\u203a\u2206\u221a\u2248\u2020\u2021\u20ac"
)
_LETTER = r"[^\W\d_]"
# The last line adds control characters and the characters with which DOS draws boxes.
_STRANGE = re.compile(
    rf"{_LETTER}[{_BETWEEN}]{_LETTER}|{_LETTER}[{_BEHIND}]|[{_BEFORE}](?={_LETTER})"
    r"|[\x7f-\x9f\ufffd\ue000-\uf8ff\u2500-\u259f]"
)


# No Western word has more than three different characters in a row that are not ASCII; "ÆØÅ" has three.
_NO_WESTERN = re.compile(r"[\xa1-\xff]{4}")


@dataclass(frozen=True)
class Encoding:
    """The encoding of a file.

    `skip` is the length of the byte order mark in bytes. `warning` describes the assumption, if one was made.
    """

    name: str
    skip: int = 0
    warning: str = ""


def detect(pieces: Iterator[bytes], declared: str | None = None) -> Encoding:
    """Return the encoding of the content that `pieces` yield.

    The first piece must have at least four bytes if the file does. A byte order mark decides first, then the encoding
    that is `declared`. Otherwise NUL bytes indicate UTF-16, and valid UTF-8 is UTF-8.
    Raises Rejection (not_text, unknown_encoding, uncertain_encoding).
    """
    first = next(pieces, b"")
    for mark, name in _MARKS:
        if first.startswith(mark):
            differs = declared is not None and codec_of(declared) != codec_of(name)
            return Encoding(name, len(mark), f"encoding: its mark says {name}, not {declared}" if differs else "")
    if declared is not None:
        return Encoding(codec_of(declared))
    if wide := _wide(first):
        return Encoding(wide)
    sample = _Sample()
    sample.add(first)
    for piece in pieces:
        sample.add(piece)
    return sample.encoding()


def codec_of(name: str) -> str:
    """Return Python's name of the encoding `name`. Raises Rejection (unknown_encoding)."""
    try:
        codec = codecs.lookup(name.strip())
    except (LookupError, ValueError):
        codec = None
    if codec is None or not codec._is_text_encoding or codec.name in _NO_ENCODINGS:
        raise Rejection("unknown_encoding", f"{name[:50]!r} is not the name of an encoding.")
    return codec.name


# Python codecs that don't decode bytes to text, or that ignore the error handler and raise for invalid bytes
_NO_ENCODINGS = {"idna", "punycode", "unicode-escape", "unicode_escape", "raw-unicode-escape", "undefined", "utf-7"}


def _wide(head: bytes) -> str | None:
    """Return the name of UTF-16 if NULs among the first bytes indicate it. Raises Rejection for binary content."""
    sample = head[:4096]
    nuls = sample.count(0)
    if nuls > len(sample) * 0.3 and len(sample) % 2 == 0:
        even = sample[::2].count(0)
        if even < nuls * 0.05:
            return "utf-16-le"
        if even > nuls * 0.95:
            return "utf-16-be"
    if nuls > max(1, len(sample) // 100):
        raise Rejection("not_text", f"{nuls} of its first {len(sample)} bytes are NUL.")
    return None


class _Sample:
    """A sample of a file: whether it is ASCII or UTF-8, and fields with other bytes than ASCII from the whole file."""

    def __init__(self) -> None:
        self._fields: dict[bytes, None] = {}
        self._bytes = 0
        self._step = 1
        self._count = 0
        self._rest = b""
        self._is_within_field = False
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._is_utf8 = True
        self._escape = ""

    def add(self, piece: bytes) -> None:
        """Add the file's next bytes to the sample."""
        if b"\x1b" in piece and not self._escape:
            self._escape = next((name for escape, name in _ESCAPES.items() if escape in piece), "")
        if self._is_utf8:
            try:
                self._utf8.decode(piece)
            except UnicodeDecodeError:
                self._is_utf8 = False
        piece = self._rest + piece
        ends = max(map(piece.rfind, _SEPARATING)) + 1
        piece, self._rest = piece[:ends], piece[ends:]
        if piece:
            self._add_windows(piece)
            self._is_within_field = False
        if len(self._rest) > _WINDOW_BYTES:
            # Without separators, the start of a character cannot be found.
            self._rest, self._is_within_field = b"", True

    def _add_windows(self, piece: bytes) -> None:
        """Add fields from several places of a piece that ends at the end of a field."""
        position = 0
        if self._is_within_field and (match := _SEPARATORS.search(piece)):
            position = match.end()
        while not piece.isascii() and (match := _BEYOND_ASCII.search(piece, position)):
            start = max(piece.rfind(separator, position, match.start()) + 1 for separator in _SEPARATING)
            end = _SEPARATORS.search(piece, match.start() + _WINDOW_BYTES)
            self._add_fields(piece[max(start, position) : end.start() if end else len(piece)])
            jump = _SEPARATORS.search(piece, match.start() + max(_WINDOW_BYTES, len(piece) // _WINDOWS_A_PIECE))
            if jump is None:
                return
            position = jump.end()

    def _add_fields(self, window: bytes) -> None:
        for field in _SEPARATORS.split(window):
            if field.isascii() or field in self._fields or len(field) > _WINDOW_BYTES:
                continue
            self._count += 1
            if self._count % self._step == 0:
                self._fields[field] = None
                self._bytes += len(field)
        while self._bytes > _SAMPLE_BYTES:
            self._fields = dict.fromkeys(list(self._fields)[::2])
            self._bytes = sum(map(len, self._fields))
            self._step *= 2

    def encoding(self) -> Encoding:
        """Return the encoding of the whole file, after the last `add`. Raises Rejection (uncertain_encoding)."""
        pending = self._utf8.getstate()[0]
        self._add_fields(self._rest)
        if not self._fields:
            # A UTF-8 character that is cut off after its first byte may also be a character of Windows-1252.
            name = ("utf-8" if pending else "ascii") if not self._escape else self._escape
            return Encoding(name, warning=_assumed(name) if self._escape else "")
        valid = sum(map(_is_utf8, self._fields))
        is_cut_off = len(pending) > 1 or (pending and valid > 0)
        if (self._is_utf8 and (not pending or is_cut_off)) or 2 * valid >= len(self._fields):
            return Encoding("utf-8")
        name = _guess(b"\n".join(self._fields))
        return Encoding(name, warning=_assumed(name))


def _is_utf8(field: bytes) -> bool:
    try:
        field.decode()
    except UnicodeDecodeError:
        return False
    return True


def _assumed(name: str) -> str:
    return f"encoding: the file does not say its encoding; it was read as {name}, which its bytes look like"


@dataclass(frozen=True)
class _Reading:
    """The text that results from decoding the bytes with one encoding.

    `strangeness` is the share of words that look wrong. `fit` is chardet's confidence, reduced for strange words.
    """

    name: str
    text: str
    fit: float
    strangeness: float

    def is_better_than(self, other: "_Reading") -> bool:
        """Return whether this reading fits clearly better than `other`.

        The encodings of East Asia share nearly all pairs of bytes, so a few words are weak evidence.
        """
        if _TWO_BYTES.keys() & {self.name, other.name} and self.fit < _MANY_WORDS:
            return self.fit >= _FEW_WORDS_BETTER * other.fit
        return (
            self.fit >= _BETTER * other.fit
            or (self.fit >= other.fit and self.strangeness < other.strangeness)
            or {self.name, other.name} == _TWINS
        )


def _guess(sample: bytes) -> str:
    """Return the encoding of bytes that are not UTF-8. Raises Rejection (uncertain_encoding)."""
    readings = _readings(sample)
    western = sample.decode(WESTERN, "replace")
    looks_western = _strangeness(western) <= _FEW and not any(len(set(row)) > 2 for row in _NO_WESTERN.findall(western))
    best = readings[0] if readings else None
    if best is None or (looks_western and best.text == western):
        if looks_western:
            return WESTERN
        raise Rejection("uncertain_encoding")
    if looks_western:
        fit = max((reading.fit for reading in readings if reading.text == western), default=0.0)
        signs = len(_BEYOND_ASCII.findall(sample))
        is_clear = signs >= 3 and best.fit >= max(_CLEARLY * fit, _LEAST_LATIN)
        return best.name if is_clear and (best.name in _LATIN or _is_of_words(best.text)) else WESTERN
    others = [reading for reading in readings if reading.text != best.text][:1]
    if best.fit < _LEAST or not all(map(best.is_better_than, others)):
        names = " or ".join(reading.name for reading in (best, *others))
        raise Rejection("uncertain_encoding", f"It may be {names}.")
    return WESTERN if best.text == western else best.name


def _readings(sample: bytes) -> list[_Reading]:
    """Return the readings that chardet considers possible, the best first."""
    import chardet  # noqa: PLC0415 - most files are UTF-8 and don't need it

    results = chardet.detect_all(
        sample, ignore_threshold=True, include_encodings=_CODECS, compat_names=False, max_bytes=len(sample)
    )
    readings = []
    for result in results:
        if (name := _CODECS.get(result["encoding"] or "")) is None:
            continue
        try:
            text = sample.decode(name)
        except UnicodeDecodeError:
            continue
        strangeness = _strangeness(text)
        fit = result["confidence"] * (_RARITY if name in _RARE else 1) * (1 - strangeness) ** 2
        readings.append(_Reading(name, text, fit, strangeness))
    return sorted(readings, key=lambda reading: -reading.fit)


def _strangeness(text: str) -> float:
    """Return the share of strange words among the words that are not ASCII."""
    words = [word for word in _WORD.findall(text) if not word.isascii()]
    return sum(map(_is_strange, words)) / len(words) if words else 0.0


def _is_strange(word: str) -> bool:
    """Return whether a word contains a sign, or a capital letter that is not ASCII after a small letter."""
    return bool(_STRANGE.search(word)) or any(
        second > "\x7f" and second.isupper() and first.islower() for first, second in itertools.pairwise(word)
    )


def _is_of_words(text: str) -> bool:
    """Return whether most letters that are not ASCII are next to each other, as in all scripts except Latin."""
    letters = [character for character in text if character > "\x7f" and unicodedata.category(character)[0] in "LM"]
    beside = sum(len(match) for match in re.findall(r"[^\W\d_\x00-\x7f]{3,}", text))
    return bool(letters) and beside >= 0.8 * len(letters)
