"""Read passages' vectors: some, those after an id, or all of them in another process."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import islice
from pathlib import Path
from urllib.parse import quote

import numpy as np

from citewire.index.catalogue.checksums import checksum_vector
from citewire.index.catalogue.conditions import batch_ids, list_marks
from citewire.index.catalogue.state import CatalogueState, read_state
from citewire.index.embedding import Vectors
from citewire.index.errors import ArchiveDamaged

VECTOR_COLUMNS = "passage, vector, checksum"
FLOAT_BYTES = 4


def read_vectors(connection: sqlite3.Connection, ids: Sequence[int]) -> tuple[list[int], Vectors]:
    """Return the ids among `ids` of passages that exist, and their vectors in the same order."""
    rows = []
    for batch in batch_ids(ids):
        rows += connection.execute(
            f"SELECT {VECTOR_COLUMNS} FROM vectors WHERE passage IN ({list_marks(batch)})",
            batch,
        ).fetchall()
    return stack_vectors(rows)


def read_vectors_after(
    connection: sqlite3.Connection, passage_id: int
) -> tuple[list[int], Vectors]:
    """Return all ids greater than `passage_id`, ascending, with their vectors."""
    rows = connection.execute(
        f"SELECT {VECTOR_COLUMNS} FROM vectors WHERE passage > ? ORDER BY passage", (passage_id,)
    ).fetchall()
    return stack_vectors(rows)


def stack_vectors(rows: Sequence[tuple[int, bytes, int]]) -> tuple[list[int], Vectors]:
    """Return the ids and the vectors, shape (rows, dimension), of rows of VECTOR_COLUMNS.

    Raises:
        ArchiveDamaged: a vector does not match its checksum.
    """
    ids = [row[0] for row in rows]
    if not rows:
        return [], np.zeros((0, 0), np.float32)
    for passage, vector, own in rows:
        if checksum_vector(passage, vector) != own:
            raise ArchiveDamaged(f"passage {passage}: its vector does not match its checksum")
    joined = b"".join(row[1] for row in rows)
    return ids, np.frombuffer(joined, np.float32).reshape(len(rows), -1)


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

    def read_blocks(self, size: int) -> Iterator[tuple[list[int], Vectors]]:
        """Yield the ids of all passages, ascending, with their vectors, up to `size` at a time.

        Raises:
            ArchiveDamaged: a vector is not as stored.
        """
        rows = self._connection.execute(f"SELECT {VECTOR_COLUMNS} FROM vectors ORDER BY passage")
        while block := list(islice(rows, size)):
            yield stack_vectors(block)


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
