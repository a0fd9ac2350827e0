"""Lexical search: BM25 over the catalogue's postings, exact for every passage and any filter."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from citewire.index.catalogue.catalogue import Catalogue
from citewire.index.catalogue.columns import Columns
from citewire.index.errors import ArchiveDamaged
from citewire.index.lexical.fuzzy import MIN_LIKENESS, beginning_of, likeness
from citewire.index.text.analysis import words
from citewire.index.types import Filters

# BM25's two constants, chosen on SQuAD's training questions: passages are short, and a word
# said twice says little more than a word said once.
K1 = 0.9
B = 0.75
# Relatives are looked up for so many of a question's words, the rarest: a whole text in place of
# a question must not take long.
WORDS_WITH_RELATIVES = 8


@dataclass(frozen=True, slots=True)
class Scores:
    """Every passage's BM25 score for a question; `rarity` is the IDF of each of its terms.

    `relatives` are the archive's other terms that look like one of them
    (index/lexical/fuzzy.py), each with those that it looks like and how much.
    """

    columns: Columns
    bm25: NDArray[np.float32]
    rarity: dict[str, float]
    relatives: dict[str, dict[str, float]]

    def best(self, limit: int, filters: Filters) -> dict[int, float]:
        """Return the best passages' ids with their scores, all positive, at most `limit`."""
        matching = self.bm25 > 0
        if filters:
            matching &= self.columns.passing(filters)
        chosen = np.flatnonzero(matching)
        scores = self.bm25[chosen]
        if 0 < limit < len(chosen):
            # All that score as much as the last one, so that ids and not chance decide.
            least = np.partition(scores, len(scores) - limit)[len(scores) - limit]
            chosen, scores = chosen[scores >= least], scores[scores >= least]
        order = np.lexsort((chosen, -scores))[:limit]
        return {int(chosen[place]): float(scores[place]) for place in order}

    def of(self, ids: Iterable[int]) -> dict[int, float]:
        """Return the scores of passages that exist, 0 where no word is the question's."""
        return {passage: float(self.bm25[passage]) for passage in ids}


class LexicalIndex:
    """BM25 search for passages (Robertson & Zaragoza 2009); thread-safe."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._damped: tuple[Columns, NDArray[np.float32]] | None = None

    def search(self, question: str, limit: int, filters: Filters) -> dict[int, float]:
        """Return the best passages' ids with their BM25 scores, at most `limit`."""
        return self.score(question).best(limit, filters)

    def score(self, question: str) -> Scores:
        """Score every passage, all in one state of the catalogue."""
        with self._catalogue.reading():
            columns = self._catalogue.columns()
            damping = self._damping(columns)
            bm25 = np.zeros(len(columns.length), np.float32)
            rarity: dict[str, float] = {}
            for term in dict.fromkeys(word.stem for word in words(question)):
                ids, counts = self._catalogue.postings(term)
                require_existing(ids, columns)
                rarity[term] = idf(columns.passages, len(ids))
                if len(ids):
                    bm25[ids] += rarity[term] * counts * (K1 + 1) / (counts + damping[ids])
            return Scores(columns, bm25, rarity, relatives_of(self._catalogue, rarity))

    def _damping(self, columns: Columns) -> NDArray[np.float32]:
        """Return what the count of a word in each passage is set against: more in a long one."""
        damped = self._damped
        if damped is None or damped[0] is not columns:
            norm = K1 * (1 - B + B * columns.length / max(columns.mean_length, 1.0))
            damped = self._damped = (columns, norm)
        return damped[1]


def relatives_of(catalogue: Catalogue, rarity: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Return the terms that look like the question's, each with those and its likeness."""
    found: dict[str, dict[str, float]] = {}
    for term in sorted(rarity, key=lambda term: -rarity[term])[:WORDS_WITH_RELATIVES]:
        beginning = beginning_of(term)
        for other in catalogue.terms_beginning(beginning) if beginning else ():
            alike = likeness(term, other)
            if alike >= MIN_LIKENESS and other != term:
                found.setdefault(other, {})[term] = alike
    return found


def require_existing(ids: NDArray[np.int64], columns: Columns) -> None:
    """Raise ArchiveDamaged when a term's passages are not all there."""
    if ids.size and not (ids.max() < len(columns.length) and columns.length[ids].all()):
        raise ArchiveDamaged("the index of words names passages that do not exist")


def idf(passages: int, having: int) -> float:
    """Return how much a term tells that `having` of all the passages have."""
    return math.log(1 + (passages - having + 0.5) / (having + 0.5))
