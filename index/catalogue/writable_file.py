"""A catalogue's file that this process owns: changed in transactions, sealed after checkpoints.

SQLite writes to its log first, and copies the log into the file at checkpoints, which happen only
here: each is followed by a new seal before the next transaction may overwrite the log. So at every
moment each page of the file is as sealed, or its newest version is in the log.
"""

import sqlite3
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from citewire.index.catalogue.checks import require_encoder, require_file, require_unchanged
from citewire.index.catalogue.connections import (
    Connections,
    connect_to_read,
    connect_to_write,
    has_log,
    translate_sqlite_errors,
)
from citewire.index.catalogue.migrations import FIRST_SEALED, is_outdated, migrate, parse_schema
from citewire.index.catalogue.schema import SCHEMA, SCHEMA_VERSION
from citewire.index.catalogue.seal import Witness
from citewire.index.catalogue.state import CatalogueState, read_state
from citewire.index.errors import ArchiveLost, NotUsable, StorageFull
from citewire.index.system.crash_points import pass_crash_point
from citewire.index.text.analysis import WORDS_VERSION

# Rows changed between checkpoints: a changed row adds about one page to the log.
ROWS_PER_CHECKPOINT = 4000


class WritableFile:
    """One catalogue file, which no other process changes; each thread gets its own connection.

    Raises as ReadOnlyFile does, but brings an older version's file up to date; with `create`,
    begins a file where there is none. StorageFull when there is no room for a change.
    """

    read_only = False

    def __init__(self, path: Path, *, encoder: str, create: bool) -> None:
        self.path = path
        self._witness = Witness(path)
        self._connections = Connections(partial(connect_to_write, path))
        self._writing_lock = threading.Lock()
        # Whether the content was found to be as it was left, and so may be sealed.
        self._trusted = False
        self._owes_seal = False
        self._changed_rows = 0
        try:
            with translate_sqlite_errors(path):
                self._open(encoder, create=create)
        except NotUsable:
            self.close()
            raise

    def close(self) -> None:
        """Copy the log into the file, seal it, and close every thread's connection."""
        with self._writing_lock:
            self._witness.close()
            if not self._connections:
                return
            sealed = self._trusted and self._seal()
            pass_crash_point("close: sealed")
            # When the last connection closes, SQLite copies the log into the file, which would
            # leave it unsealed; not while a connection that may only read is open.
            keeper = self._connect_keeper() if not sealed and has_log(self.path) else None
            self._connections.close()
            if keeper is not None:
                keeper.close()
            pass_crash_point("close: closed")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection on which all reads see one state."""
        with translate_sqlite_errors(self.path), self._connections.reading() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection in a transaction; on leaving, its changes survive a kill."""
        with translate_sqlite_errors(self.path), self._writing_lock:
            if self._owes_seal and not self._seal():
                raise StorageFull(f"{self.path}: no room for the seal of what was stored before")
            connection = self._connections.get()
            before = connection.total_changes
            connection.execute("BEGIN IMMEDIATE")
            pass_crash_point("put: begun")
            try:
                yield connection
                connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'version'")
                state = read_state(connection)
                pass_crash_point("put: before the commit")
                connection.execute("COMMIT")
            except BaseException:
                # Some errors, such as a full disk, may have ended the transaction already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            pass_crash_point("put: committed")
            self._acknowledge(state)
            pass_crash_point("put: acknowledged")
            self._changed_rows += connection.total_changes - before
            if self._changed_rows > ROWS_PER_CHECKPOINT and self._seal():
                self._changed_rows = 0

    # -- opening

    def _open(self, encoder: str, *, create: bool) -> None:
        if create and not self._is_begun():
            self._require_no_traces()
            self._create(encoder)
        else:
            require_file(self.path, self._witness)
        meta, is_sealed = require_unchanged(self.path, self._witness, self.reading())
        self._bring_up_to_date(meta)
        if not is_sealed:
            self._seal()
        require_encoder(self.path, meta, encoder)

    def _is_begun(self) -> bool:
        """Say whether the file is a database that has the first table."""
        if not self.path.exists() or not self.path.stat().st_size:
            return False
        connection = self._connections.get()
        found = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'")
        return found.fetchone() is not None

    def _require_no_traces(self) -> None:
        """Raise ArchiveLost where other files of a catalogue are left."""
        left = self._witness.find_traces()
        if left:
            what = "is empty" if self.path.exists() else "is gone"
            raise ArchiveLost(f"{self.path}: {what}, but {', '.join(left)} are left of it")

    def _create(self, encoder: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        begun = CatalogueState(uuid.uuid4().hex, 0)
        self._witness.begin(begun)
        pass_crash_point("create: witnesses begun")
        connection = self._connections.get()
        pass_crash_point("create: file made")
        meta = {
            "schema": str(SCHEMA_VERSION),
            "archive_id": begun.archive_id,
            "version": "0",
            "encoder": encoder,
            "words": str(WORDS_VERSION),
        }
        # One transaction: a kill leaves no half-made catalogue.
        connection.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA.split(";\n"):
            connection.execute(statement)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        pass_crash_point("create: tables made")
        connection.execute("COMMIT")
        pass_crash_point("create: committed")

    def _bring_up_to_date(self, meta: dict[str, str]) -> None:
        if parse_schema(meta) < FIRST_SEALED:
            self._witness.begin(CatalogueState.from_meta(meta))
            pass_crash_point("migrate: witnesses begun")
        self._trusted = True
        if is_outdated(meta):
            with self.writing() as connection:
                migrate(connection)

    # -- inside

    def _acknowledge(self, state: CatalogueState) -> None:
        try:
            self._witness.acknowledge(state)
        except OSError as error:
            raise NotUsable(
                f"{self.path}: was changed, but its new version cannot be recorded: {error}"
            ) from error

    def _seal(self) -> bool:
        """Checkpoint the whole log into the file and seal that; say whether it was possible.

        If it was not, since the disk is full or another connection reads an older state, the log
        keeps the pages that the file lacks.
        """
        try:
            connection = self._connections.get()
            busy, frames, done = connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if busy or frames != done:
                return False
            self._owes_seal = True
            pass_crash_point("checkpoint: done")
            (page_bytes,) = connection.execute("PRAGMA page_size").fetchone()
            self._witness.seal(read_state(connection), int(page_bytes))
            self._owes_seal = False
        except (sqlite3.Error, OSError):
            return False
        return True

    def _connect_keeper(self) -> sqlite3.Connection | None:
        """Open the file on a connection that only reads; return None if that fails."""
        try:
            connection = connect_to_read(self.path)
            connection.execute("PRAGMA schema_version")
        except sqlite3.Error:
            return None
        return connection
