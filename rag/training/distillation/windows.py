"""Windows of whole articles, cut at sentence ends as the passages of an archive are."""

import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SENTENCE_ENDS = (".", "?", "!")
# Tokens of a window, least and most; more where the answer needs them.
SHORTEST, LONGEST = 50, 200


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """Half-open range `[start, end)` of the stream of all tokens."""

    start: int
    end: int


class SentenceStarts:
    """Sentence starts in a stream of tokens, as far as punctuation shows them."""

    def __init__(self, tokens: npt.NDArray[np.uint16], ends: list[int]) -> None:
        self._starts = np.flatnonzero(np.isin(tokens, ends)) + 1

    def find_after(self, place: int, limit: int) -> int:
        """Find the first start from `place` up to `limit`; return `place` if there is none."""
        found = self._get(int(np.searchsorted(self._starts, place)))
        return found if found is not None and found <= limit else place

    def find_before(self, place: int, limit: int) -> int:
        """Find the last start from `limit` up to `place`; return `place` if there is none."""
        found = self._get(int(np.searchsorted(self._starts, place, side="right")) - 1)
        return found if found is not None and found >= limit else place

    def _get(self, index: int) -> int | None:
        return int(self._starts[index]) if 0 <= index < len(self._starts) else None


def draw_window_around(
    answer: TokenSpan, article: TokenSpan, starts: SentenceStarts, room: int, rng: random.Random
) -> TokenSpan:
    """Draw a window of the article that contains the answer, of at most `room` tokens."""
    needed = answer.end - answer.start
    length = min(room, max(needed, rng.randint(SHORTEST, LONGEST)))
    earliest = max(article.start, answer.end - length)
    start = starts.find_after(rng.randint(earliest, answer.start), answer.start)
    end = min(article.end, start + length)
    return TokenSpan(start, end if end == article.end else starts.find_before(end, answer.end))


def draw_window(
    article: TokenSpan, starts: SentenceStarts, room: int, rng: random.Random
) -> TokenSpan:
    """Draw any window of the article, of at most `room` tokens."""
    place = rng.randrange(article.start, article.end)
    return draw_window_around(TokenSpan(place, place + 1), article, starts, room, rng)
