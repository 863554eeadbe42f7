"""Make TIFF files of kinds that Pillow does not write, from arrays."""

import struct
import zlib
from typing import Any

UNSIGNED, SIGNED, FLOAT = 1, 2, 3
WHITE_IS_ZERO, BLACK_IS_ZERO, COLOUR = 0, 1, 2
UNKNOWN, ALPHA = 0, 2
SHORT, LONG, LONG8 = 3, 4, 16
LAYOUTS = {SHORT: "H", LONG: "I", LONG8: "Q"}


def tiff(
    pixels: Any,
    photometric: int,
    *,
    order: str = "<",
    deflated: bool = False,
    planes: bool = False,
    extra: int | None = None,
    orientation: int = 1,
) -> bytes:
    """Return a file with the numbers of an array.

    `planes` stores each channel by itself. `extra` says what the last channel means.
    """
    height, width, channels = pixels.shape if pixels.ndim == 3 else (*pixels.shape, 1)
    strips = [pixels[..., channel] for channel in range(channels)] if planes else [pixels]
    contents = [strip.astype(strip.dtype.newbyteorder(order)).tobytes() for strip in strips]
    contents = [zlib.compress(content, 1) for content in contents] if deflated else contents
    kind = {"u": UNSIGNED, "i": SIGNED, "f": FLOAT}[pixels.dtype.kind]
    starts = [8 + sum(map(len, contents[:index])) for index in range(len(contents))]
    tags = {
        256: [width],
        257: [height],
        258: [8 * pixels.dtype.itemsize] * channels,
        259: [8 if deflated else 1],
        262: [photometric],
        273: starts,
        274: [orientation],
        277: [channels],
        278: [height],
        279: [len(content) for content in contents],
        284: [2 if planes else 1],
        **({} if extra is None else {338: [extra]}),
        339: [kind] * channels,
    }
    page_at = 8 + sum(map(len, contents))
    page, more = struct.pack(order + "H", len(tags)), b""
    more_at = page_at + 2 + 12 * len(tags) + 4
    for tag, values in tags.items():
        packed = struct.pack(f"{order}{len(values)}I", *values)
        page += struct.pack(order + "HHI", tag, 4, len(values))
        page += packed if len(packed) == 4 else struct.pack(order + "I", more_at + len(more))
        more += packed if len(packed) > 4 else b""
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "I", page_at)
    return head + b"".join(contents) + page + bytes(4) + more


def directories(pages: list[dict[int, tuple[int, int]]], order: str, big: bool) -> bytes:
    """Return a file of pages without content, each {tag: (type, value)}. `big` writes offsets of 64 bits."""
    head = {"<": b"II", ">": b"MM"}[order] + (
        struct.pack(order + "HHH", 43, 8, 0) if big else struct.pack(order + "H", 42)
    )
    offset, count, entry = ("Q", "Q", "HHQ") if big else ("I", "H", "HHI")
    field_bytes = 8 if big else 4
    file = head + struct.pack(order + offset, len(head) + field_bytes)
    for remaining, page in zip(range(len(pages), 0, -1), pages, strict=True):
        file += struct.pack(order + count, len(page))
        for tag, (kind, value) in page.items():
            file += struct.pack(order + entry, tag, kind, 1) + struct.pack(order + LAYOUTS[kind], value).ljust(
                field_bytes, b"\0"
            )
        file += struct.pack(order + offset, len(file) + field_bytes if remaining > 1 else 0)
    return file
