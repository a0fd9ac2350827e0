"""Small files that a kill or a power cut leaves whole: the old content or the new one."""

import hashlib
import os
import shutil
from pathlib import Path

from citewire.index.system.crash_points import reached

# SQLite needs an eighth of it to open a file for writing.
LEAST_ROOM = 256 * 1024


def write_atomically(file: Path, content: bytes) -> None:
    """Replace the file's content; what was written survives from the return on."""
    aside = file.with_name(f"{file.name}.tmp")
    with aside.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    reached(f"{file.suffix[1:]}: written aside")
    aside.replace(file)
    sync(file.parent)
    reached(f"{file.suffix[1:]}: in its place")


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


def has_room(folder: Path) -> bool:
    """Say whether there is room for the least that writing takes."""
    return shutil.disk_usage(folder).free >= LEAST_ROOM


def can_write(path: Path) -> bool:
    """Say whether this process, as the user that it acts for, can write the file or folder."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def sha256(file: Path) -> str:
    """Return the file's sha256 in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
