"""Small files that a kill or a power cut leaves whole: the old content or the new one."""

import os
from pathlib import Path

from rag.crash_points import reached


def write_atomically(file: Path, content: bytes) -> None:
    """Replace the file's content; what was written survives from the return on."""
    aside = file.with_name(f"{file.name}.tmp")
    with aside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    reached(f"{file.suffix}: written aside")
    aside.replace(file)
    sync(file.parent)
    reached(f"{file.suffix}: in its place")


class Note:
    """A file of one length, in one sector of the disk, that is changed in place; closed at last."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None

    def write(self, content: bytes) -> None:
        """Put the content into the file's place; it survives from the return on."""
        if self._descriptor is None:
            self._descriptor = os.open(self._file, os.O_WRONLY)
        os.pwrite(self._descriptor, content, 0)
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def sync(path: Path) -> None:
    """Make a file's content, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
