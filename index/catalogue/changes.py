"""Insert and delete articles with their passages, vectors and tokens, inside a transaction."""

import sqlite3
from collections.abc import Sequence

from citewire.index.catalogue.articles import ARTICLE_COLUMNS
from citewire.index.catalogue.checksums import checksum_article, checksum_vector
from citewire.index.catalogue.passages import checksum_passages
from citewire.index.catalogue.postings import add_postings, remove_postings
from citewire.index.catalogue.records import EncodedArticle, fingerprint
from citewire.index.system.crash_points import pass_crash_point
from citewire.index.types import Article


def delete_article(connection: sqlite3.Connection, article_id: str) -> None:
    """Delete one article, if it exists, with everything that belongs to it."""
    stored = connection.execute(
        "SELECT number, title, text FROM articles WHERE id = ?", (article_id,)
    ).fetchone()
    if stored is None:
        return
    number, title, text = stored
    passages = connection.execute(
        "SELECT id, start, end FROM passages WHERE article = ?", (number,)
    ).fetchall()
    # The postings hold no text: it is analysed again to find the terms to remove.
    remove_postings(
        connection, {passage: (title, text[start:end]) for passage, start, end in passages}
    )
    connection.executemany(
        "DELETE FROM vectors WHERE passage = ?", [(passage,) for passage, _, _ in passages]
    )
    connection.execute("DELETE FROM passages WHERE article = ?", (number,))
    connection.execute("DELETE FROM articles WHERE number = ?", (number,))
    pass_crash_point("put: old deleted")


def insert_article(connection: sqlite3.Connection, item: EncodedArticle) -> None:
    """Insert one article with its passages, vectors and tokens."""
    article = item.article
    # Numbers are chosen here, since the checksums cover them.
    number, first = choose_number(connection, "articles"), choose_number(connection, "passages")
    ids = range(first, first + len(item.spans))
    rows = [(passage, span.start, span.end) for passage, span in zip(ids, item.spans, strict=True)]
    blobs = [vector.tobytes() for vector in item.vectors]
    sums = [checksum_vector(*pair) for pair in zip(ids, blobs, strict=True)]
    known = fingerprint(article)
    whole = checksum_article((number, article.id, item.origin, known), rows, sums)
    insert_row(connection, article, known, (number, article.digest, item.origin, whole))
    pass_crash_point("put: article inserted")
    own = checksum_passages(number, rows)
    connection.executemany(
        "INSERT INTO passages (id, start, end, article, checksum) VALUES (?, ?, ?, ?, ?)",
        [(*row, number, checksum) for row, checksum in zip(rows, own, strict=True)],
    )
    connection.executemany(
        "INSERT INTO vectors VALUES (?, ?, ?)", zip(ids, blobs, sums, strict=True)
    )
    pass_crash_point("put: vectors inserted")
    spans = zip(ids, item.spans, strict=True)
    add_postings(
        connection, {passage: (article.title, span.of(article.text)) for passage, span in spans}
    )
    pass_crash_point("put: words added")


def insert_row(
    connection: sqlite3.Connection, article: Article, known: str, others: Sequence[int | str]
) -> None:
    """Insert an article's row: its fields, its fingerprint `known`, and the other columns."""
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
            *others,
        ),
    )


def choose_number(connection: sqlite3.Connection, table: str) -> int:
    """Return the number of the table's next row: one that no row ever had."""
    given = connection.execute(
        "SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)
    ).fetchone()
    key = {"articles": "number", "passages": "id"}[table]
    (largest,) = connection.execute(f"SELECT coalesce(max({key}), 0) FROM {table}").fetchone()
    return int(max(largest, given[0] if given else 0)) + 1
