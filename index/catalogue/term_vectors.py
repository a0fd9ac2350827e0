"""Term vectors: each passage's tokens in order, hashed, for ranking to read instead of the text.

They are stored in the catalogue's file with the postings, derived from the texts like those, and
changed in the same transactions. A question ranks some sixty passages: finding its terms among
hashes takes a tenth of the time that analysing the texts would.
"""

import sqlite3
import struct
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from citewire.index.errors import ArchiveDamaged
from citewire.index.text.analysis import Token

TERM_VECTORS_SCHEMA = """
CREATE TABLE wordings (
    passage INTEGER PRIMARY KEY,
    words BLOB NOT NULL
);
"""
# CRC-32 of a token's stem, and 16 bits of its form's, which only has to distinguish the forms of
# one stem. One question in a hundred thousand takes one stem for another.
HASHED_TOKEN = np.dtype([("stem", "<u4"), ("form", "<u2")])
PACKED_TOKEN = struct.Struct("<IH")


@lru_cache(maxsize=50_000)
def hash_token(token: Token) -> tuple[int, int]:
    """Return the hashes of a token's stem and form."""
    return zlib.crc32(token.stem.encode()), zlib.crc32(token.form.encode()) & 0xFFFF


def add_term_vector(connection: sqlite3.Connection, passage: int, tokens: Iterable[Token]) -> None:
    """Store a passage's tokens, those of its article's title first."""
    hashes = b"".join(PACKED_TOKEN.pack(*hash_token(token)) for token in tokens)
    connection.execute("INSERT INTO wordings VALUES (?, ?)", (passage, hashes))


def remove_term_vectors(connection: sqlite3.Connection, passages: Iterable[int]) -> None:
    """Delete the term vectors of passages."""
    connection.executemany(
        "DELETE FROM wordings WHERE passage = ?", [(passage,) for passage in passages]
    )


def read_term_vectors(connection: sqlite3.Connection, passages: Sequence[int]) -> dict[int, bytes]:
    """Return the term vectors, arrays of HASHED_TOKEN, of a few hundred passages that all exist.

    Raises:
        ArchiveDamaged: they are missing, or not of whole tokens.
    """
    marks = ", ".join("?" * len(passages))
    rows = connection.execute(
        f"SELECT passage, words FROM wordings WHERE passage IN ({marks})", passages
    ).fetchall()
    whole = all(len(row[1]) % HASHED_TOKEN.itemsize == 0 for row in rows)
    if len(rows) != len(set(passages)) or not whole:
        raise ArchiveDamaged("the lexical index lacks term vectors, or holds damaged ones")
    return dict(rows)


def join_term_vectors(vectors: Iterable[bytes]) -> NDArray[np.void]:
    """Return the hashed tokens of passages, one passage after the other."""
    return np.frombuffer(b"".join(vectors), HASHED_TOKEN)
