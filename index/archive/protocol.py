"""The seam: all that retrieval, quotes, indexing and the service need of an archive.

An index only proposes passages; `Candidates` carries all that ranking weighs, so that ranking is
the same for every archive. The embedded archive (index/archive/embedded.py) is one implementation.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from citewire.index.catalogue.records import ArticleRecord, EncodedArticle, Known, Source
from citewire.index.catalogue.state import CatalogueState
from citewire.index.embedding import Vector
from citewire.index.types import EVERY_ARTICLE, Article, Filters, Passage


@dataclass(frozen=True, slots=True)
class ArchiveSize:
    """How many articles and passages an archive holds."""

    articles: int
    passages: int


@dataclass(frozen=True, slots=True)
class IndexCoverage:
    """How many passages the vector index holds, and how many newer ones are scanned instead."""

    indexed: int
    scanned: int


@dataclass(frozen=True, slots=True)
class Candidates:
    """The passages that dense and lexical search propose, with all that ranking weighs.

    `dense` and `lexical` are the ids that each search proposes, best first. `cosine`, `bm25` and
    `term_vectors` have an entry for every proposed passage, and `idf` one for every stem that was
    asked. `expansions` are the archive's terms that look like an asked stem, each with those stems
    and the similarity, from 0 to 1.
    """

    dense: tuple[int, ...]
    lexical: tuple[int, ...]
    cosine: Mapping[int, float]
    bm25: Mapping[int, float]
    term_vectors: Mapping[int, bytes]
    idf: Mapping[str, float]
    expansions: Mapping[str, Mapping[str, float]]


class Snapshot(Protocol):
    """One state of an archive, as long as the context that gave it is open."""

    @property
    def state(self) -> CatalogueState:
        """Which archive this is, and its version, which grows with every change."""

    @property
    def size(self) -> ArchiveSize:
        """How much the archive holds."""

    def find_candidates(
        self, vector: Vector, stems: Sequence[str], limit: int, filters: Filters
    ) -> Candidates:
        """Return the passages nearest to the vector and those with the stems, `limit` of each.

        Raises:
            VectorServerAway: the vectors are on a server that does not answer.
        """

    def passages(self, ids: Sequence[int]) -> dict[int, Passage]:
        """Return the passages that exist among `ids`, each with its whole article."""

    def article(self, article_id: str) -> Article:
        """Return one article; raise UnknownArticle when there is none of this id."""

    def list_articles(
        self, *, after: str, limit: int, filters: Filters = EVERY_ARTICLE, named: str = ""
    ) -> list[ArticleRecord]:
        """Return up to `limit` articles with ids greater than `after`, in the order of ids."""

    def articles_with(self, stem: str, most_passages: int) -> set[int] | None:
        """Return the numbers of the articles with the stem; None when more passages have it."""

    def articles_containing(
        self, texts: Sequence[str], numbers: Collection[int] | None
    ) -> Iterator[Article]:
        """Yield the articles whose text contains all of `texts`, in the order of their numbers.

        Only those with one of the numbers; of all articles where `numbers` is None.
        """

    def sources(self, *, limit: int) -> list[Source]:
        """Return up to `limit` sources, those of most articles first."""

    def known(self, article_ids: Sequence[str]) -> dict[str, Known]:
        """Return the fingerprints and origins of those articles that exist, by id."""

    def known_after(self, article_id: str, limit: int) -> dict[str, Known]:
        """Return the same of up to `limit` articles with greater ids, in the order of ids."""


class Archive(Protocol):
    """Articles that are stored durably and can be searched."""

    @property
    def read_only(self) -> bool:
        """Whether this process may not change it."""

    def reading(self) -> AbstractContextManager[Snapshot]:
        """Return a context in which all reads see one state; a nested one sees the same."""

    def put(self, encoded: Iterable[EncodedArticle]) -> None:
        """Store articles, replacing those of the same ids: all or none, durable on return."""

    def remove(self, article_ids: Iterable[str]) -> None:
        """Delete the articles: all or none; on return no question finds them."""

    def require_answering(self) -> None:
        """Raise NotUsable when questions cannot be answered at the moment."""

    def require_room(self) -> None:
        """Raise StorageFull when there is too little room to store more articles."""

    def compact(self) -> None:
        """Do the work on indexes that pays once after many changes."""

    def maintenance(self) -> AbstractContextManager[None]:
        """Return a context during which the indexes are kept fast in the background."""

    def coverage(self) -> IndexCoverage:
        """Return how much of the archive the vector index holds."""
