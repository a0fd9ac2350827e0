"""Memory that was used for a while: give it back to the system."""

import ctypes

# What glibc's mallopt calls them.
TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3
# Larger blocks are few and short-lived, or stay for good: networks' intermediate results, columns,
# files read whole. Those of a search are smaller up to some hundred thousand passages.
LARGE_BYTES = 1 << 20
# So much may lie unused at a heap's end: a question's arrays come and go there.
SPARE_BYTES = 4 << 20


def give_back_freed_memory() -> None:
    """Return what the allocator keeps of freed memory, where it can be asked to."""
    # glibc's alone; elsewhere the allocator decides by itself.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)


def give_back_large_blocks() -> None:
    """From now on return large blocks as soon as they are freed, where the allocator can.

    Left to itself, glibc keeps blocks of up to 32 MiB once one of that size was freed, and
    fills the gaps with small ones: a process that serves stays as large as it ever was.
    """
    choose = getattr(ctypes.CDLL(None), "mallopt", None)
    if choose is not None:
        choose(MMAP_THRESHOLD, LARGE_BYTES)
        choose(TRIM_THRESHOLD, SPARE_BYTES)
