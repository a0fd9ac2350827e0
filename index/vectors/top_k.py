"""The k best of scored passages, by id: where scores are equal, ids and not chance decide."""

from citewire.index.embedding import Vector, Vectors
from citewire.index.top_k import top_k


def top_k_vectors(ids: list[int], vectors: Vectors, vector: Vector, k: int) -> dict[int, float]:
    """Return the k ids whose vectors have the largest dot products, with these."""
    if not ids:
        return {}
    scores = vectors @ vector
    return {ids[row]: float(scores[row]) for row in top_k(scores, k)}


def top_k_scores(scores: dict[int, float], k: int) -> dict[int, float]:
    """Return the k ids with the largest scores, with these."""
    return dict(sorted(scores.items(), key=lambda item: (-item[1], item[0]))[:k])
