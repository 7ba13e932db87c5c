"""Tunes malloc of glibc for uploads."""

import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3
KEPT_BYTES = 4 * 1024 * 1024
LARGE_BYTES = 1024 * 1024


def keep_freed_chunks() -> None:
    """Keep up to `KEPT_BYTES` of freed memory for the next chunks, where the library can.

    Else glibc gives each chunk's memory back, and the kernel clears it anew for the next one: an
    eighth of an upload's cost. A chunk larger than `LARGE_BYTES` is given back at once.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_M_TRIM_THRESHOLD, KEPT_BYTES)
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
