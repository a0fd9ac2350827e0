"""The catalogue's file, owned: changed in transactions, sealed after checkpoints and when closed.

SQLite writes to the log first, and from there to the file at checkpoints, which happen only here:
each is followed by a new seal before the next transaction may write over the log. So at every
moment the file's pages are as sealed, or in the log.
"""

import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from citewire.index.catalogue.migrations import FIRST_SEALED, is_outdated, schema_of, update
from citewire.index.catalogue.reading_file import (
    ReadingFile,
    state_in,
    state_of,
    translating_damage,
)
from citewire.index.catalogue.schema import SCHEMA, SCHEMA_VERSION
from citewire.index.catalogue.seal import CatalogueState
from citewire.index.errors import ArchiveLost, NotUsable, StorageFull
from citewire.index.system.crash_points import reached
from citewire.index.text.analysis import WORDS_VERSION

# Rows changed between checkpoints: a row changes about one page of the log.
ROWS_PER_CHECKPOINT = 4000


class CatalogueFile(ReadingFile):
    """One catalogue file, of this process alone; each thread gets a connection of its own.

    Raises as ReadingFile does, but brings an older version's file up to date; with `create`,
    begins a file where there is none. StorageFull when there is no room for a change.
    """

    read_only = False

    def __init__(self, path: Path, *, encoder: str, create: bool) -> None:
        self._encoder_if_new = encoder if create else None
        self._writing_lock = threading.Lock()
        self._trusted = False
        self._owes_seal = False
        self._changed_rows = 0
        super().__init__(path, encoder=encoder)

    def close(self) -> None:
        """Bring the log into the file, seal it, and close every thread's connection."""
        with self._writing_lock:
            self._witness.close()
            if not self._connections:
                return
            sealed = self._trusted and self._seal()
            reached("close: sealed")
            # SQLite's last connection would bring the log into an unsealed file, unless it may
            # only read.
            keeper = self._keeper() if not sealed and self._has_log() else None
            super().close()
            if keeper is not None:
                keeper.close()
            reached("close: closed")

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in a transaction; on leaving, what it changed is there to stay."""
        with translating_damage(self.path), self._writing_lock:
            if self._owes_seal and not self._seal():
                raise StorageFull(f"{self.path}: no room for the seal of what was stored before")
            connection = self._connection()
            before = connection.total_changes
            connection.execute("BEGIN IMMEDIATE")
            reached("put: begun")
            try:
                yield connection
                connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'version'")
                state = state_in(connection)
                reached("put: before the commit")
                connection.execute("COMMIT")
            except BaseException:
                # Some errors, as that of a full disk, may have ended the transaction already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            reached("put: committed")
            self._acknowledge(state)
            reached("put: acknowledged")
            self._changed_rows += connection.total_changes - before
            if self._changed_rows > ROWS_PER_CHECKPOINT and self._seal():
                self._changed_rows = 0

    # -- opening

    def _require_file(self) -> None:
        if self._encoder_if_new is None or self._is_begun():
            super()._require_file()
            return
        left = self._witness.traces()
        if left:
            what = "is empty" if self.path.exists() else "is gone"
            raise ArchiveLost(f"{self.path}: {what}, but {', '.join(left)} are left of it")
        self._create(self._encoder_if_new)

    def _is_begun(self) -> bool:
        """Say whether the file is a database that has the first table."""
        if not self.path.exists() or not self.path.stat().st_size:
            return False
        found = self._connection().execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'")
        return found.fetchone() is not None

    def _create(self, encoder: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        begun = CatalogueState(uuid.uuid4().hex, 0)
        self._witness.begin(begun)
        reached("create: witnesses begun")
        connection = self._connection()
        reached("create: file made")
        meta = {
            "schema": str(SCHEMA_VERSION),
            "archive_id": begun.archive_id,
            "version": "0",
            "encoder": encoder,
            "words": str(WORDS_VERSION),
        }
        # One transaction: a kill in between leaves no half-made catalogue.
        connection.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA.split(";\n"):
            connection.execute(statement)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        reached("create: tables made")
        connection.execute("COMMIT")
        reached("create: committed")

    def _settle(self, meta: dict[str, str]) -> None:
        """Bring an older file up to date; seal one that is not sealed."""
        if schema_of(meta) < FIRST_SEALED:
            self._witness.begin(state_of(meta))
            reached("migrate: witnesses begun")
        self._trusted = True
        if is_outdated(meta):
            with self.writing() as connection:
                update(connection)
        if not self._is_sealed:
            self._seal()

    # -- inside

    def _acknowledge(self, state: CatalogueState) -> None:
        try:
            self._witness.acknowledge(state)
        except OSError as error:
            raise NotUsable(
                f"{self.path}: was changed, and that cannot be noted beside it: {error}"
            ) from error

    def _seal(self) -> bool:
        """Bring the log into the file and seal that; say whether all of it came there.

        When it does not, for want of room or because somebody reads an older state, the log
        keeps what the file lacks.
        """
        try:
            connection = self._connection()
            busy, frames, done = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if busy or frames != done:
                return False
            self._owes_seal = True
            reached("checkpoint: done")
            (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
            self._witness.seal(state_in(connection), int(page_bytes))
            self._owes_seal = False
        except (sqlite3.Error, OSError):
            return False
        return True

    def _keeper(self) -> sqlite3.Connection | None:
        """Return a connection that only reads, and has opened the file."""
        try:
            connection = self._connected_to_read()
            connection.execute("PRAGMA schema_version")
        except sqlite3.Error:
            return None
        return connection

    def _connect(self) -> sqlite3.Connection:
        # One thread uses it, but the thread that closes the catalogue closes it too.
        connection = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        # Checkpoints are ours.
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        return connection
