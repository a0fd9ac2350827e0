"""Passages as rows: ids and vectors side by side, scanned exactly.

A generation keeps them in memory-mapped files: a process that asks one question reads the vectors
it compares and no others, and several processes share one copy.
"""

import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.stored_vectors import StoredVectors
from citewire.index.embedding import Vector, Vectors

# The files of a generation's rows, in its folder.
FOLDER, IDS_FILE, VECTORS_FILE = "rows", "ids.npy", "vectors.npy"
# Vectors compared at once: they stay in the processor's cache, and are too few for BLAS to use its
# threads, which wait for each other on a busy machine.
BLOCK = 512
# Rows from the first to the last of a block of chosen ones up to which it is faster to compare
# also those between than to copy the chosen ones side by side.
CLOSE_ROWS = 3 * BLOCK // 2


@dataclass(frozen=True, slots=True)
class Rows:
    """Passages whose ids ascend: row `i` of both columns is the same passage.

    `vectors` has shape (passages, dimension), or no row at all where they are stored elsewhere.
    """

    ids: NDArray[np.int64]
    vectors: Vectors

    @classmethod
    def empty(cls) -> "Rows":
        """Return rows of no passage."""
        return cls(np.zeros(0, np.int64), np.zeros((0, 0), np.float32))

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def have_vectors(self) -> bool:
        """Whether the vectors are among them."""
        return len(self.vectors) == len(self)

    def find_positions(self, ids: Sequence[int]) -> NDArray[np.intp]:
        """Return the rows of passages that are all among these."""
        return np.searchsorted(self.ids, np.asarray(ids, np.int64))

    def scores(self, vector: Vector, chosen: NDArray[np.intp] | None = None) -> Vector:
        """Return the dot products of the vector with the chosen rows, which ascend, or with all."""
        if chosen is None:
            chosen = np.arange(len(self))
        scores = np.empty(len(chosen), np.float32)
        for first in range(0, len(scores), BLOCK):
            picked = chosen[first : first + BLOCK]
            low, high = int(picked[0]), int(picked[-1]) + 1
            if high - low <= CLOSE_ROWS:
                found = (self.vectors[low:high] @ vector)[picked - low]
            else:
                found = self.vectors[picked] @ vector
            scores[first : first + BLOCK] = found
        return scores

    def release(self) -> None:
        """Give the memory pages of mapped vectors back; they are read again when needed."""
        holder: Any = self.vectors
        while isinstance(holder, np.ndarray):
            holder = holder.base
        if isinstance(holder, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
            holder.madvise(mmap.MADV_DONTNEED)

    def followed_by(self, later: "Rows") -> "Rows":
        """Return these rows and the later ones behind them."""
        if not len(self) or not len(later):
            return later if len(later) else self
        return Rows(
            np.concatenate([self.ids, later.ids]), np.concatenate([self.vectors, later.vectors])
        )


def read_rows_after(catalogue: Catalogue, passage_id: int) -> Rows:
    """Read the rows of all passages with greater ids into memory.

    Raises:
        ArchiveDamaged: a vector is not as stored.
    """
    ids, vectors = catalogue.vectors_after(passage_id)
    return Rows(np.array(ids, np.int64), vectors)


def write_rows(folder: Path, stored: StoredVectors) -> None:
    """Write the rows of all passages, one or more, into files, block by block."""
    folder.mkdir()
    create = np.lib.format.open_memmap
    shape = (stored.count, stored.dimension)
    ids = create(folder / IDS_FILE, "w+", dtype=np.int64, shape=shape[:1])
    vectors = create(folder / VECTORS_FILE, "w+", dtype=np.float32, shape=shape)
    first = 0
    for found, their_vectors in stored.read_blocks(BLOCK):
        block = slice(first, first + len(found))
        ids[block], vectors[block] = found, their_vectors
        first = block.stop
    ids.flush()
    vectors.flush()


def map_rows(folder: Path) -> Rows:
    """Map the files of written rows; raise OSError or ValueError when they are not whole."""
    return Rows(map_array(folder / IDS_FILE), map_array(folder / VECTORS_FILE))


def map_ids(folder: Path) -> Rows:
    """Map the file of rows whose vectors are stored elsewhere; raise as `map_rows` does."""
    return Rows(map_array(folder / IDS_FILE), Rows.empty().vectors)


def map_array(file: Path) -> NDArray[Any]:
    """Map the file of one column."""
    array = np.load(file, mmap_mode="r", allow_pickle=False)
    # As a plain array: numpy's subclass for mapped ones costs microseconds at every slice.
    return np.asarray(array).view(np.ndarray)
