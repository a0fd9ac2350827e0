"""Reads of an archive as work for another thread: each in one state."""

from collections.abc import Callable
from typing import TypeVar

from citewire.index.archive.protocol import Archive, Snapshot

Result = TypeVar("Result")


def from_snapshot(archive: Archive, read: Callable[[Snapshot], Result]) -> Callable[[], Result]:
    """Return a function that takes a snapshot of the archive and reads from it."""

    def work() -> Result:
        with archive.reading() as snapshot:
            return read(snapshot)

    return work
