"""Dense search: a generation's rows and Chroma index, and the passages that came after it.

The catalogue holds the vectors; a generation only makes finding near ones fast. Passages added
since are its tail, which is scanned; passages deleted since are dropped by the catalogue's flags.
So a change is searchable when its transaction commits.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.columns import Flags
from citewire.index.embedding import Vector
from citewire.index.errors import ArchiveDamaged
from citewire.index.top_k import top_k
from citewire.index.vectors.backend import Index
from citewire.index.vectors.generations import Shown
from citewire.index.vectors.manifest import Generation
from citewire.index.vectors.rows import Rows, read_rows_after
from citewire.index.vectors.top_k import top_k_scores, top_k_vectors

# Share of a generation's rows from which on Chroma is asked for those that pass a filter. HNSW
# visits a hundred rows for the nearest ones; where fewer pass it must return more than that, and
# overlooks some: a fifth of them where a fifth passes.
LEAST_SHARE = 0.6
# Vectors stored in the catalogue are read slowly: up to this many are, else Chroma is asked for at
# most this many neighbours.
MOST_READ = 15_000
MOST_NEIGHBOURS = 2000
# Vectors read from the catalogue at once.
STORED_PER_READ = 20_000
# Neighbours that are asked for in addition, since some may be deleted.
SPARE = 14
# Factor by which more neighbours are asked for where too few pass the filter.
GROWTH = 4


@dataclass(frozen=True, slots=True)
class DenseQuery:
    """A search for the `limit` passages nearest to a vector among those that are `passing`."""

    vector: Vector
    limit: int
    passing: Flags


@dataclass(frozen=True, slots=True)
class Tail:
    """The passages after a generation, up to the catalogue's `version`."""

    generation: Generation
    version: int
    rows: Rows


class VectorSearch:
    """Searches what is shown of a catalogue's vectors, from any number of threads."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        # A cache, replaced as a whole: threads need no lock.
        self._tail: Tail | None = None

    def search(self, shown: Shown, index: Index | None, query: DenseQuery) -> dict[int, float]:
        """Return the nearest passages' ids with their cosine similarities.

        `index` is the generation's Chroma index where it is open. All reads must see one state of
        the catalogue.

        Raises:
            IndexBroken, IndexClosed, VectorServerAway: as the index does.
        """
        if shown.generation.version > self._catalogue.state().version:
            # The search began before the generation, which lacks what was deleted since.
            return self._scan(read_rows_after(self._catalogue, 0), query)
        later = self._scan(self.read_tail(shown.generation), query)
        near = None if index is None else ask_index(index, shown.rows, query)
        if near is None:
            near = self._scan(shown.rows, query)
        return top_k_scores(near | later, query.limit)

    def read_tail(self, generation: Generation) -> Rows:
        """Return the rows that came after a generation, reading those that are new."""
        tail = self._tail
        version = self._catalogue.state().version
        with self._catalogue.reading():
            if tail is None or tail.generation != generation or tail.version > version:
                rows = read_rows_after(self._catalogue, generation.last_passage)
            elif tail.version == version:
                return tail.rows
            else:
                last = int(tail.rows.ids[-1]) if len(tail.rows) else generation.last_passage
                rows = tail.rows.followed_by(read_rows_after(self._catalogue, last))
        self._tail = Tail(generation, version, rows)
        return rows

    def _scan(self, rows: Rows, query: DenseQuery) -> dict[int, float]:
        """Compare with every row that passes; exact."""
        flags = flag_rows(query.passing, rows.ids)
        chosen = None if flags.all() else np.flatnonzero(flags)
        ids = rows.ids if chosen is None else rows.ids[chosen]
        if not rows.have_vectors:
            return self._scan_stored(ids.tolist(), query)
        scores = rows.scores(query.vector, chosen)
        top = top_k(scores, query.limit)
        return dict(zip(ids[top].tolist(), scores[top].tolist(), strict=True))

    def _scan_stored(self, ids: list[int], query: DenseQuery) -> dict[int, float]:
        """Compare with the catalogue's vectors of those of the passages that exist; exact."""
        near: dict[int, float] = {}
        for first in range(0, len(ids), STORED_PER_READ):
            stored = self._catalogue.vectors(ids[first : first + STORED_PER_READ])
            found = top_k_vectors(*stored, query.vector, query.limit)
            near = top_k_scores(near | found, query.limit)
        return near


def ask_index(index: Index, rows: Rows, query: DenseQuery) -> dict[int, float] | None:
    """Search a Chroma index of the rows; return None where a scan is better.

    Chroma's own `where` filters are slow: it is asked for more neighbours, and those that do not
    pass are dropped.
    """
    count = int(np.count_nonzero(flag_rows(query.passing, rows.ids)))
    if count < (LEAST_SHARE * len(rows) if rows.have_vectors else min(len(rows), MOST_READ)):
        return None
    wanted = (query.limit + SPARE) * len(rows) // max(count, 1)
    most = wanted if rows.have_vectors else MOST_NEIGHBOURS
    while wanted <= most:
        near = index.nearest(query.vector, wanted)
        found = {passage: score for passage, score in near.items() if query.passing[passage]}
        if len(found) >= query.limit or wanted >= len(rows):
            return top_k_scores(found, query.limit)
        wanted *= GROWTH
    return None


def flag_rows(passing: Flags, ids: NDArray[np.int64]) -> Flags:
    """Return which of the ids, which ascend, pass.

    Raises:
        ArchiveDamaged: the catalogue never gave one of the ids.
    """
    if ids.size and not 0 < ids[0] <= ids[-1] < len(passing):
        raise ArchiveDamaged("the vector index names passages that the catalogue never had")
    flags: Flags = passing[ids]
    return flags
