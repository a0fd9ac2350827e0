"""Term expansion: indexed terms similar to a query term, by Dice's coefficient of trigrams.

Other forms that do not share a stem, as `composed` and `composition`, and other spellings of a
name, as `Gadaffi` and `Gaddafi`: terms with the same first letters and half of their trigrams in
common are mostly about the same thing.
"""

from functools import lru_cache

# Letters that must be equal at the beginning, so that a few dozen of the indexed terms are compared
# instead of all. Three letters would find hardly more.
PREFIX_LETTERS = 4
# Dice's coefficient; the best of 0.4, 0.5 and 0.6 on SQuAD's training questions.
MIN_SIMILARITY = 0.5


def choose_prefix(stem: str) -> str | None:
    """Return the prefix that similar terms share; None for numbers and short stems."""
    return stem[:PREFIX_LETTERS] if len(stem) >= PREFIX_LETTERS and stem.isalpha() else None


def compare_trigrams(one: str, other: str) -> float:
    """Return the share of trigrams that two stems have in common, from 0 to 1 (Dice).

    >>> compare_trigrams("compos", "composit")
    0.7142857142857143
    """
    ours, theirs = cut_trigrams(one), cut_trigrams(other)
    return 2 * len(ours & theirs) / (len(ours) + len(theirs))


# Stems: the same indexed terms are compared again with every question that shares their prefix.
@lru_cache(maxsize=50_000)
def cut_trigrams(stem: str) -> frozenset[str]:
    """Return all runs of three letters, the stem's edges counted as letters."""
    edged = f"^{stem}$"
    return frozenset(edged[at : at + 3] for at in range(len(edged) - 2))
