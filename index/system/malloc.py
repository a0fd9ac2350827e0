"""glibc's malloc: return freed memory to the system, which it would keep for later."""

import ctypes

# Parameters of mallopt, from glibc's malloc.h.
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
# Bytes from which on a block is mapped on its own (M_MMAP_THRESHOLD). Larger blocks are few and
# short-lived, or stay for good: networks' intermediate results, columns, files read whole. Those
# of a search are smaller up to some hundred thousand passages.
LARGE_BYTES = 1 << 20
# Bytes that may stay free at the top of the heap (M_TRIM_THRESHOLD): a question's arrays come and
# go there.
SPARE_BYTES = 4 << 20


def trim_heap() -> None:
    """Return free memory to the system, where the allocator has `malloc_trim`."""
    # Only glibc has it; elsewhere the allocator decides by itself.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def return_large_blocks_at_once() -> None:
    """Fix malloc's thresholds, so that large blocks return to the system when they are freed.

    By itself glibc raises its mmap threshold to up to 32 MiB once a block of that size was freed,
    and fills the gaps in its heap with small blocks: a process that serves never shrinks.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, LARGE_BYTES)
        mallopt(M_TRIM_THRESHOLD, SPARE_BYTES)
