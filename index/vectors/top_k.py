"""Top-k selection: where scores are equal, ids and not chance decide."""

import numpy as np
from numpy.typing import NDArray

from citewire.index.embedding import Vector, Vectors


def top_k_positions(scores: Vector, k: int) -> NDArray[np.intp]:
    """Return where the k highest scores are, and with the last of them all that equal it."""
    if len(scores) <= k:
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - k)[len(scores) - k]
    return np.flatnonzero(scores >= least)


def top_k_vectors(ids: list[int], vectors: Vectors, vector: Vector, k: int) -> dict[int, float]:
    """Return the k ids whose vectors have the largest dot products, with these."""
    if not ids:
        return {}
    scores = vectors @ vector
    top = np.argsort(-scores, kind="stable")[:k]
    return {ids[row]: float(scores[row]) for row in top}


def top_k_scores(scores: dict[int, float], k: int) -> dict[int, float]:
    """Return the k ids with the largest scores, with these."""
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:k])
