"""The one durable truth, in one SQLite file: articles, passages, vectors, lexical index.

What `put` has returned from survives a kill. Everything outside this file is derived
from it and may be thrown away.
"""

import sqlite3
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.errors import (
    ArchiveDamaged,
    NoArchive,
    NotUsable,
    StorageFull,
    UnknownArticle,
    WrongEncoder,
)
from rag.protocols import Vectors
from rag.tables import (
    ARTICLE_COLUMNS,
    SCHEMA,
    SCHEMA_VERSION,
    ArticleRecord,
    EncodedArticle,
    Known,
    article_of,
    batches,
    day,
    delete,
    filter_sql,
    insert,
    is_outdated,
    marks,
    passage_of,
    stacked,
    update,
)
from rag.types import Article, Filters, Passage
from rag.words import WORDS_VERSION

# Errors that say nothing about what the file holds.
CIRCUMSTANCES = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
}

EVERY_ARTICLE = Filters()


@dataclass(frozen=True, slots=True)
class CatalogueState:
    """Which archive this is and how far it has come; `version` grows with every change."""

    archive_id: str
    version: int

    def __str__(self) -> str:
        return f"{self.archive_id[:8]}-{self.version}"


class Catalogue:
    """Reads and writes one catalogue file; each thread gets a connection of its own.

    Raises:
        NoArchive: the file does not exist and `create` is false.
        ArchiveDamaged: the file is not a catalogue of this version, or what it holds is broken.
        NotUsable: the file cannot be read or written now: the disk is full, say.
        WrongEncoder: the stored vectors are another model's.
    """

    def __init__(self, path: Path, *, encoder: str, create: bool = False) -> None:
        if not create and not path.exists():
            raise NoArchive(f"{path}: there is no catalogue")
        self._path = path
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._connections_lock = threading.Lock()
        try:
            with translating_damage(path):
                if create:
                    self._create(encoder)
                self._check(encoder)
        except NotUsable:
            self.close()
            raise

    @property
    def read_only(self) -> bool:
        """Whether it can be changed by another process alone."""
        return False

    @property
    def path(self) -> Path:
        """Where the catalogue's file lies."""
        return self._path

    def close(self) -> None:
        """Close every thread's connection."""
        with self._connections_lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection on which all reads see one and the same state."""
        with translating_damage(self._path):
            connection = self._connection()
            if connection.in_transaction:
                yield connection
                return
            connection.execute("BEGIN")
            try:
                yield connection
            finally:
                connection.execute("COMMIT")

    # -- reading

    def state(self) -> CatalogueState:
        """Return which archive this is and its version."""
        meta = self._meta()
        return CatalogueState(meta["archive_id"], int(meta["version"]))

    def counts(self) -> tuple[int, int]:
        """Return how many articles and how many passages there are."""
        with self.reading() as connection:
            articles = connection.execute("SELECT count(*) FROM articles").fetchone()[0]
            passages = connection.execute("SELECT count(*) FROM passages").fetchone()[0]
        return articles, passages

    def article(self, article_id: str) -> Article:
        """Return one article; raise UnknownArticle when there is none of this id."""
        with self.reading() as connection:
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
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT id, title, source, url, published, author, language, digest, length(text)"
                f" FROM articles WHERE id > ? AND {condition}"
                " AND (instr(lower(title), lower(?)) OR instr(lower(id), lower(?)))"
                " ORDER BY id LIMIT ?",
                (after, *values, named, named, limit),
            ).fetchall()
        return [
            ArticleRecord(article_id, title, source, url, day(published), *others)
            for article_id, title, source, url, published, *others in rows
        ]

    def fingerprints(self) -> dict[str, str]:
        """Return every article's fingerprint by its id."""
        with self.reading() as connection:
            return dict(connection.execute("SELECT id, fingerprint FROM articles").fetchall())

    def origins(self) -> dict[str, str]:
        """Return where every article was loaded from, by its id."""
        with self.reading() as connection:
            return dict(connection.execute("SELECT id, origin FROM articles").fetchall())

    def known(self, article_ids: Sequence[str]) -> dict[str, Known]:
        """Return what is known of the articles among `article_ids` that exist, by id."""
        found: dict[str, Known] = {}
        with self.reading() as connection:
            for batch in batches(article_ids):
                rows = connection.execute(
                    f"SELECT id, fingerprint, origin FROM articles WHERE id IN ({marks(batch)})",
                    batch,
                )
                found |= {row[0]: Known(row[1], row[2]) for row in rows}
        return found

    def known_after(self, article_id: str, limit: int) -> dict[str, Known]:
        """Return what is known of up to `limit` articles behind `article_id`, in that order."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT id, fingerprint, origin FROM articles WHERE id > ? ORDER BY id LIMIT ?",
                (article_id, limit),
            ).fetchall()
        return {row[0]: Known(row[1], row[2]) for row in rows}

    def passages(self, ids: Sequence[int]) -> dict[int, Passage]:
        """Return the passages that exist among `ids`, each with its whole article."""
        found: dict[int, Passage] = {}
        articles: dict[int, Article] = {}
        with self.reading() as connection:
            for batch in batches(ids):
                rows = connection.execute(
                    f"SELECT id, article, start, end FROM passages WHERE id IN ({marks(batch)})",
                    batch,
                ).fetchall()
                for number in {row[1] for row in rows} - articles.keys():
                    articles[number] = article_of(
                        connection.execute(
                            f"SELECT digest, {ARTICLE_COLUMNS} FROM articles WHERE number = ?",
                            (number,),
                        ).fetchone()
                    )
                for passage_id, number, start, end in rows:
                    found[passage_id] = passage_of(passage_id, articles[number], start, end)
        return found

    def passage_texts(self, ids: Sequence[int]) -> dict[int, tuple[str, str]]:
        """Return the titles and texts of the passages that exist among `ids`."""
        found: dict[int, tuple[str, str]] = {}
        with self.reading() as connection:
            for batch in batches(ids):
                rows = connection.execute(
                    "SELECT passages.id, title, substr(text, start + 1, end - start)"
                    " FROM passages JOIN articles ON articles.number = passages.article"
                    f" WHERE passages.id IN ({marks(batch)})",
                    batch,
                )
                found.update((passage, (title, text)) for passage, title, text in rows)
        return found

    def matching_passages(self, filters: Filters) -> list[int]:
        """Return the ids of all passages whose article passes the filters, ascending."""
        condition, values = filter_sql(filters)
        with self.reading() as connection:
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
        with self.reading() as connection:
            for batch in batches(ids):
                rows += connection.execute(
                    f"SELECT passage, vector FROM vectors WHERE passage IN ({marks(batch)})", batch
                ).fetchall()
        return stacked(rows)

    def vectors_after(self, passage_id: int) -> tuple[list[int], Vectors]:
        """Return all ids greater than `passage_id`, ascending, with their vectors."""
        with self.reading() as connection:
            rows = connection.execute(
                "SELECT passage, vector FROM vectors WHERE passage > ? ORDER BY passage",
                (passage_id,),
            ).fetchall()
        return stacked(rows)

    def existing_passages(self, ids: Sequence[int]) -> set[int]:
        """Return which of `ids` exist."""
        found: set[int] = set()
        with self.reading() as connection:
            for batch in batches(ids):
                rows = connection.execute(
                    f"SELECT id FROM passages WHERE id IN ({marks(batch)})", batch
                )
                found.update(row[0] for row in rows)
        return found

    def count_passages_through(self, passage_id: int) -> int:
        """Return how many passages have an id up to and including `passage_id`."""
        with self.reading() as connection:
            return int(
                connection.execute(
                    "SELECT count(*) FROM passages WHERE id <= ?", (passage_id,)
                ).fetchone()[0]
            )

    # -- writing

    def put(self, encoded: Iterable[EncodedArticle]) -> None:
        """Store articles with their passages and vectors, replacing those of the same id.

        All of them or none: one transaction.
        """
        with self._writing() as connection:
            for item in encoded:
                delete(connection, item.article.id)
                insert(connection, item)

    def remove(self, article_ids: Iterable[str]) -> None:
        """Delete the articles, their passages, vectors and words, in one transaction."""
        with self._writing() as connection:
            for article_id in article_ids:
                delete(connection, article_id)

    # -- inside

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        with translating_damage(self._path):
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("UPDATE meta SET value = value + 1 WHERE key = 'version'")
                connection.execute("COMMIT")
            except BaseException:
                # Some errors, as that of a full disk, may have ended the transaction already.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            with self._connections_lock:
                self._connections.append(connection)
            self._local.connection = connection
        return connection

    def _connect(self) -> sqlite3.Connection:
        # One thread uses it, but the thread that closes the catalogue closes it too.
        connection = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA busy_timeout = 10000")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        return connection

    def _meta(self) -> dict[str, str]:
        with self.reading() as connection:
            return dict(connection.execute("SELECT key, value FROM meta").fetchall())

    def _create(self, encoder: str) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = self._connection()
        if connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'meta'").fetchone():
            return
        meta = {
            "schema": str(SCHEMA_VERSION),
            "archive_id": uuid.uuid4().hex,
            "version": "0",
            "encoder": encoder,
            "words": str(WORDS_VERSION),
        }
        # One transaction: a kill in between leaves no half-made catalogue.
        connection.execute("BEGIN IMMEDIATE")
        for statement in SCHEMA.split(";\n"):
            connection.execute(statement)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta.items())
        connection.execute("COMMIT")

    def _check(self, encoder: str) -> None:
        meta = self._meta()
        if is_outdated(meta):
            with self._writing() as connection:
                update(connection)
            meta = self._meta()
        if meta.get("schema") != str(SCHEMA_VERSION):
            raise ArchiveDamaged(
                f"{self._path}: has schema {meta.get('schema')}, this version of Citewire reads"
                f" schema {SCHEMA_VERSION}; index the articles into a new data directory"
            )
        missing = {"archive_id", "version", "encoder"} - meta.keys()
        if missing:
            raise ArchiveDamaged(f"{self._path}: does not say its {', '.join(sorted(missing))}")
        if meta["encoder"] != encoder:
            raise WrongEncoder(
                f"{self._path.parent}: was indexed with the encoder {meta['encoder']}, configured"
                f" is {encoder}; set CITEWIRE_ENCODER back or index into another data directory"
            )


@contextmanager
def translating_damage(path: Path) -> Iterator[None]:
    """Turn SQLite's complaints into ArchiveDamaged, or NotUsable when the file may be sound."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        # The low byte is the kind; errors of Python's own have none.
        kind = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF
        if kind == sqlite3.SQLITE_FULL:
            raise StorageFull(f"{path}: {error}") from error
        if kind in CIRCUMSTANCES:
            raise NotUsable(f"{path}: {error}") from error
        raise ArchiveDamaged(f"{path}: {error}") from error
