"""Checksums of what is stored of passages, vectors and whole articles.

An article's text and fields have digests of their own. These cover the rest: a passage's place in
its article, a vector's numbers, and which passages an article has.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

# SplitMix64's constants (Steele, Lea & Flood 2014): each bit of a value changes half of the result.
STEP = np.uint64(0x9E3779B97F4A7C15)
FACTORS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
LAST_SHIFT = np.uint64(31)


def passage_checksums(*columns: ArrayLike) -> NDArray[np.int64]:
    """Return a checksum for each row of the columns: ids, articles' numbers, starts and ends."""
    sums = np.zeros(len(np.atleast_1d(columns[0])), np.uint64)
    for column in columns:
        sums = mixed(sums ^ np.atleast_1d(np.asarray(column, np.int64)).view(np.uint64))
    return sums.view(np.int64)


def mixed(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return numbers that differ in about half their bits where the values differ in any."""
    values = values + STEP
    for shift, factor in FACTORS:
        values = (values ^ (values >> shift)) * factor
    return values ^ (values >> LAST_SHIFT)


def vector_checksum(passage: int, vector: bytes) -> int:
    """Return the checksum of a passage's vector, which is no other passage's."""
    return zlib.crc32(vector, passage & 0xFFFFFFFF)


def article_checksum(
    article: Sequence[int | str], passages: Iterable[Sequence[int]], vectors: Iterable[int]
) -> str:
    """Return the checksum of an article: its number, id, origin and fingerprint, and all it has.

    `passages` are rows of id, start and end in the order of their ids; `vectors` the checksums of
    their vectors.
    """
    values = [list(article), [list(passage) for passage in passages], list(vectors)]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
