"""The vector index of an archive: its generations' life cycle, and searches in what they show."""

from collections.abc import Sequence
from pathlib import Path

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.embedding import Vector
from citewire.index.types import Filters
from citewire.index.vectors.backend import Backend
from citewire.index.vectors.chroma import IndexBroken, IndexClosed
from citewire.index.vectors.generations import Generations
from citewire.index.vectors.top_k import top_k_vectors
from citewire.index.vectors.vector_search import DenseQuery, VectorSearch


class VectorIndex:
    """Finds the passages nearest to a question's vector.

    Any number of threads may search while another one rebuilds or closes it.
    """

    def __init__(self, directory: Path, catalogue: Catalogue, backend: Backend) -> None:
        self._catalogue = catalogue
        self._generations = Generations(directory, catalogue, backend)
        self._search = VectorSearch(catalogue)

    @property
    def indexed_rows(self) -> int:
        """The number of passages that the generation shows."""
        return self._generations.shown.generation.rows

    @property
    def uses_chroma(self) -> bool:
        """Whether the generation's Chroma index is open, and verified."""
        return self._generations.uses_chroma

    def require_answering(self) -> None:
        """Raise VectorServerAway when the index is on a server that does not answer."""
        self._generations.require_answering()

    def scanned_rows(self) -> int:
        """Return the number of passages that were added since, and are scanned."""
        with self._catalogue.reading():
            tail = self._search.read_tail(self._generations.shown.generation)
            return len(self._catalogue.existing_passages(tail.ids.tolist()))

    def search(self, vector: Vector, limit: int, filters: Filters) -> dict[int, float]:
        """Return the nearest passages' ids with their cosine similarities, at most `limit`.

        Raises:
            VectorServerAway: they are on a server that does not answer.
        """
        if limit == 0:
            return {}
        with self._catalogue.reading():
            query = DenseQuery(vector, limit, self._catalogue.columns().passing(filters))
            while True:
                shown, opened = self._generations.current()
                if opened is None:
                    return self._search.search(shown, None, query)
                try:
                    return self._search.search(shown, opened.index, query)
                except IndexBroken:
                    # From now on its rows are scanned: slower, and right.
                    self._generations.drop_broken(opened)
                except IndexClosed:
                    # Another generation is shown now, or this index was closed.
                    continue

    def compute_similarities(self, vector: Vector, ids: Sequence[int]) -> dict[int, float]:
        """Return the cosine similarity of each passage among `ids` that exists."""
        known, vectors = self._catalogue.vectors(ids)
        return top_k_vectors(known, vectors, vector, len(known))

    def is_stale(self, least_rows: int = 0) -> bool:
        """Say whether it is broken, or more than `least_rows` and a tenth of it has changed."""
        return self._generations.is_stale(least_rows)

    def open_chroma(self) -> bool:
        """Verify the generation's Chroma index and open it; say whether it is open.

        Verifying takes some seconds. An index that fails is stale.

        Raises:
            VectorServerAway: it is on a server that does not answer.
        """
        return self._generations.open_chroma()

    def release_rows(self) -> None:
        """Give back the memory of rows where Chroma has a copy of all vectors, and few are read."""
        self._generations.release_rows()

    def refresh(self) -> None:
        """Show what another process has built since; nothing while this one changes it itself."""
        self._generations.refresh()

    def rebuild(self) -> None:
        """Build a generation that shows the catalogue as it is now, and switch to it.

        A child process builds it; searches go on meanwhile. Nothing is encoded again: the
        catalogue holds the vectors.

        Raises:
            NotUsable: it cannot be written; the catalogue is searched without it.
        """
        self._generations.rebuild()

    def close(self) -> None:
        """End a rebuild and close the Chroma index; searches after it scan."""
        self._generations.close()
