"""Top-k selection, in which position decides between equal scores, so that no result is chance."""

import numpy as np
from numpy.typing import NDArray


def top_k(scores: NDArray[np.float32], k: int) -> NDArray[np.intp]:
    """Return the positions of the k highest scores, best first; of equal scores, the first.

    >>> top_k(np.array([1, 3, 2, 3, 2], np.float32), 3).tolist()
    [1, 3, 2]
    """
    candidates = np.arange(len(scores))
    if 0 < k < len(scores):
        # With all that equal the last one: which of them are chosen is decided below.
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        candidates = np.flatnonzero(scores >= least)
    order = np.argsort(-scores[candidates], kind="stable")[:k]
    return candidates[order]
