"""What of a catalogue file is sound, however damaged it is, and a new file made of that.

Read past the Catalogue, which rightly refuses to open what it cannot trust.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import numpy as np

from citewire.index.catalogue.articles import ARTICLE_COLUMNS, parse_article
from citewire.index.catalogue.checksums import article_checksum, vector_checksum
from citewire.index.catalogue.migrations import (
    FIRST_SEALED,
    LENGTH_TOLERANCE,
    is_outdated,
    require_known,
    schema_of,
)
from citewire.index.catalogue.opening import open_catalogue
from citewire.index.catalogue.passages import checksum_passages
from citewire.index.catalogue.postings import has_sound_postings
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.catalogue.seal import Witness
from citewire.index.catalogue.state import CatalogueState, read_meta
from citewire.index.errors import ArchiveDamaged, InvalidInput
from citewire.index.system.crash_points import reached
from citewire.index.types import Span

META = {"archive_id", "version", "encoder", "schema"}
FAULTS_NAMED = 5
ARTICLES_PER_PUT = 100
# What a damaged file makes SQLite's module raise; it decodes texts and believes lengths.
UNREADABLE = (sqlite3.Error, UnicodeDecodeError, MemoryError, OverflowError)


@dataclass(slots=True)
class Soundness:
    """What an examination found: the sound articles' numbers, and all that is wrong.

    `lost` are the ids of articles with anything wrong in what is stored of them. `faults` of the
    file lose nothing by themselves: everything that they concern can be made again. `forgotten`
    says how many acknowledged changes the file does not have.
    """

    encoder: str | None = None
    passages: int = 0
    sound: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    forgotten: int = 0


def examine(file: Path) -> Soundness:
    """Check everything that a catalogue file holds; nothing that is wrong with it is raised.

    Raises:
        ArchiveTooNew: only a newer version could tell.
    """
    found = Soundness()
    with closing(opened(file)) as connection:
        try:
            meta = read_meta(connection)
            if meta.keys() >= META:
                require_known(meta, file)
                state = CatalogueState.from_meta(meta)
                found.encoder = str(meta["encoder"])
        except (*UNREADABLE, TypeError, ArchiveDamaged) as error:
            found.faults.append(f"cannot be read: {error.args[0]}")
            return found
        if found.encoder is None:
            found.faults.append("does not say what it is")
            return found
        if schema_of(meta) >= FIRST_SEALED or Witness(file).has_sealed():
            ask_witness(file, state, found)
        found.faults += faults_of(connection)
        # An older version's words are built again when the catalogue is next opened.
        if not is_outdated(meta) and not words_are_sound(connection):
            found.faults.append("the index of words does not match the articles")
        for number, name in numbers_of(connection).items():
            try:
                found.passages += len(stored(connection, number).spans)
                found.sound.append(number)
            except (*UNREADABLE, ArchiveDamaged):
                found.lost.append(name)
    return found


def ask_witness(file: Path, state: CatalogueState, found: Soundness) -> None:
    """Add what the files beside the catalogue tell of it."""
    witness = Witness(file)
    noted = witness.acknowledged()
    if noted is not None and noted.archive_id == state.archive_id:
        found.forgotten = max(0, noted.version - state.version)
    try:
        witness.require_unchanged(state, noted)
    except ArchiveDamaged as error:
        found.faults.append(error.args[0])


def opened(file: Path) -> sqlite3.Connection:
    """Open the file for reading what can be read; the salvage never writes to it."""
    connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
    connection.isolation_level = None
    # Otherwise a file that was cut short is not read at all.
    connection.execute("PRAGMA writable_schema = ON")
    return connection


def faults_of(connection: sqlite3.Connection) -> list[str]:
    """Return what is wrong with the file's structure and its references."""
    faults: list[str] = []
    try:
        rows = connection.execute(f"PRAGMA integrity_check({FAULTS_NAMED})").fetchall()
        faults += [str(row[0]) for row in rows if row[0] != "ok"]
        lonely = connection.execute("PRAGMA foreign_key_check").fetchall()
        faults += [f"{len(lonely)} rows refer to nothing"] if lonely else []
    except UNREADABLE as error:
        faults.append(f"cannot be checked: {error}")
    return faults


def words_are_sound(connection: sqlite3.Connection) -> bool:
    """Say whether the index of words holds the words of all passages and no others."""
    try:
        return has_sound_postings(connection)
    except (*UNREADABLE, ValueError, TypeError):
        return False


def numbers_of(connection: sqlite3.Connection) -> dict[int, str]:
    """Return the numbers of all articles that there are or ever seem to have been, with ids.

    Gathered from whatever can be read: the table, the index of ids, and the passages.
    """
    known: dict[int, str] = {}
    for statement in (
        "SELECT number, id FROM articles NOT INDEXED",
        "SELECT number, id FROM articles INDEXED BY sqlite_autoindex_articles_1",
        "SELECT DISTINCT article, NULL FROM passages",
    ):
        try:
            for number, name in connection.execute(statement):
                known.setdefault(number, f"number {number}" if name is None else str(name))
        except UNREADABLE:
            continue
    return dict(sorted(known.items()))


def stored(connection: sqlite3.Connection, number: int) -> EncodedArticle:
    """Read one article whole; raise ArchiveDamaged, or what SQLite raises, at any doubt."""
    article = parse_article(
        connection.execute(
            f"SELECT digest, {ARTICLE_COLUMNS} FROM articles WHERE number = ?", (number,)
        ).fetchone()
    )
    (origin,) = connection.execute(
        "SELECT origin FROM articles WHERE number = ?", (number,)
    ).fetchone()
    rows = connection.execute(
        "SELECT passages.id, start, end, vector FROM passages"
        " LEFT JOIN vectors ON vectors.passage = passages.id"
        " WHERE article = ? ORDER BY passages.id",
        (number,),
    ).fetchall()
    if not rows or any(row[3] is None for row in rows):
        raise ArchiveDamaged(f"{article.id}: has lost passages or vectors")
    if len({len(row[3]) for row in rows}) > 1 or len(rows[0][3]) % 4:
        raise ArchiveDamaged(f"{article.id}: has vectors of different lengths")
    try:
        spans = tuple(Span(row[1], row[2]) for row in rows)
        for span in spans:
            span.of(article.text)
    except (InvalidInput, TypeError) as error:
        raise ArchiveDamaged(f"{article.id}: has a passage that is none: {error}") from error
    require_checksums(connection, (number, article.id, str(origin)), rows)
    vectors = np.frombuffer(b"".join(row[3] for row in rows), np.float32).reshape(len(rows), -1)
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1)
    if not np.all(np.abs(lengths - 1) < LENGTH_TOLERANCE):
        raise ArchiveDamaged(f"{article.id}: has a vector whose length is not one")
    return EncodedArticle(article, str(origin), spans, vectors)


def require_checksums(
    connection: sqlite3.Connection,
    article: tuple[int, str, str],
    rows: list[tuple[int, int, int, bytes]],
) -> None:
    """Raise ArchiveDamaged unless an article is as stored; `rows` are its passages and vectors."""
    if not has_checksums(connection):
        return
    number = article[0]
    whole, known = connection.execute(
        "SELECT checksum, fingerprint FROM articles WHERE number = ?", (number,)
    ).fetchone()
    passages = [row[:3] for row in rows]
    vectors = [vector_checksum(row[0], row[3]) for row in rows]
    stored_sums = connection.execute(
        "SELECT passages.checksum, vectors.checksum FROM passages"
        " JOIN vectors ON vectors.passage = passages.id WHERE article = ? ORDER BY passages.id",
        (number,),
    ).fetchall()
    own_sums = list(zip(checksum_passages(number, passages), vectors, strict=True))
    if stored_sums != own_sums or whole != article_checksum((*article, known), passages, vectors):
        raise ArchiveDamaged(f"{article[1]}: does not match its checksums")


def has_checksums(connection: sqlite3.Connection) -> bool:
    """Say whether the file's schema has checksums."""
    columns = connection.execute("PRAGMA table_info(vectors)").fetchall()
    return "checksum" in {row[1] for row in columns}


def salvage(damaged: Path, found: Soundness, target: Path) -> None:
    """Make a new catalogue of the sound articles; no text is encoded again.

    It is another archive, since its passages have other ids.
    """
    assert found.encoder is not None
    # Of a repair that was killed.
    forget(target)
    with closing(open_catalogue(target, "create", encoder=found.encoder)) as catalogue:
        for first in range(0, len(found.sound), ARTICLES_PER_PUT):
            catalogue.put(read(damaged, found.sound[first : first + ARTICLES_PER_PUT]))
            reached("repair: some articles stored")
    reached("repair: all articles stored")


def forget(file: Path) -> None:
    """Remove a catalogue that nobody has open, with what lies beside it."""
    for part in (file, Path(f"{file}-wal"), Path(f"{file}-shm")):
        part.unlink(missing_ok=True)
    Witness(file).forget()


def bring_in(log: Path, file: Path) -> None:
    """Bring the log into the damaged file, where it is not past that, and remove it."""
    try:
        with closing(sqlite3.connect(file)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        pass
    log.unlink(missing_ok=True)


def read(file: Path, numbers: list[int]) -> Iterator[EncodedArticle]:
    """Yield the articles of these numbers."""
    with closing(opened(file)) as connection:
        for number in numbers:
            yield stored(connection, number)
