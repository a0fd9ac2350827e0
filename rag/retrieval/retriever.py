"""Question to hits: dense and lexical search propose passages, and a few signals rank them."""

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.state import CatalogueState
from citewire.index.embedding import Encoder, Vector
from citewire.index.lexical.bm25 import LexicalIndex
from citewire.index.text.analysis import analyze
from citewire.index.types import Filters
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.retrieval.ranking import Met, Wording, relevance
from citewire.rag.types import Hit, Question

# How many passages each leg proposes before they are ranked: among these the right one nearly
# always is, and ranking twice as many takes twice as long.
CANDIDATES_PER_LEG = 30
# More would wait for one another.
SEARCHES_AT_ONCE = 4


@dataclass(frozen=True, slots=True)
class LegScores:
    """What each leg says of a passage: its score, and its rank where the leg proposed it.

    The dense leg's score is a cosine, the lexical leg's BM25; ranks begin at 1.
    """

    cosine: float
    bm25: float
    dense_rank: int | None
    lexical_rank: int | None


@dataclass(frozen=True, slots=True)
class Found:
    """A hit, and what each leg says of it."""

    hit: Hit
    legs: LegScores


@dataclass(frozen=True, slots=True)
class Search:
    """What was found for a question, best first, and in what."""

    question: Question
    found: tuple[Found, ...]
    articles: int
    passages: int
    index_version: str
    search_ms: float


class Retriever:
    """Finds the passages of the archive that are worth reading for a question."""

    def __init__(
        self, encoder: Encoder, vectors: VectorIndex, lexical: LexicalIndex, catalogue: Catalogue
    ) -> None:
        self._encoder = encoder
        self._vectors = vectors
        self._lexical = lexical
        self._catalogue = catalogue
        # Chroma works outside of the interpreter: the words are looked up meanwhile.
        self._threads = ThreadPoolExecutor(SEARCHES_AT_ONCE, thread_name_prefix="dense")

    def retrieve(self, question: Question, limit: int) -> list[Hit]:
        """Return at most `limit` hits, best first, all from one state of the archive."""
        return [found.hit for found in self.find(question, limit)]

    def search(self, question: Question, limit: int) -> Search:
        """Find at most `limit` hits, and say what was searched: all in one state."""
        started = time.perf_counter()
        with self._catalogue.reading():
            articles, passages = self._catalogue.counts()
            version = str(self._catalogue.state())
            found = tuple(self.find(question, limit))
        elapsed = 1000 * (time.perf_counter() - started)
        return Search(question, found, articles, passages, version, elapsed)

    def find(self, question: Question, limit: int) -> list[Found]:
        """Return at most `limit` hits with the legs' own scores, best first."""
        vector = self._encoder.encode_question(question.text)
        # A person may want more than are ranked for a reader.
        wanted = max(limit, CANDIDATES_PER_LEG)
        with self._catalogue.reading():
            dense = self._threads.submit(
                self._near_in, self._catalogue.state(), vector, wanted, question.filters
            )
            scored = self._lexical.score(question.text)
            worded = scored.best(wanted, question.filters)
            near = dense.result()
            if near is None:
                near = self._vectors.search(vector, wanted, question.filters)
            unscored = [passage for passage in worded if passage not in near]
            cosines = near | self._vectors.similarities(vector, unscored)
            bm25 = scored.of(cosines)
            wording = Wording(analyze(question.text), scored.idf, scored.expansions)
            met = wording.met(self._catalogue.term_vectors(list(cosines)))
            scores = ranked(wording, met, cosines, bm25)
            top = sorted(scores, key=lambda passage: (-scores[passage], passage))[:limit]
            passages = self._catalogue.passages(top)
        places = places_of(near), places_of(worded)
        return [
            Found(
                Hit(passages[passage], scores[passage], cosines[passage]),
                LegScores(
                    cosines[passage], bm25[passage], *(place.get(passage) for place in places)
                ),
            )
            for passage in top
        ]

    def _near_in(
        self, state: CatalogueState, vector: Vector, limit: int, filters: Filters
    ) -> dict[int, float] | None:
        """Do the dense search in another thread; return None where that sees another state."""
        with self._catalogue.reading():
            if self._catalogue.state() != state:
                return None
            return self._vectors.search(vector, limit, filters)


def ranked(
    wording: Wording,
    met: Mapping[int, Met],
    cosines: Mapping[int, float],
    bm25: Mapping[int, float],
) -> dict[int, float]:
    """Return the candidates' scores in [0, 1], 1 for the best.

    Each leg is scaled by its theoretical minimum, zero, and its best score for the question
    (Bruch et al., 2210.11934).
    """
    best_cosine = max(cosines.values(), default=0.0)
    best_bm25 = max(bm25.values(), default=0.0)
    scores = {
        passage: relevance(
            wording.signals(
                words_met,
                cosine=scaled(cosines[passage], best_cosine),
                bm25=scaled(bm25[passage], best_bm25),
            )
        )
        for passage, words_met in met.items()
    }
    best = max(scores.values(), default=0.0)
    return {passage: scaled(score, best) for passage, score in scores.items()}


def scaled(score: float, best: float) -> float:
    """Return the score as a share of the best, 0 when nothing scored."""
    return min(max(score, 0.0) / best, 1.0) if best > 0 else 0.0


def places_of(scores: Mapping[int, float]) -> dict[int, int]:
    """Return each passage's rank, from 1, where the best come first."""
    return {passage: place for place, passage in enumerate(scores, start=1)}
