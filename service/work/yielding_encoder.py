"""An encoder that yields to questions, which share the processor's cores with it."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from citewire.index.embedding import Encoder, Vector, Vectors

# Texts in one call: two keep two cores busy, and a question that comes then waits milliseconds.
TEXTS_AT_ONCE = 2
SECONDS_BETWEEN_CHECKS = 0.004
# Seconds that each call waits for questions at most, so that articles are stored all the same.
MAX_YIELD_SECONDS = 0.2


class YieldingEncoder:
    """An encoder of passages that waits, for a bounded time, while questions are answered."""

    def __init__(self, encoder: Encoder, is_busy: Callable[[], bool]) -> None:
        self._encoder = encoder
        self._is_busy = is_busy

    @property
    def identity(self) -> str:
        """The identity of the encoder that does the work."""
        return self._encoder.identity

    def encode_question(self, text: str) -> Vector:
        """Return the question's vector, without waiting."""
        return self._encoder.encode_question(text)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector for each text."""
        parts = []
        for first in range(0, len(texts), TEXTS_AT_ONCE):
            self._yield()
            parts.append(self._encoder.encode_passages(texts[first : first + TEXTS_AT_ONCE]))
        return np.concatenate(parts) if parts else self._encoder.encode_passages(texts)

    def _yield(self) -> None:
        until = time.monotonic() + MAX_YIELD_SECONDS
        while self._is_busy() and time.monotonic() < until:
            time.sleep(SECONDS_BETWEEN_CHECKS)
