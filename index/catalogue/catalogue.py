"""The one durable truth, in one SQLite file: articles, passages, vectors, lexical index.

What `put` has returned from survives a kill. Everything outside this file is derived
from it and may be thrown away.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from citewire.index.catalogue.columns import Columns, ColumnStore
from citewire.index.catalogue.postings import read_postings, terms_beginning
from citewire.index.catalogue.schema import (
    ARTICLE_COLUMNS,
    PASSAGE_COLUMNS,
    VECTOR_COLUMNS,
    ArticleRecord,
    EncodedArticle,
    Known,
    Source,
    article_of,
    batches,
    day,
    delete,
    filter_sql,
    insert,
    marks,
    passage_of,
    require_sound,
    stacked,
)
from citewire.index.catalogue.state import CatalogueState, read_state
from citewire.index.catalogue.term_vectors import read_term_vectors
from citewire.index.embedding import Vectors
from citewire.index.errors import UnknownArticle
from citewire.index.text.folding import fold_case
from citewire.index.types import Article, Filters, Passage

EVERY_ARTICLE = Filters()


class CatalogueFile(Protocol):
    """A catalogue's SQLite file, opened and checked."""

    @property
    def path(self) -> Path:
        """Where it is stored."""

    @property
    def read_only(self) -> bool:
        """Whether this process may not change it."""

    def reading(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return a context with a connection on which all reads see one state."""

    def writing(self) -> AbstractContextManager[sqlite3.Connection]:
        """Return a context with a transaction; raise ReadOnlyArchive where none is possible."""

    def close(self) -> None:
        """Close every thread's connection."""


class Catalogue:
    """Reads and writes a catalogue through its file; each thread gets its own connection.

    Raises the file's errors, and ArchiveDamaged for anything read that is not as stored.
    """

    def __init__(self, file: CatalogueFile) -> None:
        self._file = file
        self._columns = ColumnStore()

    @property
    def read_only(self) -> bool:
        """Whether this process may not change it."""
        return self._file.read_only

    @property
    def path(self) -> Path:
        """Where the catalogue's file is stored."""
        return self._file.path

    def close(self) -> None:
        """Close every thread's connection."""
        self._file.close()

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Let all reads in this thread see one and the same state; nested ones join the outer."""
        with self._file.reading():
            yield

    # -- reading

    def state(self) -> CatalogueState:
        """Return which archive this is and its version."""
        with self._file.reading() as connection:
            return read_state(connection)

    def counts(self) -> tuple[int, int]:
        """Return how many articles and how many passages there are."""
        with self._file.reading() as connection:
            articles = connection.execute("SELECT count(*) FROM articles").fetchone()[0]
            passages = connection.execute("SELECT count(*) FROM passages").fetchone()[0]
        return articles, passages

    def article(self, article_id: str) -> Article:
        """Return one article; raise UnknownArticle when there is none of this id."""
        with self._file.reading() as connection:
            row = connection.execute(
                f"SELECT digest, {ARTICLE_COLUMNS} FROM articles WHERE id = ?", (article_id,)
            ).fetchone()
        if row is None:
            raise UnknownArticle(article_id)
        return article_of(row)

    def list_articles(
        self, *, after: str, limit: int, filters: Filters = EVERY_ARTICLE, named: str = ""
    ) -> list[ArticleRecord]:
        """Return up to `limit` articles in the order of their ids, from behind `after` on.

        Only those that pass the filters and have `named` in their title or id, in either case.
        """
        condition, values = filter_sql(filters)
        with self._file.reading() as connection:
            # SQLite's own is quicker, and knows no letters but ASCII's.
            fold = "lower" if named.isascii() else "folded"
            connection.create_function("folded", 1, fold_case, deterministic=True)
            rows = connection.execute(
                "SELECT id, title, source, url, published, author, language, digest, length(text)"
                f" FROM articles WHERE id > ? AND {condition}"
                f" AND (instr({fold}(title), ?) OR instr({fold}(id), ?))"
                " ORDER BY id LIMIT ?",
                (after, *values, fold_case(named), fold_case(named), limit),
            ).fetchall()
        return [
            ArticleRecord(article_id, title, source, url, day(published), *others)
            for article_id, title, source, url, published, *others in rows
        ]

    def articles_containing(
        self, strings: Sequence[str], numbers: Collection[int] | None = None
    ) -> Iterator[Article]:
        """Yield the articles whose text has all of the strings, one at a time in memory.

        In the order of their numbers; only those of these numbers, where any are given.
        """
        condition = " AND ".join(["instr(text, ?)"] * len(strings)) or "TRUE"
        with self._file.reading() as connection:
            for batch in [None] if numbers is None else batches(sorted(numbers)):
                among = "TRUE" if batch is None else f"number IN ({marks(batch)})"
                for row in connection.execute(
                    f"SELECT digest, {ARTICLE_COLUMNS} FROM articles"
                    f" WHERE {among} AND {condition} ORDER BY number",
                    [*(batch or ()), *strings],
                ):
                    yield article_of(row)

    def article_numbers(self, passage_ids: Sequence[int]) -> set[int]:
        """Return the numbers of the articles that have the passages."""
        found: set[int] = set()
        with self._file.reading() as connection:
            for batch in batches(passage_ids):
                rows = connection.execute(
                    f"SELECT article FROM passages WHERE id IN ({marks(batch)})", batch
                )
                found.update(row[0] for row in rows)
        return found

    def sources(self, *, limit: int) -> list[Source]:
        """Return up to `limit` sources that articles name, those of most articles first."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT source, count(*) AS articles FROM articles WHERE source IS NOT NULL"
                " GROUP BY source ORDER BY articles DESC, source LIMIT ?",
                (limit,),
            ).fetchall()
        return [Source(name, articles) for name, articles in rows]

    def fingerprints(self) -> dict[str, str]:
        """Return every article's fingerprint by its id."""
        with self._file.reading() as connection:
            return dict(connection.execute("SELECT id, fingerprint FROM articles").fetchall())

    def origins(self) -> dict[str, str]:
        """Return where every article was loaded from, by its id."""
        with self._file.reading() as connection:
            return dict(connection.execute("SELECT id, origin FROM articles").fetchall())

    def known(self, article_ids: Sequence[str]) -> dict[str, Known]:
        """Return what is known of the articles among `article_ids` that exist, by id."""
        found: dict[str, Known] = {}
        with self._file.reading() as connection:
            for batch in batches(article_ids):
                rows = connection.execute(
                    f"SELECT id, fingerprint, origin FROM articles WHERE id IN ({marks(batch)})",
                    batch,
                )
                found |= {row[0]: Known(row[1], row[2]) for row in rows}
        return found

    def known_after(self, article_id: str, limit: int) -> dict[str, Known]:
        """Return what is known of up to `limit` articles behind `article_id`, in that order."""
        with self._file.reading() as connection:
            rows = connection.execute(
                "SELECT id, fingerprint, origin FROM articles WHERE id > ? ORDER BY id LIMIT ?",
                (article_id, limit),
            ).fetchall()
        return {row[0]: Known(row[1], row[2]) for row in rows}

    def passages(self, ids: Sequence[int]) -> dict[int, Passage]:
        """Return the passages that exist among `ids`, each with its whole article."""
        found: dict[int, Passage] = {}
        articles: dict[int, Article] = {}
        with self._file.reading() as connection:
            for batch in batches(ids):
                rows = connection.execute(
                    f"SELECT {PASSAGE_COLUMNS} FROM passages WHERE id IN ({marks(batch)})", batch
                ).fetchall()
                require_sound(rows)
                numbers = list({row[1] for row in rows} - articles.keys())
                held = {
                    number: row
                    for number, *row in connection.execute(
                        f"SELECT number, digest, {ARTICLE_COLUMNS} FROM articles"
                        f" WHERE number IN ({marks(numbers)})",
                        numbers,
                    )
                }
                articles |= {number: article_of(held.get(number)) for number in numbers}
                for passage_id, number, start, end, _ in rows:
                    found[passage_id] = passage_of(passage_id, articles[number], start, end)
        return found

    def term_vectors(self, ids: Sequence[int]) -> dict[int, bytes]:
        """Return the words of passages, which all exist, in their order and as numbers."""
        found: dict[int, bytes] = {}
        with self._file.reading() as connection:
            for batch in batches(ids):
                found |= read_term_vectors(connection, batch)
        return found

    def postings(self, term: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the ids of the passages that have the term, and how often each has it."""
        with self._file.reading() as connection:
            return read_postings(connection, term)

    def terms_beginning(self, prefix: str) -> list[str]:
        """Return the indexed terms that begin so, in order, a thousand of them at most."""
        with self._file.reading() as connection:
            return terms_beginning(connection, prefix)

    def columns(self) -> Columns:
        """Return what searching needs of every passage, in the state that is being read."""
        with self._file.reading() as connection:
            return self._columns.current(connection, self.state())

    def matching_passages(self, filters: Filters) -> list[int]:
        """Return the ids of all passages whose article passes the filters, ascending."""
        condition, values = filter_sql(filters)
        with self._file.reading() as connection:
            return [
                row[0]
                for row in connection.execute(
                    "SELECT passages.id FROM articles"
                    " JOIN passages ON passages.article = articles.number"
                    f" WHERE {condition} ORDER BY passages.id",
                    values,
                )
            ]

    def vectors(self, ids: Sequence[int]) -> tuple[list[int], Vectors]:
        """Return which of `ids` exist and their vectors, one row each, in the same order."""
        rows = []
        with self._file.reading() as connection:
            for batch in batches(ids):
                rows += connection.execute(
                    f"SELECT {VECTOR_COLUMNS} FROM vectors WHERE passage IN ({marks(batch)})",
                    batch,
                ).fetchall()
        return stacked(rows)

    def vectors_after(self, passage_id: int) -> tuple[list[int], Vectors]:
        """Return all ids greater than `passage_id`, ascending, with their vectors."""
        with self._file.reading() as connection:
            rows = connection.execute(
                f"SELECT {VECTOR_COLUMNS} FROM vectors WHERE passage > ? ORDER BY passage",
                (passage_id,),
            ).fetchall()
        return stacked(rows)

    def existing_passages(self, ids: Sequence[int]) -> set[int]:
        """Return which of `ids` exist."""
        found: set[int] = set()
        with self._file.reading() as connection:
            for batch in batches(ids):
                rows = connection.execute(
                    f"SELECT id FROM passages WHERE id IN ({marks(batch)})", batch
                )
                found.update(row[0] for row in rows)
        return found

    def count_passages_through(self, passage_id: int) -> int:
        """Return how many passages have an id up to and including `passage_id`."""
        with self._file.reading() as connection:
            return int(
                connection.execute(
                    "SELECT count(*) FROM passages WHERE id <= ?", (passage_id,)
                ).fetchone()[0]
            )

    def count_passages_after(self, passage_id: int) -> int:
        """Return how many passages have a greater id."""
        with self._file.reading() as connection:
            return int(
                connection.execute(
                    "SELECT count(*) FROM passages WHERE id > ?", (passage_id,)
                ).fetchone()[0]
            )

    def passages_through(self, passage_id: int) -> set[int]:
        """Return the ids of the passages that exist, up to and including `passage_id`."""
        with self._file.reading() as connection:
            rows = connection.execute("SELECT id FROM passages WHERE id <= ?", (passage_id,))
            return {row[0] for row in rows}

    # -- writing

    def put(self, encoded: Iterable[EncodedArticle]) -> None:
        """Store articles with their passages and vectors, replacing those of the same id.

        All of them or none: one transaction.
        """
        with self._file.writing() as connection:
            for item in encoded:
                delete(connection, item.article.id)
                insert(connection, item)

    def remove(self, article_ids: Iterable[str]) -> None:
        """Delete the articles, their passages, vectors and words, in one transaction."""
        with self._file.writing() as connection:
            for article_id in article_ids:
                delete(connection, article_id)
