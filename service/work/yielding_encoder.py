"""Encoding that lets questions go first: they share the processor's cores with it."""

import time
from collections.abc import Callable, Sequence

import numpy as np

from citewire.index.embedding import Encoder, Vector, Vectors

# Two texts keep two cores at work, and a question that comes meanwhile waits for milliseconds.
TEXTS_AT_ONCE = 2
SECONDS_BETWEEN_LOOKS = 0.004
# When questions never cease, a text is encoded this often all the same.
PATIENCE_SECONDS = 0.2


class CourteousEncoder:
    """An encoder that waits while questions are being answered, though not for ever."""

    def __init__(self, encoder: Encoder, asking: Callable[[], bool]) -> None:
        self._encoder = encoder
        self._asking = asking

    @property
    def identity(self) -> str:
        """The identity of the encoder that does the work."""
        return self._encoder.identity

    def encode_question(self, text: str) -> Vector:
        """Return one vector, at once."""
        return self._encoder.encode_question(text)

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector a text, some at a time."""
        parts = []
        for first in range(0, len(texts), TEXTS_AT_ONCE):
            self._let_pass()
            parts.append(self._encoder.encode_passages(texts[first : first + TEXTS_AT_ONCE]))
        return np.concatenate(parts) if parts else self._encoder.encode_passages(texts)

    def _let_pass(self) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while self._asking() and time.monotonic() < until:
            time.sleep(SECONDS_BETWEEN_LOOKS)
