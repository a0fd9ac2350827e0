"""Connections to a catalogue's file, one per thread, and the meaning of SQLite's errors."""

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from citewire.index.catalogue.wal import locate_log
from citewire.index.errors import ArchiveDamaged, NotUsable, StorageFull
from citewire.index.system.files import can_write, has_room

# Milliseconds that SQLite waits for another connection's lock.
BUSY_TIMEOUT_MS = 10_000
# Primary result codes that say nothing about the content of the file.
CIRCUMSTANCES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
}


class Connections:
    """One connection per thread, all opened by `connect` and closed together."""

    def __init__(self, connect: Callable[[], sqlite3.Connection]) -> None:
        self._connect = connect
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def __bool__(self) -> bool:
        return bool(self._opened)

    def get(self) -> sqlite3.Connection:
        """Return this thread's connection; open it on the first call."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            with self._lock:
                self._opened.append(connection)
            self._local.connection = connection
        return connection

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield this thread's connection in a transaction; a nested call joins the outer one."""
        connection = self.get()
        if connection.in_transaction:
            yield connection
            return
        connection.execute("BEGIN")
        try:
            yield connection
        finally:
            connection.execute("COMMIT")

    def close(self) -> None:
        """Close every thread's connection."""
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()


def connect_to_read(path: Path) -> sqlite3.Connection:
    """Open a connection through which SQLite refuses every change."""
    # In a folder that this process cannot write, SQLite cannot create the shared-memory file, so
    # it must take the file for immutable; which is safe while there is no log.
    immutable = not may_change(path) and not has_log(path)
    uri = f"file:{quote(str(path))}?mode=ro{'&immutable=1' if immutable else ''}"
    # One thread uses it, but the thread that closes the catalogue closes it too.
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    return connection


def connect_to_write(path: Path) -> sqlite3.Connection:
    """Open a connection that may change the file; checkpoints are left to the caller."""
    # One thread uses it, but the thread that closes the catalogue closes it too.
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    connection.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    return connection


def has_log(path: Path) -> bool:
    """Say whether the write-ahead log exists and is not empty."""
    log = locate_log(path)
    return log.exists() and log.stat().st_size > 0


def may_change(file: Path) -> bool:
    """Say whether this process can write the file and its folder, and the disk has room."""
    present = [path for path in (file, file.parent) if path.exists()]
    return all(can_write(path) for path in present) and (not file.exists() or has_room(file.parent))


@contextmanager
def translate_sqlite_errors(path: Path) -> Iterator[None]:
    """Turn SQLite's errors into ArchiveDamaged, or into NotUsable if the file may be sound."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # The low byte is the primary result code; Python's own errors have none.
        code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if code == sqlite3.SQLITE_FULL:
            raise StorageFull(f"{path}: {error}") from error
        if code in CIRCUMSTANCES:
            if path.parent.exists() and not has_room(path.parent):
                raise StorageFull(f"{path}: the disk is full: {error}") from error
            raise NotUsable(f"{path}: {error}") from error
        raise ArchiveDamaged(f"{path}: {error}") from error
