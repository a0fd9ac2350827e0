"""The catalogue's tables: the schema, and how articles become rows and rows articles again."""

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np

from rag.chunking import CHUNKER_VERSION
from rag.errors import ArchiveDamaged, InvalidInput
from rag.postings import POSTINGS_SCHEMA, add_postings, rebuild_postings, remove_postings
from rag.protocols import Vectors
from rag.types import Article, Filters, Passage, Span
from rag.words import WORDS_VERSION

SCHEMA_VERSION = 2
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
    origin TEXT NOT NULL
);
CREATE INDEX articles_by_published ON articles (published);
CREATE INDEX articles_by_source ON articles (source);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    article INTEGER NOT NULL REFERENCES articles (number),
    start INTEGER NOT NULL,
    end INTEGER NOT NULL
);
CREATE INDEX passages_by_article ON passages (article);
-- Apart from the passages, so that reading those does not drag vectors through memory.
CREATE TABLE vectors (passage INTEGER PRIMARY KEY REFERENCES passages (id), vector BLOB NOT NULL);
"""
    + POSTINGS_SCHEMA
)
# The last one vouches for the others; see article_of.
ARTICLE_COLUMNS = "id, title, text, source, url, published, author, language, fingerprint"
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
class Known:
    """What tells whether an article is stored as it is: its fingerprint, and its origin."""

    fingerprint: str
    origin: str


def is_outdated(meta: Mapping[str, str]) -> bool:
    """Say whether a catalogue needs `update` before this version reads it."""
    known = meta.get("schema") in ("1", str(SCHEMA_VERSION))
    return known and (meta["schema"] == "1" or meta.get("words") != str(WORDS_VERSION))


def update(connection: sqlite3.Connection) -> None:
    """Bring an older catalogue's derived tables up to date, inside the caller's transaction.

    Articles, passages and vectors are as they were in schema 1, which searched by FTS5.
    """
    connection.execute("DROP VIEW IF EXISTS passage_texts")
    connection.execute("DROP TABLE IF EXISTS lexical")
    rebuild_postings(connection)
    meta = {"schema": str(SCHEMA_VERSION), "words": str(WORDS_VERSION)}
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", meta.items())


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


def insert(connection: sqlite3.Connection, item: EncodedArticle) -> None:
    """Insert one article with its passages, vectors and words."""
    article = item.article
    number = connection.execute(
        f"INSERT INTO articles ({ARTICLE_COLUMNS}, digest, origin)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            article.id,
            article.title,
            article.text,
            article.source,
            article.url,
            article.published and article.published.isoformat(),
            article.author,
            article.language,
            fingerprint(article),
            article.digest,
            item.origin,
        ),
    ).lastrowid
    texts: dict[int, tuple[str, str]] = {}
    for span, vector in zip(item.spans, item.vectors, strict=True):
        passage = connection.execute(
            "INSERT INTO passages (article, start, end) VALUES (?, ?, ?)",
            (number, span.start, span.end),
        ).lastrowid
        assert passage is not None
        connection.execute("INSERT INTO vectors VALUES (?, ?)", (passage, vector.tobytes()))
        texts[passage] = (article.title, span.of(article.text))
    add_postings(connection, texts)


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


def stacked(rows: list[tuple[int, bytes]]) -> tuple[list[int], Vectors]:
    """Return the ids and the vectors as one matrix."""
    ids = [row[0] for row in rows]
    if not rows:
        return [], np.zeros((0, 0), np.float32)
    joined = b"".join(row[1] for row in rows)
    return ids, np.frombuffer(joined, np.float32).reshape(len(rows), -1)
