"""The seams: what the question's path and the article's path need of the two models."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from citewire.rag.types import Extract, Hit

Vector = NDArray[np.float32]
Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into unit vectors whose dot product is their similarity."""

    @property
    def identity(self) -> str:
        """Which model with which weights; vectors of different identities never mix."""

    def encode_question(self, text: str) -> Vector:
        """Return one vector, shape (dimension,)."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector a text, shape (texts, dimension)."""


class Reader(Protocol):
    """Finds the spans that answer a question."""

    def read(self, question: str, hits: Sequence[Hit]) -> list[Extract]:
        """Return the best spans over all hits, best first, none overlapping another."""
