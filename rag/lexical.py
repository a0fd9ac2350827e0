"""Lexical search: BM25 over the catalogue's postings, exact for every passage and any filter."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.catalogue import Catalogue
from rag.checksums import passage_checksums
from rag.errors import ArchiveDamaged
from rag.postings import read_postings
from rag.seal import CatalogueState
from rag.types import Filters
from rag.words import words

# BM25's two constants, chosen on SQuAD's training questions: passages are short, and a word
# said twice says little more than a word said once.
K1 = 0.9
B = 0.75

# As many as an array's bits can tell of; hardly a question has more.
MARKED_TERMS = 32

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Columns:
    """What search needs of every passage, in arrays whose index is the passage's id.

    In `state` of the catalogue. A passage that does not exist has length 0 and article 0;
    `published` (as YYYYMMDD, 0 without a date) and `source` have an entry for each article.
    """

    state: CatalogueState
    length: NDArray[np.float32]
    article: NDArray[np.int64]
    published: NDArray[np.int64]
    source: NDArray[np.int64]
    sources: dict[str, int]
    passages: int
    mean_length: float

    def passing(self, filters: Filters) -> Flags:
        """Return which passages exist and are of an article that passes the filters."""
        articles = np.ones(len(self.published), np.bool_)
        if filters.published_from is not None:
            articles &= self.published >= as_number(filters.published_from.isoformat())
        if filters.published_to is not None:
            articles &= self.published <= as_number(filters.published_to.isoformat())
        if filters.published_from is not None or filters.published_to is not None:
            articles &= self.published > 0
        if filters.sources:
            wanted = [self.sources[name] for name in filters.sources if name in self.sources]
            articles &= np.isin(self.source, wanted)
        # No article has the number 0, which stands for passages that are gone.
        articles[0] = False
        return articles[self.article]


@dataclass(frozen=True, slots=True)
class Scores:
    """Every passage's BM25 score for a question; `rarity` is the IDF of each of its terms.

    `met` has a bit for each of the first MARKED_TERMS terms, in the order of `rarity`: whether
    the passage has it.
    """

    columns: Columns
    bm25: NDArray[np.float32]
    met: NDArray[np.uint32]
    rarity: dict[str, float]

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

    def terms_in(self, passage: int) -> set[str]:
        """Return which of the question's terms a passage has; of very many, some that it has not.

        They are those of its article's title and of its text.
        """
        bits = int(self.met[passage])
        return {
            term
            for place, term in enumerate(self.rarity)
            if place >= MARKED_TERMS or bits >> place & 1
        }


class LexicalIndex:
    """BM25 search for passages (Robertson & Zaragoza 2009); thread-safe."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._columns: Columns | None = None

    def search(self, question: str, limit: int, filters: Filters) -> dict[int, float]:
        """Return the best passages' ids with their BM25 scores, at most `limit`."""
        return self.score(question).best(limit, filters)

    def score(self, question: str) -> Scores:
        """Score every passage, all in one state of the catalogue."""
        with self._catalogue.reading() as connection:
            columns = self._current_columns()
            bm25 = np.zeros(len(columns.length), np.float32)
            met = np.zeros(len(columns.length), np.uint32)
            rarity: dict[str, float] = {}
            norm = K1 * (1 - B + B * columns.length / max(columns.mean_length, 1.0))
            for term in dict.fromkeys(word.stem for word in words(question)):
                ids, counts = read_postings(connection, term)
                require_existing(ids, columns)
                place = len(rarity)
                rarity[term] = idf(columns.passages, len(ids))
                if len(ids) and place < MARKED_TERMS:
                    met[ids] |= np.uint32(1 << place)
                if len(ids):
                    bm25[ids] += rarity[term] * counts * (K1 + 1) / (counts + norm[ids])
        return Scores(columns, bm25, met, rarity)

    def _current_columns(self) -> Columns:
        columns, state = self._columns, self._catalogue.state()
        if columns is None or columns.state != state:
            columns = read_columns(self._catalogue)
            self._columns = columns
        return columns


def require_existing(ids: NDArray[np.int64], columns: Columns) -> None:
    """Raise ArchiveDamaged when a term's passages are not all there."""
    if ids.size and not (ids.max() < len(columns.article) and columns.article[ids].all()):
        raise ArchiveDamaged("the index of words names passages that do not exist")


def idf(passages: int, having: int) -> float:
    """Return how much a term tells that `having` of all the passages have."""
    return math.log(1 + (passages - having + 0.5) / (having + 0.5))


def as_number(day: str) -> int:
    """Return a date as YYYYMMDD: `as_number("2023-11-09")` is 20231109."""
    return int(day.replace("-", ""))


def read_columns(catalogue: Catalogue) -> Columns:
    """Read what search needs of every passage and article."""
    with catalogue.reading() as connection:
        # Joined inside SQLite: a hundred thousand rows would take long to cross one by one.
        passages = connection.execute(
            "SELECT group_concat(id), group_concat(article), group_concat(start),"
            " group_concat(end), group_concat(checksum) FROM passages"
        ).fetchone()
        articles = connection.execute(
            "SELECT group_concat(number), group_concat(coalesce(replace(published, '-', ''), 0))"
            " FROM articles"
        ).fetchone()
        named = connection.execute(
            "SELECT source, group_concat(number) FROM articles WHERE source IS NOT NULL"
            " GROUP BY source"
        ).fetchall()
        state = catalogue.state()
    try:
        ids, numbers, starts, ends, sums = [as_array(column) for column in passages]
        known, days = [as_array(column) for column in articles]
    except ValueError as error:
        raise ArchiveDamaged(f"{catalogue.path}: what are numbers are none: {error}") from error
    if not np.array_equal(passage_checksums(ids, numbers, starts, ends), sums):
        raise ArchiveDamaged(f"{catalogue.path}: passages do not match their checksums")
    lengths = ends - starts
    length = np.zeros(int(ids.max(initial=0)) + 1, np.float32)
    article = np.zeros(len(length), np.int64)
    length[ids], article[ids] = lengths, numbers
    published = np.zeros(int(known.max(initial=0)) + 1, np.int64)
    published[known] = days
    source = np.zeros(len(published), np.int64)
    sources: dict[str, int] = {}
    for name, members in named:
        sources[name] = len(sources) + 1
        source[as_array(members)] = sources[name]
    mean = float(lengths.mean()) if len(lengths) else 0.0
    return Columns(state, length, article, published, source, sources, len(ids), mean)


def as_array(numbers: str | None) -> NDArray[np.int64]:
    """Return the numbers that SQLite has joined by commas."""
    return np.array([], np.int64) if numbers is None else np.fromstring(numbers, np.int64, sep=",")
