"""Windows of whole articles, from sentence to sentence, as an archive's passages are cut."""

import random
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SENTENCE_ENDS = (".", "?", "!")
SHORTEST, LONGEST = 50, 200  # tokens of a window


@dataclass(frozen=True, slots=True)
class Stretch:
    """Tokens from `start` to before `end`, counted in the stream of all tokens."""

    start: int
    end: int


class SentenceStarts:
    """Where sentences begin in a stream of tokens, as far as punctuation tells."""

    def __init__(self, tokens: npt.NDArray[np.uint16], ends: list[int]) -> None:
        self._starts = np.flatnonzero(np.isin(tokens, ends)) + 1

    def after(self, place: int, limit: int) -> int:
        """The first start from `place` to `limit`; `place` itself where there is none."""
        found = self._at(int(np.searchsorted(self._starts, place)))
        return found if found is not None and found <= limit else place

    def before(self, place: int, limit: int) -> int:
        """The last start from `limit` to `place`; `place` itself where there is none."""
        found = self._at(int(np.searchsorted(self._starts, place, side="right")) - 1)
        return found if found is not None and found >= limit else place

    def _at(self, index: int) -> int | None:
        return int(self._starts[index]) if 0 <= index < len(self._starts) else None


def window_around(
    answer: Stretch, article: Stretch, starts: SentenceStarts, room: int, rng: random.Random
) -> Stretch:
    """A window of the article that holds the answer, at most `room` tokens long."""
    needed = answer.end - answer.start
    length = min(room, max(needed, rng.randint(SHORTEST, LONGEST)))
    earliest = max(article.start, answer.end - length)
    start = starts.after(rng.randint(earliest, answer.start), answer.start)
    end = min(article.end, start + length)
    return Stretch(start, end if end == article.end else starts.before(end, answer.end))


def any_window(article: Stretch, starts: SentenceStarts, room: int, rng: random.Random) -> Stretch:
    """A window of the article, at most `room` tokens long."""
    place = rng.randrange(article.start, article.end)
    return window_around(Stretch(place, place + 1), article, starts, room, rng)
