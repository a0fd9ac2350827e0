"""Check a catalogue's file, however damaged it is: which articles are sound, and what is wrong.

It is read without the Catalogue, which refuses to open a file that it cannot trust.
"""

import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import numpy as np

from citewire.index.catalogue.articles import ARTICLE_COLUMNS, parse_article
from citewire.index.catalogue.checks import REQUIRED_META
from citewire.index.catalogue.checksums import checksum_article, checksum_vector
from citewire.index.catalogue.migrations import (
    FIRST_SEALED,
    LENGTH_TOLERANCE,
    is_outdated,
    parse_schema,
    require_known,
)
from citewire.index.catalogue.passages import checksum_passages
from citewire.index.catalogue.postings import has_sound_postings
from citewire.index.catalogue.records import EncodedArticle
from citewire.index.catalogue.seal import Witness
from citewire.index.catalogue.state import CatalogueState, read_meta
from citewire.index.catalogue.stored_vectors import FLOAT_BYTES
from citewire.index.errors import ArchiveDamaged, InvalidInput
from citewire.index.types import Span

# Keys of the table `meta` that every catalogue has.
REQUIRED_KEYS = REQUIRED_META | {"schema"}
# Faults that SQLite's integrity check names at most.
MAX_FAULTS = 5
# Errors that the sqlite3 module raises on a damaged file: it decodes texts and trusts lengths.
UNREADABLE = (sqlite3.Error, UnicodeDecodeError, MemoryError, OverflowError)


@dataclass(slots=True)
class CheckReport:
    """The numbers of the sound articles, and everything that is wrong with a catalogue's file.

    `lost` are the ids of articles of which anything stored is wrong. `faults` of the file lose
    nothing by themselves: everything that they concern can be built again. `forgotten` is the
    number of acknowledged changes that the file does not have.
    """

    encoder: str | None = None
    passages: int = 0
    sound: list[int] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    forgotten: int = 0


def check_catalogue(file: Path) -> CheckReport:
    """Check everything that a catalogue's file holds; report faults instead of raising them.

    Raises:
        ArchiveTooNew: only a newer version can read it.
    """
    report = CheckReport()
    with closing(open_damaged(file)) as connection:
        try:
            meta = read_meta(connection)
            if meta.keys() >= REQUIRED_KEYS:
                require_known(meta, file)
                state = CatalogueState.from_meta(meta)
                report.encoder = str(meta["encoder"])
        except (*UNREADABLE, TypeError, ArchiveDamaged) as error:
            report.faults.append(f"cannot be read: {error.args[0]}")
            return report
        if report.encoder is None:
            report.faults.append("lacks the notes that every catalogue has")
            return report
        if parse_schema(meta) >= FIRST_SEALED or Witness(file).has_sealed():
            check_witness(file, state, report)
        report.faults += find_faults(connection)
        # An older version's lexical index is built again when the catalogue is next opened.
        if not is_outdated(meta) and not is_lexical_index_sound(connection):
            report.faults.append("the lexical index does not match the articles")
        check_articles(connection, report)
    return report


def open_damaged(file: Path) -> sqlite3.Connection:
    """Open a file that may be damaged; nothing is ever written to it."""
    connection = sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
    connection.isolation_level = None
    # Otherwise SQLite reads nothing of a file that was cut short.
    connection.execute("PRAGMA writable_schema = ON")
    return connection


def check_witness(file: Path, state: CatalogueState, report: CheckReport) -> None:
    """Compare the file with its seal and with the state acknowledged last."""
    witness = Witness(file)
    noted = witness.read_acknowledged()
    if noted is not None and noted.archive_id == state.archive_id:
        report.forgotten = max(0, noted.version - state.version)
    try:
        witness.require_unchanged(state, noted)
    except ArchiveDamaged as error:
        report.faults.append(error.args[0])


def find_faults(connection: sqlite3.Connection) -> list[str]:
    """Check the file's structure and its references; return the faults."""
    faults: list[str] = []
    try:
        rows = connection.execute(f"PRAGMA integrity_check({MAX_FAULTS})").fetchall()
        faults += [str(row[0]) for row in rows if row[0] != "ok"]
        dangling = connection.execute("PRAGMA foreign_key_check").fetchall()
        faults += [f"{len(dangling)} rows refer to nothing"] if dangling else []
    except UNREADABLE as error:
        faults.append(f"cannot be checked: {error}")
    return faults


def is_lexical_index_sound(connection: sqlite3.Connection) -> bool:
    """Say whether the lexical index holds the tokens of all passages and no others."""
    try:
        return has_sound_postings(connection)
    except (*UNREADABLE, ValueError, TypeError):
        return False


def check_articles(connection: sqlite3.Connection, report: CheckReport) -> None:
    """Read every article whole, and count it as sound or lost."""
    for number, name in collect_numbers(connection).items():
        try:
            report.passages += len(read_encoded(connection, number).spans)
            report.sound.append(number)
        except (*UNREADABLE, ArchiveDamaged):
            report.lost.append(name)


def collect_numbers(connection: sqlite3.Connection) -> dict[int, str]:
    """Return the numbers of all articles that exist or seem to have existed, with their ids.

    Collected from everything that can be read: the table, the index of ids, and the passages.
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


def read_encoded(connection: sqlite3.Connection, number: int) -> EncodedArticle:
    """Read one article whole; raise ArchiveDamaged, or one of UNREADABLE, at any doubt."""
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
    if len({len(row[3]) for row in rows}) > 1 or len(rows[0][3]) % FLOAT_BYTES:
        raise ArchiveDamaged(f"{article.id}: has vectors of different lengths")
    try:
        spans = tuple(Span(row[1], row[2]) for row in rows)
        for span in spans:
            span.of(article.text)
    except (InvalidInput, TypeError) as error:
        raise ArchiveDamaged(f"{article.id}: has an invalid passage: {error}") from error
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
    """Raise ArchiveDamaged unless an article matches its checksums.

    `article` is its number, id and origin; `rows` are its passages' ids, starts, ends and vectors.
    """
    if not has_checksums(connection):
        return
    number = article[0]
    whole, known = connection.execute(
        "SELECT checksum, fingerprint FROM articles WHERE number = ?", (number,)
    ).fetchone()
    passages = [row[:3] for row in rows]
    vectors = [checksum_vector(row[0], row[3]) for row in rows]
    stored_sums = connection.execute(
        "SELECT passages.checksum, vectors.checksum FROM passages"
        " JOIN vectors ON vectors.passage = passages.id WHERE article = ? ORDER BY passages.id",
        (number,),
    ).fetchall()
    own_sums = list(zip(checksum_passages(number, passages), vectors, strict=True))
    if stored_sums != own_sums or whole != checksum_article((*article, known), passages, vectors):
        raise ArchiveDamaged(f"{article[1]}: does not match its checksums")


def has_checksums(connection: sqlite3.Connection) -> bool:
    """Say whether the file's schema has checksums."""
    columns = connection.execute("PRAGMA table_info(vectors)").fetchall()
    return "checksum" in {row[1] for row in columns}
