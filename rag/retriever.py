"""Question to hits: dense and lexical search, fused by a weighted sum of normalised scores."""

from collections.abc import Mapping

from rag.catalogue import Catalogue
from rag.lexical import LexicalIndex
from rag.protocols import Encoder
from rag.types import Hit, Question
from rag.vectors import VectorIndex

# How many passages each leg proposes before fusion.
CANDIDATES_PER_LEG = 50
# The dense leg's share; anything from 0.4 to 0.7 finds as much for the development questions.
DENSE_WEIGHT = 0.5


class Retriever:
    """Finds the passages of the archive that are worth reading for a question."""

    def __init__(
        self, encoder: Encoder, vectors: VectorIndex, lexical: LexicalIndex, catalogue: Catalogue
    ) -> None:
        self._encoder = encoder
        self._vectors = vectors
        self._lexical = lexical
        self._catalogue = catalogue

    def retrieve(self, question: Question, limit: int) -> list[Hit]:
        """Return at most `limit` hits, best first, all from one state of the archive."""
        vector = self._encoder.encode_question(question.text)
        with self._catalogue.reading():
            near = self._vectors.search(vector, CANDIDATES_PER_LEG, question.filters)
            worded = self._lexical.search(question.text, CANDIDATES_PER_LEG, question.filters)
            unscored = [passage for passage in worded if passage not in near]
            cosines = near | self._vectors.similarities(vector, unscored)
            scores = fuse(cosines, worded)
            top = sorted(scores, key=lambda passage: (-scores[passage], passage))[:limit]
            passages = self._catalogue.passages(top)
        return [Hit(passages[passage], scores[passage], cosines[passage]) for passage in top]


def fuse(cosines: Mapping[int, float], bm25: Mapping[int, float]) -> dict[int, float]:
    """Return each candidate's fused score in [0, 1].

    Each leg is scaled by its theoretical minimum, zero, and its best score for the question
    (Bruch et al., 2210.11934); a passage that the lexical leg did not propose has 0 there.
    """
    best_cosine = max(cosines.values(), default=0.0)
    best_bm25 = max(bm25.values(), default=0.0)
    return {
        passage: DENSE_WEIGHT * scaled(cosine, best_cosine)
        + (1 - DENSE_WEIGHT) * scaled(bm25.get(passage, 0.0), best_bm25)
        for passage, cosine in cosines.items()
    }


def scaled(score: float, best: float) -> float:
    """Return the score as a share of the best, 0 when nothing scored."""
    return min(max(score, 0.0) / best, 1.0) if best > 0 else 0.0
