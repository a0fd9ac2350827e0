"""Checksums of stored passages, vectors and whole articles.

An article's text and fields have their own digests. These cover the rest: a passage's place in its
article, a vector's numbers, and the set of an article's passages.
"""

import hashlib
import json
import zlib
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

# SplitMix64's constants (Steele, Lea & Flood 2014): each bit of a value changes about half of the
# bits of the result.
STEP = np.uint64(0x9E3779B97F4A7C15)
FACTORS = (
    (np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)),
    (np.uint64(27), np.uint64(0x94D049BB133111EB)),
)
LAST_SHIFT = np.uint64(31)


def checksum_columns(*columns: ArrayLike) -> NDArray[np.int64]:
    """Return a checksum for each row of the columns: ids, articles' numbers, starts and ends."""
    sums = np.zeros(len(np.atleast_1d(columns[0])), np.uint64)
    for column in columns:
        sums = mix(sums ^ np.atleast_1d(np.asarray(column, np.int64)).view(np.uint64))
    return sums.view(np.int64)


def mix(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return SplitMix64's hashes: they differ in half of their bits where values differ in any."""
    values = values + STEP
    for shift, factor in FACTORS:
        values = (values ^ (values >> shift)) * factor
    return values ^ (values >> LAST_SHIFT)


def checksum_vector(passage: int, vector: bytes) -> int:
    """Return the CRC-32 of a passage's vector, seeded with the passage's id."""
    return zlib.crc32(vector, passage & 0xFFFFFFFF)


def checksum_article(
    article: Sequence[int | str], passages: Iterable[Sequence[int]], vectors: Iterable[int]
) -> str:
    """Return the sha256 of an article with its passages and vectors.

    `article` is its number, id, origin and fingerprint; `passages` are rows of id, start and end in
    the order of their ids; `vectors` are the checksums of their vectors.
    """
    values = [list(article), [list(passage) for passage in passages], list(vectors)]
    return hashlib.sha256(json.dumps(values).encode()).hexdigest()
