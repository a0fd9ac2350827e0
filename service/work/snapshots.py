"""Reads of an archive as work for another thread: each in one state."""

from collections.abc import Callable
from typing import TypeVar

from citewire.index.archive.protocol import Archive, Snapshot

Value = TypeVar("Value")


def from_snapshot(archive: Archive, read: Callable[[Snapshot], Value]) -> Callable[[], Value]:
    """Return a function that takes a snapshot of the archive and reads from it."""

    def work() -> Value:
        with archive.reading() as snapshot:
            return read(snapshot)

    return work
