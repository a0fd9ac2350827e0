"""Question to hits: dense and lexical search propose passages, and ranking orders them."""

import time
from collections.abc import Mapping, Sequence

from citewire.index.archive.protocol import Archive, Candidates
from citewire.index.embedding import Encoder
from citewire.index.text.analysis import collect_stems
from citewire.rag.query import Query
from citewire.rag.retrieval.ranking import QueryTerms, rank
from citewire.rag.retriever_protocol import Retrieval, ScoredHit, SearchScores
from citewire.rag.types import Hit, Question

# Passages that each search proposes: among these the right one nearly always is, and ranking
# twice as many takes twice as long.
CANDIDATES_PER_SEARCH = 30


class HybridRetriever:
    """Finds passages by meaning and by words together; threads may share it."""

    def __init__(self, encoder: Encoder, archive: Archive) -> None:
        self._encoder = encoder
        self._archive = archive

    def retrieve(self, question: Question, limit: int) -> Retrieval:
        """Return at most `limit` hits, best first, all from one state of the archive."""
        started = time.perf_counter()
        query = Query.from_question(question)
        vector = self._encoder.encode_question(query.text)
        # A person may want more than are ranked for a reader.
        wanted = max(limit, CANDIDATES_PER_SEARCH)
        stems = collect_stems(query.tokens)
        with self._archive.reading() as snapshot:
            size, state = snapshot.size, snapshot.state
            candidates = snapshot.find_candidates(vector, stems, wanted, query.filters)
            terms = QueryTerms(query.tokens, candidates.idf, candidates.expansions)
            matches = terms.match(candidates.term_vectors)
            scores = rank(terms, matches, candidates.cosine, candidates.bm25)
            best = sorted(scores, key=lambda passage: (-scores[passage], passage))[:limit]
            passages = snapshot.passages(best)
        hits = {
            passage: Hit(passages[passage], scores[passage], candidates.cosine[passage])
            for passage in best
        }
        return Retrieval(
            query,
            tuple(score_hits(hits, candidates)),
            size.articles,
            size.passages,
            str(state),
            elapsed_ms=1000 * (time.perf_counter() - started),
        )


def score_hits(hits: Mapping[int, Hit], candidates: Candidates) -> list[ScoredHit]:
    """Return the hits, each with its scores and ranks in both searches."""
    dense, lexical = number(candidates.dense), number(candidates.lexical)
    return [
        ScoredHit(
            hit,
            SearchScores(
                candidates.cosine[passage],
                candidates.bm25[passage],
                dense.get(passage),
                lexical.get(passage),
            ),
        )
        for passage, hit in hits.items()
    ]


def number(passages: Sequence[int]) -> dict[int, int]:
    """Return each passage's rank, from 1, where the best come first.

    >>> number([40, 7])
    {40: 1, 7: 2}
    """
    return {passage: rank for rank, passage in enumerate(passages, start=1)}
