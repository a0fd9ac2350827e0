"""All vectors of a catalogue's file, read by a process that does not own it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from citewire.index.catalogue.schema import VECTOR_COLUMNS, stacked
from citewire.index.catalogue.state import CatalogueState, read_state
from citewire.index.embedding import Vectors

FLOAT_BYTES = 4


class StoredVectors:
    """The vectors of one state of a catalogue; `dimension` is 0 where there are none."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        """Read through a connection that is in a transaction."""
        (count,) = connection.execute("SELECT count(*) FROM vectors").fetchone()
        first = connection.execute("SELECT length(vector) FROM vectors LIMIT 1").fetchone()
        self._connection = connection
        self.state: CatalogueState = read_state(connection)
        self.count: int = count
        self.dimension: int = 0 if first is None else first[0] // FLOAT_BYTES

    def blocks(self, size: int) -> Iterator[tuple[list[int], Vectors]]:
        """Yield the ids of all passages, ascending, with their vectors, up to `size` at a time.

        Raises:
            ArchiveDamaged: a vector is not as stored.
        """
        rows = self._connection.execute(f"SELECT {VECTOR_COLUMNS} FROM vectors ORDER BY passage")
        while block := list(islice(rows, size)):
            yield stacked(block)


@contextmanager
def open_vectors(path: Path) -> Iterator[StoredVectors]:
    """Open a catalogue's file that its owner has open, and so has found sound.

    Raises:
        sqlite3.Error: it cannot be read.
    """
    with closing(sqlite3.connect(f"file:{quote(str(path))}?mode=ro", uri=True)) as connection:
        connection.isolation_level = None
        connection.execute("BEGIN")
        yield StoredVectors(connection)
