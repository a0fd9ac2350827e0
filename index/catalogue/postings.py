"""Postings, the inverted index: for each term, the passages that have it and its count in each.

They are stored in the catalogue's file, with each passage's term vector
(index/catalogue/term_vectors.py), and change in its transactions. They are derived from the texts:
lost or outdated ones are built again, without encoding anything.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from citewire.index.catalogue.term_vectors import (
    TERM_VECTORS_SCHEMA,
    add_term_vector,
    remove_term_vectors,
)
from citewire.index.errors import ArchiveDamaged
from citewire.index.text.analysis import Token, analyze

POSTINGS_SCHEMA = """
CREATE TABLE postings (
    term TEXT NOT NULL,
    block INTEGER NOT NULL,
    entries BLOB NOT NULL,
    PRIMARY KEY (term, block)
) WITHOUT ROWID;
"""
TABLES = {"postings": POSTINGS_SCHEMA, "wordings": TERM_VECTORS_SCHEMA}
# Ordered, so that two tables of equal content give equal rows.
IN_ORDER = {
    "postings": "SELECT term, block, entries FROM {}.postings ORDER BY term, block",
    "wordings": "SELECT passage, 0, words FROM {}.wordings ORDER BY passage",
}
# Neighbouring ids whose postings share a row: few rows to read for a question, little to rewrite
# for an article.
BLOCK_BITS = 12
BLOCK = 1 << BLOCK_BITS
# A passage's place in its block and its count of the term, in three bytes.
ENTRY = np.dtype([("place", "<u2"), ("count", "u1")])
MAX_COUNT = 255
LAST_CHARACTER = chr(0x10FFFF)
# Terms returned for a prefix at most: fewer than half as many words of a language begin with the
# same four letters.
MOST_TERMS = 1000
# Passages that are read and indexed at once when all postings are built.
PASSAGES_PER_STEP = BLOCK

Entries = dict[tuple[str, int], bytes]
Tokens = dict[int, list[Token]]


def analyze_passages(texts: Mapping[int, tuple[str, str]]) -> Tokens:
    """Return the tokens of passages; an article's title belongs to each of its passages."""
    return {passage: analyze(f"{title}. {text}") for passage, (title, text) in texts.items()}


def add_postings(connection: sqlite3.Connection, texts: Mapping[int, tuple[str, str]]) -> None:
    """Index passages, given as title and text by id."""
    analyzed = analyze_passages(texts)
    for passage, tokens in analyzed.items():
        add_term_vector(connection, passage, tokens)
    connection.executemany(
        "INSERT INTO postings VALUES (?, ?, ?) ON CONFLICT (term, block)"
        " DO UPDATE SET entries = CAST(entries || excluded.entries AS BLOB)",
        [(term, block, entries) for (term, block), entries in build_entries(analyzed).items()],
    )


def remove_postings(connection: sqlite3.Connection, texts: Mapping[int, tuple[str, str]]) -> None:
    """Remove passages, which must be given with the texts that they were indexed with."""
    remove_term_vectors(connection, texts)
    for (term, block), gone in build_entries(analyze_passages(texts)).items():
        key = (term, block)
        row = connection.execute(
            "SELECT entries FROM postings WHERE term = ? AND block = ?", key
        ).fetchone()
        if row is None:
            continue
        entries = np.frombuffer(row[0], ENTRY)
        places = np.frombuffer(gone, ENTRY)["place"]
        left = entries[~np.isin(entries["place"], places)]
        if left.size:
            connection.execute(
                "UPDATE postings SET entries = ? WHERE term = ? AND block = ?",
                (left.tobytes(), *key),
            )
        else:
            connection.execute("DELETE FROM postings WHERE term = ? AND block = ?", key)


def rebuild_postings(connection: sqlite3.Connection) -> None:
    """Index all passages again, inside the caller's transaction."""
    for table, schema in TABLES.items():
        connection.execute(f"DROP TABLE IF EXISTS {table}")
        connection.execute(schema)
    add_all_postings(connection)


def add_all_postings(connection: sqlite3.Connection) -> None:
    """Index all passages, a few at a time."""
    last = 0
    while True:
        rows = connection.execute(
            "SELECT passages.id, title, text, start, end FROM passages"
            " JOIN articles ON articles.number = passages.article"
            " WHERE passages.id > ? ORDER BY passages.id LIMIT ?",
            (last, PASSAGES_PER_STEP),
        ).fetchall()
        if not rows:
            return
        # Sliced here: SQLite's substr counts characters from the text's start every time.
        add_postings(
            connection,
            {passage: (title, text[start:end]) for passage, title, text, start, end in rows},
        )
        last = rows[-1][0]


def has_sound_postings(connection: sqlite3.Connection) -> bool:
    """Say whether the tables are correct, by building temporary ones and comparing."""
    for schema in TABLES.values():
        connection.execute(schema.replace("CREATE TABLE", "CREATE TEMP TABLE"))
    try:
        # A name without schema refers to the temporary table where there is one.
        add_all_postings(connection)
        return all(
            stored == due
            for table in TABLES
            for stored, due in zip_longest(
                read_in_order(connection, "main", table), read_in_order(connection, "temp", table)
            )
        )
    except sqlite3.DatabaseError:
        return False
    finally:
        for table in TABLES:
            connection.execute(f"DROP TABLE temp.{table}")


def read_in_order(
    connection: sqlite3.Connection, schema: str, table: str
) -> Iterator[tuple[str | int, int, bytes]]:
    """Yield all rows of one of the tables in order, with their entries sorted by passage."""
    for key, block, content in connection.execute(IN_ORDER[table].format(schema)):
        if table == "wordings":
            yield key, block, content
        else:
            yield key, block, np.sort(np.frombuffer(content, ENTRY)).tobytes()


def read_postings(
    connection: sqlite3.Connection, term: str
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the ids of the passages that have the term, and its count in each."""
    rows = connection.execute(
        "SELECT block, entries FROM postings WHERE term = ? ORDER BY block", (term,)
    ).fetchall()
    if any(len(row[1]) % ENTRY.itemsize for row in rows):
        raise ArchiveDamaged(f"the lexical index is damaged at {term!r}")
    entries = np.frombuffer(b"".join(row[1] for row in rows), ENTRY)
    sizes = [len(row[1]) // ENTRY.itemsize for row in rows]
    firsts = np.repeat([row[0] << BLOCK_BITS for row in rows], sizes).astype(np.int64)
    return firsts + entries["place"], entries["count"].astype(np.float32)


def read_terms_beginning(connection: sqlite3.Connection, prefix: str) -> list[str]:
    """Return the terms with this prefix, in order, MOST_TERMS of them at most."""
    # A loose index scan, from one term to the next: DISTINCT would read all rows of common terms.
    rows = connection.execute(
        "WITH RECURSIVE found(term) AS ("
        " SELECT min(term) FROM postings WHERE term >= :first AND term < :end UNION ALL"
        " SELECT (SELECT min(term) FROM postings WHERE term > found.term AND term < :end)"
        " FROM found WHERE found.term IS NOT NULL)"
        " SELECT term FROM found WHERE term IS NOT NULL LIMIT :most",
        {"first": prefix, "end": prefix + LAST_CHARACTER, "most": MOST_TERMS},
    ).fetchall()
    return [row[0] for row in rows]


def build_entries(tokens: Tokens) -> Entries:
    """Return the packed entries of passages by term and block."""
    found: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for passage in sorted(tokens):
        for term, count in Counter(token.stem for token in tokens[passage]).items():
            entry = (passage % BLOCK, min(count, MAX_COUNT))
            found[term, passage >> BLOCK_BITS].append(entry)
    return {key: pack(entries) for key, entries in found.items()}


def pack(entries: Iterable[tuple[int, int]]) -> bytes:
    """Return the entries as stored."""
    return np.array(list(entries), ENTRY).tobytes()
