"""The data directory: the paths of its files, and the lock of the process that owns it.

Embedded Chroma loses vectors when two processes open one directory, so one process owns it, by an
advisory lock on `lock`, which the operating system releases even after a kill. The owner describes
itself in `owner.json`.
"""

import errno
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

from citewire.index.errors import ArchiveLocked, NoArchive, NotUsable, StorageFull
from citewire.index.system.files import can_write

MEBIBYTE = 1 << 20
# Free bytes below which nothing is indexed: removing articles, and a commit's log, need some too.
RESERVED_BYTES = 64 * MEBIBYTE


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that owns a data directory; `url` is its address, None when it does not serve."""

    pid: int
    command: str
    url: str | None


class DataDirectory:
    """Paths in a data directory, and its lock as a context manager.

    Raises:
        ArchiveLocked: on entering, when another process owns the directory.
        NotUsable: on entering, when the directory cannot be written.
    """

    def __init__(self, path: Path, *, command: str, url: str | None = None) -> None:
        self.path = path
        self.catalogue = path / "catalogue.sqlite3"
        self.vectors = path / "vectors"
        self._owner = Owner(os.getpid(), command, url)
        self._lock = FileLock(path / "lock", thread_local=False)

    def __enter__(self) -> "DataDirectory":
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self._lock.acquire(timeout=0)
            self._write_owner()
        except Timeout as error:
            raise ArchiveLocked(self._locked_message()) from error
        except OSError as error:
            self._lock.release()
            raise NotUsable(f"{self.path}: cannot be used as a data directory: {error}") from error
        return self

    def _write_owner(self) -> None:
        fields = {"pid": self._owner.pid, "command": self._owner.command, "url": self._owner.url}
        try:
            (self.path / "owner.json").write_text(json.dumps(fields))
        except OSError as error:
            # Without it others get a shorter message; a full disk is no reason to answer nothing.
            if error.errno != errno.ENOSPC:
                raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        (self.path / "owner.json").unlink(missing_ok=True)
        self._lock.release()

    def require_archive(self) -> None:
        """Raise NoArchive when nothing was ever indexed here."""
        if not self.catalogue.exists():
            raise NoArchive(
                f"{self.path}: nothing is indexed here; run `citewire index PATH` first"
            )

    @property
    def is_read_only(self) -> bool:
        """Whether it exists and cannot be written, so that no process can own it."""
        return self.path.is_dir() and not can_write(self.path)

    def require_room(self) -> None:
        """Raise StorageFull when the disk is nearly full, before indexing begins."""
        folder = next(path for path in (self.path, *self.path.absolute().parents) if path.exists())
        free = measure_free_bytes(folder)
        if free < RESERVED_BYTES:
            raise StorageFull(
                f"{self.path}: {free // MEBIBYTE} MiB are free on its disk, and"
                f" {RESERVED_BYTES // MEBIBYTE} must stay free: make room, or name another data"
                " directory"
            )

    def _locked_message(self) -> str:
        owner = read_owner(self.path)
        if owner is None:
            return f"{self.path}: another process is using it; wait for it to end"
        advice = f"ask it at {owner.url}, or stop it first" if owner.url else "wait for it to end"
        return f"{self.path}: in use by `citewire {owner.command}` (process {owner.pid}); {advice}"


def measure_free_bytes(folder: Path) -> int:
    """Return the number of free bytes on the folder's disk."""
    return shutil.disk_usage(folder).free


def read_owner(path: Path) -> Owner | None:
    """Return the owner that the directory names, None when it names none."""
    try:
        fields = json.loads((path / "owner.json").read_text("utf-8"))
        return Owner(int(fields["pid"]), str(fields["command"]), fields["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
