"""The catalogue's tables: the schema, and how articles become rows and rows articles again."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np

from citewire.index.catalogue.checksums import article_checksum, passage_checksums, vector_checksum
from citewire.index.catalogue.postings import POSTINGS_SCHEMA, add_postings, remove_postings
from citewire.index.catalogue.term_vectors import TERM_VECTORS_SCHEMA
from citewire.index.embedding import Vectors
from citewire.index.errors import ArchiveDamaged, InvalidInput
from citewire.index.system.crash_points import reached
from citewire.index.text.chunking import CHUNKER_VERSION
from citewire.index.types import Article, Filters, Passage, Span

SCHEMA_VERSION = 3
SCHEMA = (
    """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE articles (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    source TEXT, url TEXT, published TEXT, author TEXT,
    language TEXT NOT NULL,
    text TEXT NOT NULL,
    digest TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    origin TEXT NOT NULL,
    checksum TEXT NOT NULL DEFAULT ''
);
CREATE INDEX articles_by_published ON articles (published);
CREATE INDEX articles_by_source ON articles (source);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    article INTEGER NOT NULL REFERENCES articles (number),
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX passages_by_article ON passages (article);
-- Apart from the passages, so that reading those does not drag vectors through memory.
CREATE TABLE vectors (
    passage INTEGER PRIMARY KEY REFERENCES passages (id),
    vector BLOB NOT NULL,
    checksum INTEGER NOT NULL DEFAULT 0
);
"""
    + POSTINGS_SCHEMA
    + TERM_VECTORS_SCHEMA
)
# The last one vouches for the others; see article_of.
ARTICLE_COLUMNS = "id, title, text, source, url, published, author, language, fingerprint"
PASSAGE_COLUMNS = "passages.id, passages.article, start, end, passages.checksum"
VECTOR_COLUMNS = "vectors.passage, vector, vectors.checksum"
Id = TypeVar("Id", int, str)
# SQLite's default bound on parameters was 999 before 3.32; batches stay under it.
IDS_PER_QUERY = 900


@dataclass(frozen=True, slots=True)
class EncodedArticle:
    """An article ready to be stored: its passages' spans, a unit vector for each, its origin.

    `origin` is where the article was loaded from; `vectors` has shape (spans, dimension).
    """

    article: Article
    origin: str
    spans: tuple[Span, ...]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class ArticleRecord:
    """What a list of articles shows of each: everything but the text."""

    id: str
    title: str
    source: str | None
    url: str | None
    published: date | None
    author: str | None
    language: str
    digest: str
    characters: int


@dataclass(frozen=True, slots=True)
class Source:
    """A source by its name, and how many articles name it."""

    name: str
    articles: int


@dataclass(frozen=True, slots=True)
class Known:
    """What tells whether an article is stored as it is: its fingerprint, and its origin."""

    fingerprint: str
    origin: str


def fingerprint(article: Article, chunker: int = CHUNKER_VERSION) -> str:
    """Return a digest of everything that is stored of the article: equal means unchanged."""
    values = [
        article.title,
        article.source,
        article.url,
        article.published and article.published.isoformat(),
        article.author,
        article.language,
        article.digest,
        chunker,
    ]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()


def delete(connection: sqlite3.Connection, article_id: str) -> None:
    """Delete one article, if it is there, with all that hangs on it."""
    stored = connection.execute(
        "SELECT number, title, text FROM articles WHERE id = ?", (article_id,)
    ).fetchone()
    if stored is None:
        return
    number, title, text = stored
    passages = connection.execute(
        "SELECT id, start, end FROM passages WHERE article = ?", (number,)
    ).fetchall()
    # The postings keep no text: they need the old words once more to forget them.
    remove_postings(
        connection, {passage: (title, text[start:end]) for passage, start, end in passages}
    )
    connection.executemany(
        "DELETE FROM vectors WHERE passage = ?", [(passage,) for passage, _, _ in passages]
    )
    connection.execute("DELETE FROM passages WHERE article = ?", (number,))
    connection.execute("DELETE FROM articles WHERE number = ?", (number,))
    reached("put: old deleted")


def insert(connection: sqlite3.Connection, item: EncodedArticle) -> None:
    """Insert one article with its passages, vectors and words."""
    article = item.article
    # Numbers are chosen here, since the checksums cover them.
    number, first = next_number(connection, "articles"), next_number(connection, "passages")
    ids = range(first, first + len(item.spans))
    rows = [(passage, span.start, span.end) for passage, span in zip(ids, item.spans, strict=True)]
    blobs = [vector.tobytes() for vector in item.vectors]
    sums = [vector_checksum(*pair) for pair in zip(ids, blobs, strict=True)]
    known = fingerprint(article)
    whole = article_checksum((number, article.id, item.origin, known), rows, sums)
    connection.execute(
        f"INSERT INTO articles ({ARTICLE_COLUMNS}, number, digest, origin, checksum)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            article.id,
            article.title,
            article.text,
            article.source,
            article.url,
            article.published and article.published.isoformat(),
            article.author,
            article.language,
            known,
            number,
            article.digest,
            item.origin,
            whole,
        ),
    )
    reached("put: article inserted")
    connection.executemany(
        "INSERT INTO passages VALUES (?, ?, ?, ?, ?)",
        [
            (passage, number, start, end, own)
            for (passage, start, end), own in zip(rows, sums_of(number, rows), strict=True)
        ],
    )
    connection.executemany(
        "INSERT INTO vectors VALUES (?, ?, ?)", zip(ids, blobs, sums, strict=True)
    )
    reached("put: vectors inserted")
    spans = zip(ids, item.spans, strict=True)
    add_postings(
        connection, {passage: (article.title, span.of(article.text)) for passage, span in spans}
    )
    reached("put: words added")


def next_number(connection: sqlite3.Connection, table: str) -> int:
    """Return the number that the table's next row gets: one that no row ever had."""
    given = connection.execute(
        "SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)
    ).fetchone()
    key = {"articles": "number", "passages": "id"}[table]
    (largest,) = connection.execute(f"SELECT coalesce(max({key}), 0) FROM {table}").fetchone()
    return int(max(largest, given[0] if given else 0)) + 1


def sums_of(number: int, rows: Sequence[tuple[int, int, int]]) -> list[int]:
    """Return the checksums of an article's passages, rows of id, start and end."""
    ids, starts, ends = [[row[at] for row in rows] for at in range(3)]
    sums: list[int] = passage_checksums(ids, [number] * len(rows), starts, ends).tolist()
    return sums


def require_sound(rows: Sequence[Sequence[int]]) -> None:
    """Raise ArchiveDamaged unless passages, rows that begin with PASSAGE_COLUMNS, are as stored."""
    if not rows:
        return
    columns = [[row[at] for row in rows] for at in range(5)]
    try:
        wrong = np.flatnonzero(passage_checksums(*columns[:4]) != np.array(columns[4], np.int64))
    except (TypeError, ValueError, OverflowError) as error:
        raise ArchiveDamaged(f"passages {columns[0][0]} and others: {error}") from error
    if wrong.size:
        raise ArchiveDamaged(f"passage {columns[0][wrong[0]]}: does not match its checksum")


def article_of(row: Sequence[str] | None) -> Article:
    """Build an article from its digest and columns; raise ArchiveDamaged when they differ."""
    if row is None:
        raise ArchiveDamaged("a passage has lost its article")
    digest, article_id, title, text, source, url, published, author, language, known = row
    try:
        article = Article(article_id, title, text, source, url, day(published), author, language)
    except (InvalidInput, ValueError) as error:
        raise ArchiveDamaged(f"{article_id}: is stored as no article: {error}") from error
    if article.digest != digest:
        raise ArchiveDamaged(f"{article_id}: the stored text does not match its digest")
    # An older version may have cut it otherwise; that is no damage.
    if known not in {fingerprint(article, version + 1) for version in range(CHUNKER_VERSION)}:
        raise ArchiveDamaged(f"{article_id}: the stored fields do not match their fingerprint")
    return article


def passage_of(passage_id: int, article: Article, start: int, end: int) -> Passage:
    """Build a passage; raise ArchiveDamaged when it is no stretch of its article."""
    try:
        return Passage(passage_id, article, Span(start, end))
    except InvalidInput as error:
        raise ArchiveDamaged(f"{article.id}: passage {passage_id}: {error}") from error


def day(value: str | None) -> date | None:
    """Read a stored date."""
    return None if value is None else date.fromisoformat(value)


def filter_sql(filters: Filters) -> tuple[str, list[str]]:
    """Return the filters as a condition on the table articles, with its values."""
    conditions = ["TRUE"]
    values: list[str] = []
    if filters.published_from is not None:
        conditions.append("published >= ?")
        values.append(filters.published_from.isoformat())
    if filters.published_to is not None:
        conditions.append("published <= ?")
        values.append(filters.published_to.isoformat())
    if filters.sources:
        conditions.append(f"source IN ({marks(sorted(filters.sources))})")
        values += sorted(filters.sources)
    return " AND ".join(conditions), values


def batches(ids: Sequence[Id]) -> Iterator[Sequence[Id]]:
    """Cut the ids into stretches that fit into one query."""
    for first in range(0, len(ids), IDS_PER_QUERY):
        yield ids[first : first + IDS_PER_QUERY]


def marks(values: Sequence[object]) -> str:
    """Return as many SQL parameter marks as there are values."""
    return ", ".join("?" * len(values))


def stacked(rows: Sequence[tuple[int, bytes, int]]) -> tuple[list[int], Vectors]:
    """Return the ids and the vectors as one matrix.

    `rows` are of the columns VECTOR_COLUMNS; raise ArchiveDamaged unless they are as stored.
    """
    ids = [row[0] for row in rows]
    if not rows:
        return [], np.zeros((0, 0), np.float32)
    for passage, vector, own in rows:
        if vector_checksum(passage, vector) != own:
            raise ArchiveDamaged(f"passage {passage}: its vector does not match its checksum")
    joined = b"".join(row[1] for row in rows)
    return ids, np.frombuffer(joined, np.float32).reshape(len(rows), -1)
