"""Read articles: whole ones, lists of them, and the fields that indexing compares."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from datetime import date

from citewire.index.catalogue.conditions import (
    batch_ids,
    build_filter_condition,
    list_marks,
)
from citewire.index.catalogue.records import ArticleRecord, Known, Source, fingerprint
from citewire.index.errors import ArchiveDamaged, InvalidInput, UnknownArticle
from citewire.index.text.chunking import CHUNKER_VERSION
from citewire.index.text.folding import fold_case
from citewire.index.types import Article, Filters

# The fingerprint vouches for the other columns; see parse_article.
ARTICLE_COLUMNS = "id, title, text, source, url, published, author, language, fingerprint"
RECORD_COLUMNS = "id, title, source, url, published, author, language, digest, length(text)"


def read_article(connection: sqlite3.Connection, article_id: str) -> Article:
    """Return one article; raise UnknownArticle when there is none of this id."""
    row = connection.execute(
        f"SELECT digest, {ARTICLE_COLUMNS} FROM articles WHERE id = ?", (article_id,)
    ).fetchone()
    if row is None:
        raise UnknownArticle(article_id)
    return parse_article(row)


def read_articles(connection: sqlite3.Connection, numbers: Sequence[int]) -> dict[int, Article]:
    """Return the articles of some numbers, which all exist, a few hundred at most."""
    rows = {
        number: row
        for number, *row in connection.execute(
            f"SELECT number, digest, {ARTICLE_COLUMNS} FROM articles"
            f" WHERE number IN ({list_marks(numbers)})",
            numbers,
        )
    }
    return {number: parse_article(rows.get(number)) for number in numbers}


def parse_article(row: Sequence[str] | None) -> Article:
    """Return the article of its digest and columns; raise ArchiveDamaged when they differ."""
    if row is None:
        raise ArchiveDamaged("a passage has lost its article")
    digest, article_id, title, text, source, url, published, author, language, known = row
    try:
        when = parse_date(published)
        article = Article(article_id, title, text, source, url, when, author, language)
    except (InvalidInput, ValueError) as error:
        raise ArchiveDamaged(f"{article_id}: the stored row is not an article: {error}") from error
    if article.digest != digest:
        raise ArchiveDamaged(f"{article_id}: the stored text does not match its digest")
    # An older version may have cut it differently; that is no damage.
    if known not in {fingerprint(article, version + 1) for version in range(CHUNKER_VERSION)}:
        raise ArchiveDamaged(f"{article_id}: the stored fields do not match their fingerprint")
    return article


def parse_date(value: str | None) -> date | None:
    """Parse a stored date."""
    return None if value is None else date.fromisoformat(value)


def list_articles(
    connection: sqlite3.Connection, *, after: str, limit: int, filters: Filters, named: str
) -> list[ArticleRecord]:
    """Return up to `limit` articles in the order of their ids, beginning after `after`.

    Only those that pass the filters and have `named` in their title or id, in either case.
    """
    condition, values = build_filter_condition(filters)
    # SQLite's own function is quicker, and folds only ASCII letters.
    fold = "lower" if named.isascii() else "folded"
    connection.create_function("folded", 1, fold_case, deterministic=True)
    rows = connection.execute(
        f"SELECT {RECORD_COLUMNS} FROM articles WHERE id > ? AND {condition}"
        f" AND (instr({fold}(title), ?) OR instr({fold}(id), ?))"
        " ORDER BY id LIMIT ?",
        (after, *values, fold_case(named), fold_case(named), limit),
    ).fetchall()
    return [
        ArticleRecord(article_id, title, source, url, parse_date(published), *others)
        for article_id, title, source, url, published, *others in rows
    ]


def read_articles_containing(
    connection: sqlite3.Connection, strings: Sequence[str], numbers: Collection[int] | None
) -> Iterator[Article]:
    """Yield the articles whose text contains all of the strings, in the order of their numbers.

    Only those of the given numbers, unless these are None. One article at a time is in memory.
    """
    contains = " AND ".join(["instr(text, ?)"] * len(strings)) or "TRUE"
    if numbers is None:
        yield from select_articles(connection, contains, strings)
        return
    for batch in batch_ids(sorted(numbers)):
        among = f"number IN ({list_marks(batch)})"
        yield from select_articles(connection, f"{among} AND {contains}", [*batch, *strings])


def select_articles(
    connection: sqlite3.Connection, condition: str, values: Sequence[str | int]
) -> Iterator[Article]:
    """Yield the articles that meet a condition, in the order of their numbers."""
    rows = connection.execute(
        f"SELECT digest, {ARTICLE_COLUMNS} FROM articles WHERE {condition} ORDER BY number", values
    )
    for row in rows:
        yield parse_article(row)


def read_sources(connection: sqlite3.Connection, limit: int) -> list[Source]:
    """Return up to `limit` sources, those of most articles first."""
    rows = connection.execute(
        "SELECT source, count(*) AS articles FROM articles WHERE source IS NOT NULL"
        " GROUP BY source ORDER BY articles DESC, source LIMIT ?",
        (limit,),
    ).fetchall()
    return [Source(name, articles) for name, articles in rows]


def read_known(connection: sqlite3.Connection, article_ids: Sequence[str]) -> dict[str, Known]:
    """Return fingerprint and origin of the articles among `article_ids` that exist, by id."""
    found: dict[str, Known] = {}
    for batch in batch_ids(article_ids):
        rows = connection.execute(
            f"SELECT id, fingerprint, origin FROM articles WHERE id IN ({list_marks(batch)})",
            batch,
        )
        found |= {row[0]: Known(row[1], row[2]) for row in rows}
    return found


def read_known_after(
    connection: sqlite3.Connection, article_id: str, limit: int
) -> dict[str, Known]:
    """Return fingerprint and origin of up to `limit` articles after `article_id`, in order."""
    rows = connection.execute(
        "SELECT id, fingerprint, origin FROM articles WHERE id > ? ORDER BY id LIMIT ?",
        (article_id, limit),
    ).fetchall()
    return {row[0]: Known(row[1], row[2]) for row in rows}
