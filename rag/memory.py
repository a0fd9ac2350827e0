"""Memory that was used for a while: give it back to the system."""

import ctypes


def give_back_freed_memory() -> None:
    """Return what the allocator keeps of freed memory, where it can be asked to."""
    # glibc's alone; elsewhere the allocator decides by itself.
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
