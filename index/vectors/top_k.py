"""The best of scored passages: where scores are equal, ids and not chance decide."""

import numpy as np
from numpy.typing import NDArray

from citewire.index.embedding import Vector, Vectors


def highest(scores: Vector, limit: int) -> NDArray[np.intp]:
    """Return where the highest scores are: `limit` of them, more when the last ones are equal."""
    if len(scores) <= limit:
        return np.arange(len(scores))
    least = np.partition(scores, len(scores) - limit)[len(scores) - limit]
    return np.flatnonzero(scores >= least)


def best(ids: list[int], vectors: Vectors, vector: Vector, limit: int) -> dict[int, float]:
    """Return the `limit` ids whose vectors have the largest dot products, with these."""
    if not ids:
        return {}
    scores = vectors @ vector
    top = np.argsort(-scores, kind="stable")[:limit]
    return {ids[row]: float(scores[row]) for row in top}


def largest(scores: dict[int, float], limit: int) -> dict[int, float]:
    """Return the `limit` largest scores with their ids."""
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:limit])
