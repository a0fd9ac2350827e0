"""SQLite's write-ahead log: which pages of the database file it has newer versions of.

The format is described at sqlite.org/fileformat2.html#walformat. Read by ourselves, so that it
can be read from a full or read-only disk, and without changing anything.
"""

import struct
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

HEADER = struct.Struct(">8I")
FRAME_HEAD_BYTES = 24
# How the checksums' words are read.
BYTE_ORDERS = {0x377F0682: "<u4", 0x377F0683: ">u4"}
FRAMES_PER_READ = 256
MASK = 0xFFFFFFFF


class Sums(NamedTuple):
    """The running checksum: two numbers of 32 bits."""

    one: int
    two: int


class Weights(NamedTuple):
    """How a frame's words and the checksum before them make the checksum after them.

    SQLite's is a linear recurrence, `one += x + two; two += y + one` for every two words, so a
    frame adds a fixed combination of its words.
    """

    before: tuple[int, int, int, int]
    one: NDArray[np.uint32]
    two: NDArray[np.uint32]

    def after(self, sums: Sums, added: tuple[int, int]) -> Sums:
        """Return the checksum behind words that add so much."""
        a, b, c, d = self.before
        return Sums(
            (a * sums.one + b * sums.two + added[0]) & MASK,
            (c * sums.one + d * sums.two + added[1]) & MASK,
        )

    def added(self, words: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Return what each row of words adds to both numbers, shape (rows, 2)."""
        return np.stack(
            [np.einsum("ij,j->i", words, self.one), np.einsum("ij,j->i", words, self.two)], axis=1
        )


@lru_cache(maxsize=4)
def weights(words: int) -> Weights:
    """Return the weights of so many words, an even number."""
    ones, twos = np.zeros(words, np.uint32), np.zeros(words, np.uint32)
    a, b, c, d = 1, 0, 0, 1
    for at in range(words - 2, -2, -2):
        # What both words add at their place, seen from the end.
        ones[at : at + 2] = (a + b) & MASK, b
        twos[at : at + 2] = (c + d) & MASK, d
        a, b, c, d = (a + b) & MASK, (a + 2 * b) & MASK, (c + d) & MASK, (c + 2 * d) & MASK
    return Weights((a, b, c, d), ones, twos)


def committed_pages(log: Path) -> set[int]:
    """Return the numbers, from 1 on, of the pages that the log's committed transactions changed.

    As SQLite does, pass over everything from the first frame on that is not whole.
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
        rules = weights((8 + page_bytes) // 4)
        frame_bytes = FRAME_HEAD_BYTES + page_bytes
        while block := stream.read(frame_bytes * FRAMES_PER_READ):
            whole = len(block) // frame_bytes
            frames = np.frombuffer(block[: whole * frame_bytes], np.uint8).reshape(
                whole, frame_bytes
            )
            heads = frames[:, :FRAME_HEAD_BYTES].copy().view(">u4").tolist()
            summed = np.concatenate([frames[:, :8], frames[:, FRAME_HEAD_BYTES:]], axis=1)
            added = rules.added(summed.view(order).astype(np.uint32)).tolist()
            for (page, size_if_commit, *rest), adding in zip(heads, added, strict=True):
                sums = rules.after(sums, adding)
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
    rules = weights(len(words))
    return rules.after(Sums(0, 0), tuple(rules.added(words[np.newaxis])[0].tolist()))
