"""Durable files: after a kill or a power cut they hold their old content or the new one, whole."""

import hashlib
import os
import shutil
from pathlib import Path

from citewire.index.system.crash_points import pass_crash_point

# Bytes that must be free: SQLite needs an eighth of them to open a file for writing.
LEAST_ROOM = 256 * 1024
# Permissions of new files before the umask: everybody's, and their owner's only.
SHARED, PRIVATE = 0o666, 0o600


def write_atomically(
    file: Path, content: bytes, *, crash_point: str = "", mode: int = SHARED
) -> None:
    """Replace the file's content in one step; it is durable from the return on.

    `mode` is the new file's permissions; `crash_point` is the prefix of the names of its crash
    points, if it has any.

    Raises:
        OSError: the file cannot be written; its content is the old one.
    """
    aside = file.with_name(f"{file.name}.tmp")
    # Of an attempt that was killed. It may have other permissions.
    aside.unlink(missing_ok=True)
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    if crash_point:
        pass_crash_point(f"{crash_point}: written aside")
    aside.replace(file)
    sync(file.parent)
    if crash_point:
        pass_crash_point(f"{crash_point}: in its place")


class InPlaceFile:
    """A file of constant length, within one disk sector, that is overwritten in place."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._descriptor: int | None = None

    def write(self, content: bytes) -> None:
        """Overwrite the file with the content; it is durable from the return on."""
        if self._descriptor is None:
            self._descriptor = os.open(self._file, os.O_WRONLY)
        os.pwrite(self._descriptor, content, 0)
        os.fsync(self._descriptor)

    def close(self) -> None:
        """Close the file."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def sync(path: Path) -> None:
    """Call fsync: make a file's content, or the names in a folder, survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_tree(folder: Path) -> None:
    """Call fsync for a folder and for all files and folders in it."""
    for path in [folder, *folder.rglob("*")]:
        sync(path)


def has_room(folder: Path) -> bool:
    """Say whether the disk has the least room that a change takes."""
    return shutil.disk_usage(folder).free >= LEAST_ROOM


def can_write(path: Path) -> bool:
    """Say whether this process, as its effective user, can write the file or folder."""
    return os.access(path, os.W_OK, effective_ids=os.access in os.supports_effective_ids)


def sha256(file: Path) -> str:
    """Return the file's SHA-256 in hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
