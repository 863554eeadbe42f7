"""Make glibc keep the memory of one photo for the next one.

By default, glibc returns the memory of a picture to the kernel at once. The kernel clears every page before the next
use, which takes up to half of the time for a photo. mallopt(3) describes the settings of glibc. On systems without
glibc, this module has no effect.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_MB = 1024 * 1024
# Pillow keeps pixels in blocks of 16 MB. The maximum that glibc accepts is 32 MB.
_MOST_FROM_HEAP = 32 * _MB
# The memory that may stay allocated between photos. It is enough for a 12 megapixel WebP picture and its copies.
_KEPT = 256 * _MB
_LARGE_PIXELS = 40_000_000

_libc: Any = ctypes.CDLL(None)


def keep_freed_memory() -> None:
    """Allocate pictures on the heap, and keep up to 256 MB of it.

    All threads share one heap, because the heap of a single thread would be freed entirely.
    """
    if hasattr(_libc, "mallopt"):
        for option, value in ((_MMAP_THRESHOLD, _MOST_FROM_HEAP), (_TRIM_THRESHOLD, _KEPT), (_ARENA_MAX, 1)):
            _libc.mallopt(option, value)


@contextmanager
def room_for(pixels: int) -> Iterator[None]:
    """Trim the allocator before and after decoding a large photo."""
    if pixels > _LARGE_PIXELS:
        give_back()
    try:
        yield
    finally:
        if pixels > _LARGE_PIXELS:
            give_back()


def give_back() -> None:
    """Return all free memory to the kernel, including free memory between used blocks."""
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(ctypes.c_size_t(0))
