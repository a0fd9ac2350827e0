"""The archive on this machine's disk: the catalogue, its lexical search and its vector index."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from citewire.index.archive.protocol import (
    ArchiveSize,
    Candidates,
    IndexCoverage,
)
from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.records import ArticleRecord, EncodedArticle, Known, Source
from citewire.index.catalogue.state import CatalogueState
from citewire.index.data_directory import RESERVED_BYTES, measure_free_bytes
from citewire.index.embedding import Vector
from citewire.index.errors import StorageFull
from citewire.index.lexical.bm25 import LexicalIndex
from citewire.index.types import EVERY_ARTICLE, Article, Filters, Passage
from citewire.index.vectors.maintenance import Maintenance
from citewire.index.vectors.vector_index import VectorIndex

# Threads for dense searches; more searches at once would only wait for one another.
DENSE_SEARCHES_AT_ONCE = 4


class EmbeddedArchive:
    """An opened data directory; threads may share it.

    `free_bytes` returns the room on the disk that holds a folder.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        vectors: VectorIndex,
        free_bytes: Callable[[Path], int] = measure_free_bytes,
    ) -> None:
        self.catalogue = catalogue
        self.vectors = vectors
        self._lexical = LexicalIndex(catalogue)
        self._free_bytes = free_bytes
        # Chroma works outside the interpreter's lock: lexical search runs meanwhile.
        self._threads = ThreadPoolExecutor(DENSE_SEARCHES_AT_ONCE, thread_name_prefix="dense")

    @property
    def read_only(self) -> bool:
        """Whether this process may not change it."""
        return self.catalogue.read_only

    @contextmanager
    def reading(self) -> Iterator["EmbeddedSnapshot"]:
        """Open a context in which all reads of this thread see one state."""
        with self.catalogue.reading():
            yield EmbeddedSnapshot(self.catalogue, self.vectors, self._lexical, self._threads)

    def put(self, encoded: Iterable[EncodedArticle]) -> None:
        """Store articles, replacing those of the same ids, in one transaction."""
        self.catalogue.put(encoded)

    def remove(self, article_ids: Iterable[str]) -> None:
        """Delete the articles, in one transaction."""
        self.catalogue.remove(article_ids)

    def require_answering(self) -> None:
        """Raise VectorServerAway when the vectors are on a server that does not answer."""
        self.vectors.require_answering()

    def require_room(self) -> None:
        """Raise StorageFull when the disk has less free than must stay free."""
        folder = self.catalogue.path.parent
        if self._free_bytes(folder) < RESERVED_BYTES:
            raise StorageFull(f"{folder}: the disk is nearly full")

    def compact(self) -> None:
        """Build a new vector index where enough has changed that it pays."""
        if self.vectors.is_stale():
            self.vectors.rebuild()

    def maintenance(self) -> AbstractContextManager[None]:
        """Keep the vector index fresh, or where only reading, show what the owner builds."""
        if self.read_only:
            return Maintenance.for_replica(self.vectors)
        return Maintenance.for_owner(self.vectors, self.catalogue)

    def coverage(self) -> IndexCoverage:
        """Return how many passages the vector index holds, and how many are scanned."""
        return IndexCoverage(self.vectors.indexed_rows, self.vectors.scanned_rows())

    def close(self) -> None:
        """End the threads; the catalogue and the vector index stay open."""
        self._threads.shutdown(wait=False)


class EmbeddedSnapshot:
    """One state of an embedded archive, for the thread that opened it."""

    def __init__(
        self,
        catalogue: Catalogue,
        vectors: VectorIndex,
        lexical: LexicalIndex,
        threads: ThreadPoolExecutor,
    ) -> None:
        self._catalogue = catalogue
        self._vectors = vectors
        self._lexical = lexical
        self._threads = threads

    @property
    def state(self) -> CatalogueState:
        """Which archive this is, and its version."""
        return self._catalogue.state()

    @property
    def size(self) -> ArchiveSize:
        """How much the archive holds."""
        return ArchiveSize(*self._catalogue.counts())

    def find_candidates(
        self, vector: Vector, stems: Sequence[str], limit: int, filters: Filters
    ) -> Candidates:
        """Search for near vectors and for the stems at the same time, in this one state."""
        nearest = self._threads.submit(self._search_dense, self.state, vector, limit, filters)
        scores = self._lexical.score(stems)
        lexical = scores.best(limit, filters)
        dense = nearest.result()
        if dense is None:
            dense = self._vectors.search(vector, limit, filters)
        only_lexical = [passage for passage in lexical if passage not in dense]
        cosine = dense | self._vectors.compute_similarities(vector, only_lexical)
        return Candidates(
            dense=tuple(dense),
            lexical=tuple(lexical),
            cosine=cosine,
            bm25=scores.of(cosine),
            term_vectors=self._catalogue.term_vectors(list(cosine)),
            idf=scores.idf,
            expansions=scores.expansions,
        )

    def passages(self, ids: Sequence[int]) -> dict[int, Passage]:
        """Return the passages that exist among `ids`, each with its whole article."""
        return self._catalogue.passages(ids)

    def article(self, article_id: str) -> Article:
        """Return one article; raise UnknownArticle when there is none of this id."""
        return self._catalogue.article(article_id)

    def list_articles(
        self, *, after: str, limit: int, filters: Filters = EVERY_ARTICLE, named: str = ""
    ) -> list[ArticleRecord]:
        """Return up to `limit` articles with ids greater than `after`, in the order of ids."""
        return self._catalogue.list_articles(after=after, limit=limit, filters=filters, named=named)

    def articles_with(self, stem: str, most_passages: int) -> set[int] | None:
        """Return the numbers of the articles with the stem; None when more passages have it."""
        ids, _ = self._catalogue.postings(stem)
        return None if len(ids) > most_passages else self._catalogue.article_numbers(ids.tolist())

    def articles_containing(
        self, texts: Sequence[str], numbers: Collection[int] | None
    ) -> Iterator[Article]:
        """Yield the articles whose text contains all of `texts`, of those with the numbers."""
        return self._catalogue.articles_containing(texts, numbers)

    def sources(self, *, limit: int) -> list[Source]:
        """Return up to `limit` sources, those of most articles first."""
        return self._catalogue.sources(limit=limit)

    def known(self, article_ids: Sequence[str]) -> dict[str, Known]:
        """Return the fingerprints and origins of those articles that exist, by id."""
        return self._catalogue.known(article_ids)

    def known_after(self, article_id: str, limit: int) -> dict[str, Known]:
        """Return the same of up to `limit` articles with greater ids, in the order of ids."""
        return self._catalogue.known_after(article_id, limit)

    def _search_dense(
        self, state: CatalogueState, vector: Vector, limit: int, filters: Filters
    ) -> dict[int, float] | None:
        """Search in another thread, whose own snapshot may be newer: None where it is."""
        with self._catalogue.reading():
            if self._catalogue.state() != state:
                return None
            return self._vectors.search(vector, limit, filters)
