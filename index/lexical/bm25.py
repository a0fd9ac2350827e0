"""Lexical search: BM25 over the catalogue's postings, exact for every passage and any filter."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.columns import Columns
from citewire.index.errors import ArchiveDamaged
from citewire.index.lexical.fuzzy import MIN_SIMILARITY, choose_prefix, compare_trigrams
from citewire.index.text.analysis import analyze, collect_stems
from citewire.index.top_k import top_k
from citewire.index.types import Filters

# BM25's term saturation and length normalisation, chosen on SQuAD's training questions: passages
# are short, and a second occurrence of a term adds little to the first.
K1 = 0.9
B = 0.75
# Terms of a question, the rarest, that are expanded: a whole text in place of a question must not
# take long.
MAX_EXPANDED_TERMS = 8


@dataclass(frozen=True, slots=True)
class Scores:
    """Every passage's BM25 score for a question, and the IDF of each of its terms.

    `expansions` are other indexed terms that are similar to some of the question's
    (index/lexical/fuzzy.py), each with those terms and its similarity to them.
    """

    columns: Columns
    bm25: NDArray[np.float32]
    idf: dict[str, float]
    expansions: dict[str, dict[str, float]]

    def best(self, limit: int, filters: Filters) -> dict[int, float]:
        """Return the best passages' ids with their scores, all positive, at most `limit`."""
        matching = self.bm25 > 0
        if filters:
            matching &= self.columns.passing(filters)
        chosen = np.flatnonzero(matching)
        top = chosen[top_k(self.bm25[chosen], limit)]
        return dict(zip(top.tolist(), self.bm25[top].tolist(), strict=True))

    def of(self, ids: Iterable[int]) -> dict[int, float]:
        """Return the scores of passages that exist, 0 for one with none of the question's terms."""
        return {passage: float(self.bm25[passage]) for passage in ids}


class LexicalIndex:
    """BM25 search for passages (Robertson & Zaragoza 2009); thread-safe."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._cached_norm: tuple[Columns, NDArray[np.float32]] | None = None

    def search(self, question: str, limit: int, filters: Filters) -> dict[int, float]:
        """Return the best passages' ids with their BM25 scores, at most `limit`."""
        return self.score(collect_stems(analyze(question))).best(limit, filters)

    def score(self, stems: Sequence[str]) -> Scores:
        """Score every passage for different stems, all in one state of the catalogue."""
        with self._catalogue.reading():
            columns = self._catalogue.columns()
            norm = self._length_norm(columns)
            bm25 = np.zeros(len(columns.length), np.float32)
            idf: dict[str, float] = {}
            for term in stems:
                ids, counts = self._catalogue.postings(term)
                require_existing(ids, columns)
                idf[term] = compute_idf(columns.passages, len(ids))
                if len(ids):
                    bm25[ids] += idf[term] * counts * (K1 + 1) / (counts + norm[ids])
            return Scores(columns, bm25, idf, expand_terms(self._catalogue, idf))

    def _length_norm(self, columns: Columns) -> NDArray[np.float32]:
        """Return BM25's length norm K1·(1 - B + B·length/mean), one for each passage."""
        cached = self._cached_norm
        if cached is None or cached[0] is not columns:
            norm = K1 * (1 - B + B * columns.length / max(columns.mean_length, 1.0))
            cached = self._cached_norm = (columns, norm)
        return cached[1]


def expand_terms(catalogue: Catalogue, idf: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return indexed terms similar to the question's, each with those and its similarity."""
    found: dict[str, dict[str, float]] = {}
    for term in sorted(idf, key=lambda term: -idf[term])[:MAX_EXPANDED_TERMS]:
        prefix = choose_prefix(term)
        for other in catalogue.terms_beginning(prefix) if prefix else ():
            alike = compare_trigrams(term, other)
            if alike >= MIN_SIMILARITY and other != term:
                found.setdefault(other, {})[term] = alike
    return found


def require_existing(ids: NDArray[np.int64], columns: Columns) -> None:
    """Raise ArchiveDamaged unless all of a term's passages exist."""
    if ids.size and not (ids.max() < len(columns.length) and columns.length[ids].all()):
        raise ArchiveDamaged("the lexical index names passages that do not exist")


def compute_idf(passages: int, containing: int) -> float:
    """Return the inverse document frequency of a term that is in `containing` of the passages."""
    return math.log(1 + (passages - containing + 0.5) / (containing + 0.5))
