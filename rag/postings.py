"""The lexical index's tables: for each word, which passages have it and how often.

They lie in the catalogue's file and change in its transactions. They are derived from the
texts: what is lost or outdated is built again, without encoding anything.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from rag.errors import ArchiveDamaged
from rag.words import words

POSTINGS_SCHEMA = """
CREATE TABLE postings (
    term TEXT NOT NULL,
    block INTEGER NOT NULL,
    entries BLOB NOT NULL,
    PRIMARY KEY (term, block)
) WITHOUT ROWID;
"""
# A row holds a term's passages among so many neighbouring ids: few rows to read for a question,
# little to write again for an article.
BLOCK_BITS = 12
BLOCK = 1 << BLOCK_BITS
# A passage's place in its block and how often it has the term, in three bytes.
ENTRY = np.dtype([("place", "<u2"), ("count", "u1")])
MAX_COUNT = 255
# Passages that are read and indexed together when all postings are built.
PASSAGES_PER_STEP = BLOCK

Entries = dict[tuple[str, int], bytes]


def terms_of(title: str, text: str) -> Counter[str]:
    """Return how often a passage has each term; its article's title counts as its own words."""
    return Counter(word.stem for word in words(f"{title}. {text}"))


def add_postings(connection: sqlite3.Connection, texts: Mapping[int, tuple[str, str]]) -> None:
    """Index passages, given by their ids as title and text."""
    connection.executemany(
        "INSERT INTO postings VALUES (?, ?, ?) ON CONFLICT (term, block)"
        " DO UPDATE SET entries = CAST(entries || excluded.entries AS BLOB)",
        [(term, block, entries) for (term, block), entries in entries_of(texts).items()],
    )


def remove_postings(connection: sqlite3.Connection, texts: Mapping[int, tuple[str, str]]) -> None:
    """Forget passages; they must be given with the texts that they were indexed with."""
    for (term, block), gone in entries_of(texts).items():
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
    """Index all passages anew, inside the caller's transaction."""
    connection.execute("DROP TABLE IF EXISTS postings")
    connection.execute(POSTINGS_SCHEMA)
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
        # Cut here: SQLite counts characters from the text's start for every cut.
        add_postings(
            connection,
            {passage: (title, text[start:end]) for passage, title, text, start, end in rows},
        )
        last = rows[-1][0]


def postings_are_sound(connection: sqlite3.Connection) -> bool:
    """Say whether the postings are those of all passages, by building them again aside."""
    connection.execute(POSTINGS_SCHEMA.replace("CREATE TABLE", "CREATE TEMP TABLE"))
    try:
        # Where both are meant by the name, SQLite takes the temporary one.
        add_all_postings(connection)
        pairs = zip_longest(in_order(connection, "main"), in_order(connection, "temp"))
        return all(stored == due for stored, due in pairs)
    except sqlite3.DatabaseError:
        return False
    finally:
        connection.execute("DROP TABLE temp.postings")


def in_order(connection: sqlite3.Connection, schema: str) -> Iterator[tuple[str, int, bytes]]:
    """Yield all rows in order, their entries in the order of the passages."""
    for term, block, entries in connection.execute(
        f"SELECT term, block, entries FROM {schema}.postings ORDER BY term, block"
    ):
        yield term, block, np.sort(np.frombuffer(entries, ENTRY)).tobytes()


def read_postings(
    connection: sqlite3.Connection, term: str
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the ids of the passages that have the term, and how often each has it."""
    rows = connection.execute(
        "SELECT block, entries FROM postings WHERE term = ? ORDER BY block", (term,)
    ).fetchall()
    if any(len(row[1]) % ENTRY.itemsize for row in rows):
        raise ArchiveDamaged(f"the index of words is broken at {term!r}")
    entries = np.frombuffer(b"".join(row[1] for row in rows), ENTRY)
    sizes = [len(row[1]) // ENTRY.itemsize for row in rows]
    firsts = np.repeat([row[0] << BLOCK_BITS for row in rows], sizes).astype(np.int64)
    return firsts + entries["place"], entries["count"].astype(np.float32)


def entries_of(texts: Mapping[int, tuple[str, str]]) -> Entries:
    """Return the entries of passages by term and block."""
    found: defaultdict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for passage in sorted(texts):
        for term, count in terms_of(*texts[passage]).items():
            entry = (passage % BLOCK, min(count, MAX_COUNT))
            found[term, passage >> BLOCK_BITS].append(entry)
    return {key: packed(entries) for key, entries in found.items()}


def packed(entries: Iterable[tuple[int, int]]) -> bytes:
    """Return the entries in the form in which they are stored."""
    return np.array(list(entries), ENTRY).tobytes()
