"""The seam to retrieval: a question to the passages worth reading, and what was searched."""

from dataclasses import dataclass
from typing import Protocol

from citewire.rag.query import Query
from citewire.rag.types import Hit, Question


@dataclass(frozen=True, slots=True)
class SearchScores:
    """A passage's scores and ranks in dense search (cosine) and lexical search (BM25).

    Ranks begin at 1; None where that search did not propose the passage.
    """

    cosine: float
    bm25: float
    dense_rank: int | None
    lexical_rank: int | None


@dataclass(frozen=True, slots=True)
class ScoredHit:
    """A hit with its scores in each search."""

    hit: Hit
    scores: SearchScores


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The passages found for a question, best first, and the archive that was searched.

    `articles` and `passages` are the archive's size in the state `index_version`.
    """

    query: Query
    scored: tuple[ScoredHit, ...]
    articles: int
    passages: int
    index_version: str
    elapsed_ms: float

    @property
    def hits(self) -> list[Hit]:
        """The hits, best first."""
        return [scored.hit for scored in self.scored]


class Retriever(Protocol):
    """Finds the passages of an archive that are worth reading for a question."""

    def retrieve(self, question: Question, limit: int) -> Retrieval:
        """Return at most `limit` hits, best first, all from one state of the archive."""
