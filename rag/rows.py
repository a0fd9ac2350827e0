"""Passages as rows: ids, dates, sources and vectors side by side, scanned exactly.

A generation keeps them in files that are mapped into memory: a process that asks one question
reads the vectors it compares and no others, and several processes share one copy. Filters are
columns as well, so that what passes is known without asking the catalogue.
"""

import json
import os
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import count, islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.protocols import Vector, Vectors
from rag.tables import stacked
from rag.types import Filters

Selected = tuple[int, str | None, str | None, bytes, int]
FOLDER = "rows"
COLUMNS = ("ids", "days", "sources", "vectors")
NAMES = "sources.json"
# So many vectors stay in the processor's cache, and are too few for BLAS to bring in its threads,
# which wait for each other when the machine is busy.
BLOCK = 512
UNDATED = 0
WITHOUT_SOURCE = -1
# In the order of their ids, from behind one of them on.
SELECT = """
    SELECT passages.id, published, source, vector, vectors.checksum
    FROM passages JOIN articles ON articles.number = passages.article
    JOIN vectors ON vectors.passage = passages.id
    WHERE passages.id > ? ORDER BY passages.id
"""


@dataclass(frozen=True, slots=True)
class Rows:
    """Passages whose ids ascend: row `i` of every column is the same passage.

    `days` are ordinals, UNDATED without a date; `sources` count into `names`; `vectors` has
    shape (passages, dimension), or no row at all where they lie elsewhere.
    """

    ids: NDArray[np.int64]
    days: NDArray[np.int32]
    sources: NDArray[np.int32]
    names: tuple[str, ...]
    vectors: Vectors

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def have_vectors(self) -> bool:
        """Whether the vectors are among them."""
        return len(self.vectors) == len(self)

    def passing(self, filters: Filters) -> NDArray[np.bool_]:
        """Return for each row whether its article passes the filters."""
        passing = np.ones(len(self), np.bool_)
        if filters.published_from is not None:
            passing &= self.days >= filters.published_from.toordinal()
        if filters.published_to is not None:
            passing &= (self.days <= filters.published_to.toordinal()) & (self.days != UNDATED)
        if filters.sources:
            wanted = [number for number, name in enumerate(self.names) if name in filters.sources]
            passing &= np.isin(self.sources, wanted)
        return passing

    def positions(self, ids: Sequence[int]) -> NDArray[np.intp]:
        """Return the rows of passages that are all among these."""
        return np.searchsorted(self.ids, np.asarray(ids, np.int64))

    def scores(self, vector: Vector, chosen: NDArray[np.intp] | None = None) -> Vector:
        """Return the dot products of the vector with the chosen rows, or with all."""
        scores = np.empty(len(self) if chosen is None else len(chosen), np.float32)
        for first in range(0, len(scores), BLOCK):
            block = slice(first, first + BLOCK)
            rows = self.vectors[block] if chosen is None else self.vectors[chosen[block]]
            scores[block] = rows @ vector
        return scores

    def followed_by(self, later: "Rows") -> "Rows":
        """Return these rows and the later ones behind them."""
        if not len(self) or not len(later):
            return later if len(later) else self
        names = tuple(dict.fromkeys(self.names + later.names))
        renumbered = np.array([names.index(name) for name in later.names] + [WITHOUT_SOURCE])
        return Rows(
            np.concatenate([self.ids, later.ids]),
            np.concatenate([self.days, later.days]),
            np.concatenate([self.sources, renumbered[later.sources].astype(np.int32)]),
            names,
            np.concatenate([self.vectors, later.vectors]),
        )


def no_rows() -> Rows:
    """Return rows of no passage."""
    none = np.zeros(0, np.int32)
    return Rows(np.zeros(0, np.int64), none, none, (), np.zeros((0, 0), np.float32))


def rows_after(connection: sqlite3.Connection, passage_id: int) -> Rows:
    """Read the rows of all passages with greater ids into memory."""
    found = connection.execute(SELECT, (passage_id,)).fetchall()
    if not found:
        return no_rows()
    numbers: dict[str, int] = {}
    ids, days, sources = columns_of(found, numbers)
    return Rows(ids, days, sources, tuple(numbers), vectors_of(found))


def columns_of(
    found: list[Selected], numbers: dict[str, int]
) -> tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32]]:
    """Return ids, days and sources of selected rows; sources met first are given numbers."""
    days = [UNDATED if row[1] is None else date.fromisoformat(row[1]).toordinal() for row in found]
    sources = [
        WITHOUT_SOURCE if row[2] is None else numbers.setdefault(row[2], len(numbers))
        for row in found
    ]
    ids = np.array([row[0] for row in found], np.int64)
    return ids, np.array(days, np.int32), np.array(sources, np.int32)


def vectors_of(found: list[Selected]) -> Vectors:
    """Return the vectors of selected rows; raise ArchiveDamaged unless they are as stored."""
    return stacked([(row[0], row[3], row[4]) for row in found])[1]


def write_rows(folder: Path, connection: sqlite3.Connection) -> None:
    """Write the rows of all passages into files, a few at a time.

    The connection is in a transaction and there is a passage, all vectors of one dimension.
    """
    (total,) = connection.execute("SELECT count(*) FROM vectors").fetchone()
    (size,) = connection.execute("SELECT length(vector) FROM vectors LIMIT 1").fetchone()
    folder.mkdir()
    shapes = dict.fromkeys(COLUMNS[:-1], (total,)) | {"vectors": (total, size // 4)}
    kinds = {"ids": np.int64, "days": np.int32, "sources": np.int32, "vectors": np.float32}
    files = {
        name: np.lib.format.open_memmap(
            folder / f"{name}.npy", "w+", dtype=kinds[name], shape=shapes[name]
        )
        for name in COLUMNS
    }
    numbers: dict[str, int] = {}
    selected = connection.execute(SELECT, (0,))
    for first in count(0, BLOCK):
        found = list(islice(selected, BLOCK))
        if not found:
            break
        block = slice(first, first + len(found))
        files["ids"][block], files["days"][block], files["sources"][block] = columns_of(
            found, numbers
        )
        files["vectors"][block] = vectors_of(found)
    for file in files.values():
        file.flush()
    (folder / NAMES).write_text(json.dumps(list(numbers)), "utf-8")


def map_rows(folder: Path) -> Rows:
    """Map the files of written rows; raise OSError or ValueError when they are not whole."""
    ids, days, sources, vectors = (mapped(folder, column) for column in COLUMNS)
    return Rows(ids, days, sources, names_in(folder), vectors)


def map_columns(folder: Path) -> Rows:
    """Map the files of rows whose vectors lie elsewhere; raises as `map_rows` does."""
    ids, days, sources = (mapped(folder, column) for column in COLUMNS[:-1])
    return Rows(ids, days, sources, names_in(folder), no_rows().vectors)


def mapped(folder: Path, column: str) -> NDArray[Any]:
    """Map one column's file."""
    array = np.load(folder / f"{column}.npy", mmap_mode="r", allow_pickle=False)
    # As a plain array: numpy's subclass for mapped ones costs microseconds at every slice.
    return np.asarray(array).view(np.ndarray)


def names_in(folder: Path) -> tuple[str, ...]:
    """Read the sources' names."""
    return tuple(json.loads((folder / NAMES).read_text("utf-8")))


def sync_files(folder: Path) -> None:
    """Make all files under the folder survive a power cut."""
    for path in [folder, *folder.rglob("*")]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
