"""Migrate a catalogue of an older schema to this version's, one schema after the other.

Articles, passages and vectors stay the same; nothing is encoded again.
"""

import sqlite3
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from citewire.index.catalogue.checksums import checksum_article, checksum_vector
from citewire.index.catalogue.passages import checksum_passages
from citewire.index.catalogue.postings import rebuild_postings
from citewire.index.catalogue.schema import SCHEMA_VERSION
from citewire.index.catalogue.state import read_meta
from citewire.index.errors import ArchiveDamaged, ArchiveTooNew
from citewire.index.system.crash_points import pass_crash_point
from citewire.index.text.analysis import WORDS_VERSION

# Difference of a vector's length from one: encoders give unit vectors, up to rounding.
LENGTH_TOLERANCE = 1e-3
# Schema from which on files are sealed, and unsealed ones are not trusted.
FIRST_SEALED = 3


def parse_schema(meta: Mapping[str, str]) -> int:
    """Return a catalogue's schema; raise ArchiveDamaged when it names none."""
    try:
        schema = int(meta["schema"])
    except (KeyError, ValueError) as error:
        raise ArchiveDamaged("the catalogue lacks its schema") from error
    if schema < 1:
        raise ArchiveDamaged(f"the catalogue has schema {schema}, which does not exist")
    return schema


def require_known(meta: Mapping[str, str], file: Path) -> None:
    """Raise ArchiveTooNew for a schema that this version does not know."""
    if parse_schema(meta) > SCHEMA_VERSION:
        raise ArchiveTooNew(
            f"{file}: has schema {meta['schema']}, of a newer version of Citewire; this one reads"
            f" up to schema {SCHEMA_VERSION}: use the newer version, or index the articles into"
            " another data directory"
        )


def is_outdated(meta: Mapping[str, str]) -> bool:
    """Say whether a catalogue needs `migrate` before this version can read it."""
    return parse_schema(meta) < SCHEMA_VERSION or meta.get("words") != str(WORDS_VERSION)


def migrate(connection: sqlite3.Connection) -> None:
    """Bring an older catalogue up to date, inside the caller's transaction.

    Raises:
        ArchiveDamaged: it holds values that no version has stored.
    """
    meta = read_meta(connection)
    pass_crash_point("migrate: begun")
    for schema in range(parse_schema(meta), SCHEMA_VERSION):
        MIGRATIONS[schema](connection)
        pass_crash_point("migrate: schema changed")
    if meta.get("words") != str(WORDS_VERSION):
        rebuild_postings(connection)
        pass_crash_point("migrate: words made")
    current = {"schema": str(SCHEMA_VERSION), "words": str(WORDS_VERSION)}
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", current.items())
    pass_crash_point("migrate: noted")


def replace_full_text_search(connection: sqlite3.Connection) -> None:
    """Migrate from schema 1, which searched by FTS5, to 2, which has its own postings."""
    connection.execute("DROP VIEW IF EXISTS passage_texts")
    connection.execute("DROP TABLE IF EXISTS lexical")
    rebuild_postings(connection)
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('words', ?)", (str(WORDS_VERSION),))


def add_checksums(connection: sqlite3.Connection) -> None:
    """Migrate from schema 2 to 3, which has checksums of passages, vectors and articles."""
    (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise ArchiveDamaged(f"the catalogue cannot be brought up to date: {said}")
    connection.execute("ALTER TABLE articles ADD COLUMN checksum TEXT NOT NULL DEFAULT ''")
    connection.execute("ALTER TABLE passages ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0")
    connection.execute("ALTER TABLE vectors ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0")
    articles = connection.execute(
        "SELECT number, id, origin, fingerprint, length(text) FROM articles"
    ).fetchall()
    for *article, characters in articles:
        rows = connection.execute(
            "SELECT passages.id, start, end, vector FROM passages"
            " LEFT JOIN vectors ON vectors.passage = passages.id"
            " WHERE article = ? ORDER BY passages.id",
            (article[0],),
        ).fetchall()
        require_plausible(article[1], rows, characters)
        passages = [row[:3] for row in rows]
        vectors = [checksum_vector(row[0], row[3]) for row in rows]
        connection.executemany(
            "UPDATE passages SET checksum = ? WHERE id = ?",
            zip(checksum_passages(article[0], passages), (row[0] for row in rows), strict=True),
        )
        connection.executemany(
            "UPDATE vectors SET checksum = ? WHERE passage = ?",
            zip(vectors, (row[0] for row in rows), strict=True),
        )
        connection.execute(
            "UPDATE articles SET checksum = ? WHERE number = ?",
            (checksum_article(article, passages, vectors), article[0]),
        )


def require_plausible(name: str, rows: list[tuple[int, int, int, bytes]], characters: int) -> None:
    """Raise ArchiveDamaged for passages that no version has stored, before they get checksums."""
    for passage, start, end, vector in rows:
        if not 0 <= start < end <= characters:
            raise ArchiveDamaged(f"{name}: passage {passage} is no stretch of its text")
        if not vector or len(vector) % 4:
            raise ArchiveDamaged(f"{name}: passage {passage} has lost its vector")
        length = np.linalg.norm(np.frombuffer(vector, np.float32).astype(np.float64))
        if not abs(length - 1) < LENGTH_TOLERANCE:
            raise ArchiveDamaged(f"{name}: passage {passage} has a vector whose length is not one")


MIGRATIONS: dict[int, Callable[[sqlite3.Connection], None]] = {
    1: replace_full_text_search,
    2: add_checksums,
}
