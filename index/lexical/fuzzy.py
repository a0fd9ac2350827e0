"""Words that look alike: other forms that share no stem, and other spellings of a name.

`composed` and `composition` have different stems, and so have `Gadaffi` and `Gaddafi`: what
begins alike and shares half of its letters, three at a time, is mostly about the same.
"""

from functools import lru_cache

# So many letters must be equal at the beginning: that leaves a few dozen of the archive's words to
# look at instead of all. Three would find hardly more.
BEGINNING = 4
# Chosen on SQuAD's training questions, of 0.4, 0.5 and 0.6.
MIN_LIKENESS = 0.5


def beginning_of(stem: str) -> str | None:
    """Return what relatives of the stem begin with; None for numbers and short stems."""
    return stem[:BEGINNING] if len(stem) >= BEGINNING and stem.isalpha() else None


def likeness(one: str, other: str) -> float:
    """Return which part of their triples of letters two stems share, from 0 to 1 (Dice).

    >>> likeness("compos", "composit")
    0.7142857142857143
    """
    ours, theirs = triples(one), triples(other)
    return 2 * len(ours & theirs) / (len(ours) + len(theirs))


# The archive's words come again with every question that has one of their beginning.
@lru_cache(maxsize=50_000)
def triples(stem: str) -> frozenset[str]:
    """Return all three letters that stand side by side, with the edges as letters."""
    edged = f"^{stem}$"
    return frozenset(edged[at : at + 3] for at in range(len(edged) - 2))
