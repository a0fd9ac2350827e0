"""A catalogue's file that this process only reads, in the state in which others leave it.

Either another process may be changing it, or no process can: on a full or read-only disk, or in a
folder that cannot be written.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

from citewire.index.catalogue.checks import require_encoder, require_file, require_unchanged
from citewire.index.catalogue.connections import (
    Connections,
    connect_to_read,
    translate_sqlite_errors,
)
from citewire.index.catalogue.migrations import is_outdated
from citewire.index.catalogue.seal import Witness
from citewire.index.errors import NotUsable, ReadOnlyArchive, StorageFull
from citewire.index.system.files import has_room


class ReadOnlyFile:
    """One catalogue file; each thread gets its own connection.

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
        self._connections = Connections(partial(connect_to_read, path))
        try:
            with translate_sqlite_errors(path):
                self._open(encoder)
        except NotUsable:
            self.close()
            raise

    def _open(self, encoder: str) -> None:
        witness = Witness(self.path)
        require_file(self.path, witness)
        meta, _ = require_unchanged(self.path, witness, self.reading())
        if is_outdated(meta):
            raise ReadOnlyArchive(
                f"{self.path}: an older version of Citewire made it; open it first in a process"
                " that may write it"
            )
        require_encoder(self.path, meta, encoder)

    def close(self) -> None:
        """Close every thread's connection."""
        self._connections.close()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection on which all reads see one state."""
        with translate_sqlite_errors(self.path), self._connections.reading() as connection:
            yield connection

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Raise ReadOnlyArchive, or StorageFull."""
        if not has_room(self.path.parent):
            raise StorageFull(f"{self.path}: its disk is full")
        raise ReadOnlyArchive(
            f"{self.path}: was opened read-only; only the process that owns the data"
            " directory may change it"
        )
