"""SQLite's write-ahead log: the pages of the database file of which it has newer versions.

The format is described at sqlite.org/fileformat2.html#walformat. We read it ourselves, since SQLite
cannot do it on a full or read-only disk, or without changing files.
"""

import struct
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct(">8I")
FRAME_HEADER_BYTES = 24
# Byte order of the words that checksums add, by the magic number at the log's beginning.
BYTE_ORDERS = {0x377F0682: "<u4", 0x377F0683: ">u4"}
FRAMES_PER_READ = 256
MASK = 0xFFFFFFFF


class Sums(NamedTuple):
    """The running checksum: two numbers of 32 bits."""

    one: int
    two: int


class Weights(NamedTuple):
    """Coefficients that give the checksum after a frame from its words and the checksum before.

    SQLite's checksum is a linear recurrence, `one += x + two; two += y + one` for every two words,
    so a frame adds a fixed linear combination of its words.
    """

    before: tuple[int, int, int, int]
    one: NDArray[np.uint32]
    two: NDArray[np.uint32]

    def after(self, sums: Sums, added: tuple[int, int]) -> Sums:
        """Return the checksum after words that add this."""
        a, b, c, d = self.before
        return Sums(
            (a * sums.one + b * sums.two + added[0]) & MASK,
            (c * sums.one + d * sums.two + added[1]) & MASK,
        )

    def added(self, words: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Return the sums that each row of words adds to both numbers, shape (rows, 2)."""
        return np.stack(
            [np.einsum("ij,j->i", words, self.one), np.einsum("ij,j->i", words, self.two)], axis=1
        )


@lru_cache(maxsize=4)
def compute_weights(words: int) -> Weights:
    """Return the weights of a frame of this number of words, which is even."""
    ones, twos = np.zeros(words, np.uint32), np.zeros(words, np.uint32)
    a, b, c, d = 1, 0, 0, 1
    for at in range(words - 2, -2, -2):
        # From the end: the coefficients of both words at this place.
        ones[at : at + 2] = (a + b) & MASK, b
        twos[at : at + 2] = (c + d) & MASK, d
        a, b, c, d = (a + b) & MASK, (a + 2 * b) & MASK, (c + d) & MASK, (c + 2 * d) & MASK
    return Weights((a, b, c, d), ones, twos)


def read_committed_pages(log: Path) -> set[int]:
    """Return the numbers, from 1 on, of the pages that the log's committed transactions changed.

    Like SQLite, ignore everything from the first invalid frame on.
    """
    try:
        stream = log.open("rb")
    except FileNotFoundError:
        return set()
    committed: set[int] = set()
    pending: set[int] = set()
    with stream:
        start = stream.read(HEADER.size)
        if len(start) < HEADER.size:
            return committed
        magic, _, page_bytes, _, *salts = HEADER.unpack(start)
        order = BYTE_ORDERS.get(magic)
        if order is None or checksum(start[:24], order) != Sums(*salts[2:]):
            return committed
        sums = Sums(*salts[2:])
        weights = compute_weights((8 + page_bytes) // 4)
        frame_bytes = FRAME_HEADER_BYTES + page_bytes
        while block := stream.read(frame_bytes * FRAMES_PER_READ):
            whole = len(block) // frame_bytes
            frames = np.frombuffer(block[: whole * frame_bytes], np.uint8).reshape(
                whole, frame_bytes
            )
            headers = frames[:, :FRAME_HEADER_BYTES].copy().view(">u4").tolist()
            summed = np.concatenate([frames[:, :8], frames[:, FRAME_HEADER_BYTES:]], axis=1)
            added = weights.added(summed.view(order).astype(np.uint32)).tolist()
            for (page, size_if_commit, *rest), adding in zip(headers, added, strict=True):
                sums = weights.after(sums, adding)
                if rest != [*salts[:2], *sums] or not page:
                    return committed
                pending.add(page)
                if size_if_commit:
                    committed |= pending
                    pending.clear()
    return committed


def checksum(content: bytes, order: str) -> Sums:
    """Return the checksum of the log's header."""
    words = np.frombuffer(content, order).astype(np.uint32)
    weights = compute_weights(len(words))
    return weights.after(Sums(0, 0), tuple(weights.added(words[np.newaxis])[0].tolist()))


def locate_log(path: Path) -> Path:
    """Return the path of the write-ahead log of a database file."""
    return Path(f"{path}-wal")
