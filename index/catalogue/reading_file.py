"""A catalogue's file, opened for reading alone and only as it was left.

So is a file that another process may be changing, and one that nobody can change: on a disk that
is full or read-only, or in a folder that is.
"""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.parse import quote

from citewire.index.catalogue.migrations import FIRST_SEALED, is_outdated, require_known, schema_of
from citewire.index.catalogue.seal import CatalogueState, Witness
from citewire.index.errors import (
    ArchiveDamaged,
    ArchiveLost,
    NoArchive,
    NotUsable,
    ReadOnlyArchive,
    StorageFull,
    WrongEncoder,
)
from citewire.index.system.files import can_write, has_room

# Errors that say nothing about what the file holds.
CIRCUMSTANCES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
}
NOTES = {"archive_id", "version", "encoder"}


class ReadingFile:
    """One catalogue file; each thread gets a connection of its own.

    Raises:
        NoArchive: the file does not exist.
        ArchiveLost: it does not exist, and other parts of an archive do.
        ArchiveDamaged: it is no catalogue, or not as it was left.
        ArchiveTooNew: a newer version made it.
        ReadOnlyArchive: an older version made it; and on every attempt to change it.
        NotUsable: it cannot be read now.
        WrongEncoder: the stored vectors are another model's.
    """

    read_only = True

    def __init__(self, path: Path, *, encoder: str) -> None:
        self.path = path
        self._witness = Witness(path)
        self._is_sealed = False
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._connections_lock = threading.Lock()
        try:
            with translating_damage(path):
                self._require_file()
                self._open(encoder)
        except NotUsable:
            self.close()
            raise

    def close(self) -> None:
        """Close every thread's connection."""
        with self._connections_lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection on which all reads see one and the same state."""
        with translating_damage(self.path):
            connection = self._connection()
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Raise ReadOnlyArchive, or StorageFull."""
        if not has_room(self.path.parent):
            raise StorageFull(f"{self.path}: its disk is full")
        raise ReadOnlyArchive(
            f"{self.path}: was opened for reading alone; what owns it, as `citewire index` does,"
            " may change it"
        )

    def state(self) -> CatalogueState:
        """Return which archive this is and its version."""
        with self.reading() as connection:
            return state_in(connection)

    # -- opening

    def _require_file(self) -> None:
        """Raise NoArchive, or ArchiveLost, where there is no file."""
        if self.path.exists():
            return
        left = self._witness.traces()
        if left:
            raise ArchiveLost(f"{self.path}: is gone, but {', '.join(left)} are left of it")
        raise NoArchive(f"{self.path}: there is no catalogue")

    def _open(self, encoder: str) -> None:
        # Read first: whoever changes the file meanwhile goes on from there.
        noted = self._witness.acknowledged()
        with self.reading() as connection:
            meta = dict(connection.execute("SELECT key, value FROM meta").fetchall())
            require_known(meta, self.path)
            missing = NOTES - meta.keys()
            if missing:
                raise ArchiveDamaged(f"{self.path}: does not say its {', '.join(sorted(missing))}")
            # Whatever it says: a flipped bit makes a schema an older one, and so does a backup.
            if schema_of(meta) >= FIRST_SEALED or self._witness.has_sealed():
                self._is_sealed = self._witness.require_unchanged(state_of(meta), noted)
        self._settle(meta)
        if meta["encoder"] != encoder:
            raise WrongEncoder(
                f"{self.path.parent}: was indexed with the encoder {meta['encoder']}, configured"
                f" is {encoder}; set CITEWIRE_ENCODER back or index into another data directory"
            )

    def _settle(self, meta: dict[str, str]) -> None:
        """Leave the file as it is; raise ReadOnlyArchive when it must be changed to be read."""
        if is_outdated(meta):
            raise ReadOnlyArchive(
                f"{self.path}: an older version of Citewire made it; whoever may write it must open"
                " it first"
            )

    # -- inside

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            with self._connections_lock:
                self._connections.append(connection)
            self._local.connection = connection
        return connection

    def _connect(self) -> sqlite3.Connection:
        return self._connected_to_read()

    def _connected_to_read(self) -> sqlite3.Connection:
        # Not merely by promise: SQLite refuses every change through this connection. Beside a file
        # that nobody may write, it cannot make those that readers and writers share.
        alone = not may_change(self.path) and not self._has_log()
        uri = f"file:{quote(str(self.path))}?mode=ro{'&immutable=1' if alone else ''}"
        # One thread uses it, but the thread that closes the catalogue closes it too.
        connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA busy_timeout = 10000")
        return connection

    def _has_log(self) -> bool:
        log = Path(f"{self.path}-wal")
        return log.exists() and log.stat().st_size > 0


def may_change(file: Path) -> bool:
    """Say whether this process can write the file, and what lies beside it."""
    present = [path for path in (file, file.parent) if path.exists()]
    return all(can_write(path) for path in present) and (not file.exists() or has_room(file.parent))


def state_in(connection: sqlite3.Connection) -> CatalogueState:
    """Return the state that the connection sees."""
    return state_of(dict(connection.execute("SELECT key, value FROM meta").fetchall()))


def state_of(meta: dict[str, str]) -> CatalogueState:
    """Return the state that a catalogue's notes tell; raise ArchiveDamaged when they tell none."""
    try:
        return CatalogueState(meta["archive_id"], int(meta["version"]))
    except (KeyError, ValueError) as error:
        raise ArchiveDamaged("the catalogue does not say its state") from error


@contextmanager
def translating_damage(path: Path) -> Iterator[None]:
    """Turn SQLite's complaints into ArchiveDamaged, or NotUsable when the file may be sound."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # The low byte is the kind; errors of Python's own have none.
        kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if kind == sqlite3.SQLITE_FULL:
            raise StorageFull(f"{path}: {error}") from error
        if kind in CIRCUMSTANCES:
            if path.parent.exists() and not has_room(path.parent):
                raise StorageFull(f"{path}: the disk is full: {error}") from error
            raise NotUsable(f"{path}: {error}") from error
        raise ArchiveDamaged(f"{path}: {error}") from error
