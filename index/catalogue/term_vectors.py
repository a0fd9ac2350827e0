"""Each passage's words in their order, as numbers: what ranking reads instead of the text.

They lie in the catalogue's file beside the postings, are derived from the texts as those are,
and change in the same transactions. A question looks at some sixty passages: to find its words
in numbers takes a tenth of the time that cutting so many texts into words would.
"""

import sqlite3
import struct
import zlib
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from citewire.index.errors import ArchiveDamaged
from citewire.index.text.analysis import Word

WORDINGS_SCHEMA = """
CREATE TABLE wordings (
    passage INTEGER PRIMARY KEY,
    words BLOB NOT NULL
);
"""
# Checksums of a word's stem, and of its form, which only tells the forms of one stem apart. That
# one stem is taken for another happens to one question in a hundred thousand.
CODE = np.dtype([("stem", "<u4"), ("form", "<u2")])
PACKED = struct.Struct("<IH")


@lru_cache(maxsize=50_000)
def code_of(word: Word) -> tuple[int, int]:
    """Return a word's stem and form as numbers."""
    return zlib.crc32(word.stem.encode()), zlib.crc32(word.form.encode()) & 0xFFFF


def add_wording(connection: sqlite3.Connection, passage: int, found: Iterable[Word]) -> None:
    """Keep a passage's words, those of its article's title first."""
    codes = b"".join(PACKED.pack(*code_of(word)) for word in found)
    connection.execute("INSERT INTO wordings VALUES (?, ?)", (passage, codes))


def remove_wordings(connection: sqlite3.Connection, passages: Iterable[int]) -> None:
    """Forget passages."""
    connection.executemany(
        "DELETE FROM wordings WHERE passage = ?", [(passage,) for passage in passages]
    )


def read_wordings(connection: sqlite3.Connection, passages: Sequence[int]) -> dict[int, bytes]:
    """Return the words of passages that all exist, a few hundred at most; CODE by CODE.

    Raises:
        ArchiveDamaged: they are not there, or no words.
    """
    marks = ", ".join("?" * len(passages))
    rows = connection.execute(
        f"SELECT passage, words FROM wordings WHERE passage IN ({marks})", passages
    ).fetchall()
    if len(rows) != len(set(passages)) or any(len(row[1]) % CODE.itemsize for row in rows):
        raise ArchiveDamaged("the index of words lacks the words of passages, or has none of them")
    return dict(rows)


def codes_in(wordings: Iterable[bytes]) -> NDArray[np.void]:
    """Return the words of passages, one after the other."""
    return np.frombuffer(b"".join(wordings), CODE)
