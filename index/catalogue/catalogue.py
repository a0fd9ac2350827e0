"""The source of truth, in one SQLite file: articles, passages, vectors, lexical index.

Changes survive a kill once `put` or `remove` has returned. Everything outside this file is derived
from it and may be thrown away. The statements are in modules by subject; here are the transactions
that they run in.
"""

import sqlite3
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from citewire.index.catalogue import articles, passages
from citewire.index.catalogue.changes import delete_article, insert_article
from citewire.index.catalogue.columns import Columns, ColumnStore
from citewire.index.catalogue.conditions import batch_ids
from citewire.index.catalogue.postings import read_postings, read_terms_beginning
from citewire.index.catalogue.records import ArticleRecord, EncodedArticle, Known, Source
from citewire.index.catalogue.state import CatalogueState, read_state
from citewire.index.catalogue.stored_vectors import read_vectors, read_vectors_after
from citewire.index.catalogue.term_vectors import read_term_vectors
from citewire.index.embedding import Vectors
from citewire.index.types import EVERY_ARTICLE, Article, Filters, Passage


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
        """Return the archive's id and version."""
        with self._file.reading() as connection:
            return read_state(connection)

    def counts(self) -> tuple[int, int]:
        """Return the number of articles and the number of passages."""
        with self._file.reading() as connection:
            return passages.count_rows(connection)

    def article(self, article_id: str) -> Article:
        """Return one article; raise UnknownArticle when there is none of this id."""
        with self._file.reading() as connection:
            return articles.read_article(connection, article_id)

    def list_articles(
        self, *, after: str, limit: int, filters: Filters = EVERY_ARTICLE, named: str = ""
    ) -> list[ArticleRecord]:
        """Return up to `limit` articles in the order of their ids, beginning after `after`.

        Only those that pass the filters and have `named` in their title or id, in either case.
        """
        with self._file.reading() as connection:
            return articles.list_articles(
                connection, after=after, limit=limit, filters=filters, named=named
            )

    def articles_containing(
        self, strings: Sequence[str], numbers: Collection[int] | None = None
    ) -> Iterator[Article]:
        """Yield the articles whose text contains all of the strings, one at a time in memory.

        In the order of their numbers; only those of the given numbers, unless these are None.
        """
        with self._file.reading() as connection:
            yield from articles.read_articles_containing(connection, strings, numbers)

    def article_numbers(self, passage_ids: Sequence[int]) -> set[int]:
        """Return the numbers of the articles that the passages are of."""
        with self._file.reading() as connection:
            return passages.read_article_numbers(connection, passage_ids)

    def sources(self, *, limit: int) -> list[Source]:
        """Return up to `limit` sources of articles, those of most articles first."""
        with self._file.reading() as connection:
            return articles.read_sources(connection, limit)

    def known(self, article_ids: Sequence[str]) -> dict[str, Known]:
        """Return fingerprint and origin of the articles among `article_ids` that exist, by id."""
        with self._file.reading() as connection:
            return articles.read_known(connection, article_ids)

    def known_after(self, article_id: str, limit: int) -> dict[str, Known]:
        """Return fingerprint and origin of up to `limit` articles after `article_id`, in order."""
        with self._file.reading() as connection:
            return articles.read_known_after(connection, article_id, limit)

    def passages(self, ids: Sequence[int]) -> dict[int, Passage]:
        """Return the passages that exist among `ids`, each with its whole article."""
        with self._file.reading() as connection:
            return passages.read_passages(connection, ids)

    def term_vectors(self, ids: Sequence[int]) -> dict[int, bytes]:
        """Return the tokens of passages, which all exist, in order and hashed."""
        found: dict[int, bytes] = {}
        with self._file.reading() as connection:
            for batch in batch_ids(ids):
                found |= read_term_vectors(connection, batch)
        return found

    def postings(self, term: str) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """Return the ids of the passages that have the term, and its count in each."""
        with self._file.reading() as connection:
            return read_postings(connection, term)

    def terms_beginning(self, prefix: str) -> list[str]:
        """Return the indexed terms with a prefix, in order, a thousand of them at most."""
        with self._file.reading() as connection:
            return read_terms_beginning(connection, prefix)

    def columns(self) -> Columns:
        """Return length, date and source of every passage, in the state that is being read."""
        with self._file.reading() as connection:
            return self._columns.current(connection, self.state())

    def vectors(self, ids: Sequence[int]) -> tuple[list[int], Vectors]:
        """Return the ids among `ids` that exist, and their vectors, one row each, in that order."""
        with self._file.reading() as connection:
            return read_vectors(connection, ids)

    def vectors_after(self, passage_id: int) -> tuple[list[int], Vectors]:
        """Return all ids greater than `passage_id`, ascending, with their vectors."""
        with self._file.reading() as connection:
            return read_vectors_after(connection, passage_id)

    def existing_passages(self, ids: Sequence[int]) -> set[int]:
        """Return the ids among `ids` that exist."""
        with self._file.reading() as connection:
            return passages.read_existing_ids(connection, ids)

    def passages_through(self, passage_id: int) -> set[int]:
        """Return the ids that exist, up to and including `passage_id`."""
        with self._file.reading() as connection:
            return passages.read_ids_through(connection, passage_id)

    def count_passages_through(self, passage_id: int) -> int:
        """Return the number of passages with an id up to and including `passage_id`."""
        with self._file.reading() as connection:
            return passages.count_through(connection, passage_id)

    def count_passages_after(self, passage_id: int) -> int:
        """Return the number of passages with a greater id."""
        with self._file.reading() as connection:
            return passages.count_after(connection, passage_id)

    # -- writing

    def put(self, encoded: Iterable[EncodedArticle]) -> None:
        """Store articles with their passages and vectors, replacing those of the same id.

        All of them or none: one transaction.
        """
        with self._file.writing() as connection:
            for item in encoded:
                delete_article(connection, item.article.id)
                insert_article(connection, item)

    def remove(self, article_ids: Iterable[str]) -> None:
        """Delete the articles, their passages, vectors and tokens, in one transaction."""
        with self._file.writing() as connection:
            for article_id in article_ids:
                delete_article(connection, article_id)
