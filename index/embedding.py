"""The protocol of embedding models: texts to unit vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float32]
Vectors = NDArray[np.float32]


class Encoder(Protocol):
    """Turns texts into unit vectors whose dot product is their similarity."""

    @property
    def identity(self) -> str:
        """The model's name and a digest of its weights; vectors of two identities never mix."""

    def encode_question(self, text: str) -> Vector:
        """Return one vector, shape (dimension,)."""

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """Return one vector for each text, shape (texts, dimension)."""
