"""A catalogue beside the process that owns it: every state that it commits, and no change."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from rag.catalogue import Catalogue
from rag.errors import ReadOnlyArchive


class ReadOnlyCatalogue(Catalogue):
    """Reads a catalogue that another process may be writing.

    Raises:
        ReadOnlyArchive: whatever would change it, bringing an older one up to date among it.
    """

    @property
    def read_only(self) -> bool:
        """Whether it can be changed by another process alone."""
        return True

    def _connect(self) -> sqlite3.Connection:
        # Not merely by promise: SQLite refuses every change through this connection.
        connection = sqlite3.connect(
            f"file:{quote(str(self._path))}?mode=ro",
            uri=True,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.execute("PRAGMA busy_timeout = 10000")
        return connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        raise ReadOnlyArchive(
            f"{self._path}: was opened for reading alone; what owns it, as `citewire index` does,"
            " may change it and bring it up to date"
        )
        yield  # pragma: no cover  # what makes this a generator
