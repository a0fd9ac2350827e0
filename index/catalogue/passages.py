"""Read passages, whole or by their ids, and check them against their checksums."""

import sqlite3
from collections.abc import Sequence

import numpy as np

from citewire.index.catalogue.articles import read_articles
from citewire.index.catalogue.checksums import checksum_columns
from citewire.index.catalogue.conditions import (
    batch_ids,
    list_marks,
)
from citewire.index.errors import ArchiveDamaged, InvalidInput
from citewire.index.types import Article, Passage, Span

PASSAGE_COLUMNS = "id, article, start, end, checksum"


def count_rows(connection: sqlite3.Connection) -> tuple[int, int]:
    """Return the number of articles and the number of passages."""
    articles = connection.execute("SELECT count(*) FROM articles").fetchone()[0]
    passages = connection.execute("SELECT count(*) FROM passages").fetchone()[0]
    return articles, passages


def read_passages(connection: sqlite3.Connection, ids: Sequence[int]) -> dict[int, Passage]:
    """Return the passages that exist among `ids`, each with its whole article."""
    found: dict[int, Passage] = {}
    articles: dict[int, Article] = {}
    for batch in batch_ids(ids):
        rows = connection.execute(
            f"SELECT {PASSAGE_COLUMNS} FROM passages WHERE id IN ({list_marks(batch)})",
            batch,
        ).fetchall()
        require_sound(rows)
        articles |= read_articles(connection, list({row[1] for row in rows} - articles.keys()))
        for passage_id, number, start, end, _ in rows:
            found[passage_id] = parse_passage(passage_id, articles[number], start, end)
    return found


def parse_passage(passage_id: int, article: Article, start: int, end: int) -> Passage:
    """Return the passage; raise ArchiveDamaged when it is no stretch of its article."""
    try:
        return Passage(passage_id, article, Span(start, end))
    except InvalidInput as error:
        raise ArchiveDamaged(f"{article.id}: passage {passage_id}: {error}") from error


def require_sound(rows: Sequence[Sequence[int]]) -> None:
    """Raise ArchiveDamaged unless passages, rows of PASSAGE_COLUMNS, match their checksums."""
    if not rows:
        return
    columns = [[row[at] for row in rows] for at in range(5)]
    try:
        wrong = np.flatnonzero(checksum_columns(*columns[:4]) != np.array(columns[4], np.int64))
    except (TypeError, ValueError, OverflowError) as error:
        raise ArchiveDamaged(f"passages {columns[0][0]} and others: {error}") from error
    if wrong.size:
        raise ArchiveDamaged(f"passage {columns[0][wrong[0]]}: does not match its checksum")


def checksum_passages(number: int, rows: Sequence[tuple[int, int, int]]) -> list[int]:
    """Return the checksums of an article's passages, rows of id, start and end."""
    ids, starts, ends = [[row[at] for row in rows] for at in range(3)]
    sums: list[int] = checksum_columns(ids, [number] * len(rows), starts, ends).tolist()
    return sums


def read_existing_ids(connection: sqlite3.Connection, ids: Sequence[int]) -> set[int]:
    """Return the ids among `ids` of passages that exist."""
    found: set[int] = set()
    for batch in batch_ids(ids):
        rows = connection.execute(
            f"SELECT id FROM passages WHERE id IN ({list_marks(batch)})", batch
        )
        found.update(row[0] for row in rows)
    return found


def read_ids_through(connection: sqlite3.Connection, passage_id: int) -> set[int]:
    """Return the ids of the passages that exist, up to and including `passage_id`."""
    rows = connection.execute("SELECT id FROM passages WHERE id <= ?", (passage_id,))
    return {row[0] for row in rows}


def read_article_numbers(connection: sqlite3.Connection, ids: Sequence[int]) -> set[int]:
    """Return the numbers of the articles that the passages are of."""
    found: set[int] = set()
    for batch in batch_ids(ids):
        rows = connection.execute(
            f"SELECT article FROM passages WHERE id IN ({list_marks(batch)})", batch
        )
        found.update(row[0] for row in rows)
    return found


def count_through(connection: sqlite3.Connection, passage_id: int) -> int:
    """Return the number of passages with an id up to and including `passage_id`."""
    (count,) = connection.execute(
        "SELECT count(*) FROM passages WHERE id <= ?", (passage_id,)
    ).fetchone()
    return int(count)


def count_after(connection: sqlite3.Connection, passage_id: int) -> int:
    """Return the number of passages with a greater id."""
    (count,) = connection.execute(
        "SELECT count(*) FROM passages WHERE id > ?", (passage_id,)
    ).fetchone()
    return int(count)
