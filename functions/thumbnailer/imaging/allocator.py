"""Lets glibc keep the memory of one photo for the next: to get it from the kernel anew, page by page, is up to half of the work.

By default glibc gives what a picture occupied back to the kernel at once, which clears every page before it hands it out again. Its
settings are described in mallopt(3). Elsewhere than on glibc nothing is changed.
"""

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_MB = 1024 * 1024
# Pillow keeps pixels in blocks of 16 MB. 32 MB is the most that glibc takes.
_MOST_FROM_HEAP = 32 * _MB
# What may stay when nothing is worked on: a 12 megapixel WebP picture and its copies
_KEPT = 256 * _MB
_LARGE_PIXELS = 40_000_000

_libc: Any = ctypes.CDLL(None)


def keep_freed_memory() -> None:
    """Take pictures from the heap, keep up to 256 MB of it, and let all threads share one: a thread's own would shrink to nothing."""
    if hasattr(_libc, "mallopt"):
        for option, value in ((_MMAP_THRESHOLD, _MOST_FROM_HEAP), (_TRIM_THRESHOLD, _KEPT), (_ARENA_MAX, 1)):
            _libc.mallopt(option, value)


@contextmanager
def room_for(pixels: int) -> Iterator[None]:
    """While a photo of so many pixels is decoded: a large one finds nothing kept for others, and leaves nothing to them."""
    if pixels > _LARGE_PIXELS:
        give_back()
    try:
        yield
    finally:
        if pixels > _LARGE_PIXELS:
            give_back()


def give_back() -> None:
    """All that is free, also what lies between things in use."""
    if hasattr(_libc, "malloc_trim"):
        _libc.malloc_trim(ctypes.c_size_t(0))
