"""Other forms of a question: as people type into a search box, in haste, or without marks."""

import random

# Words that a search query leaves out; question words stay, or it would ask for anything.
DROPPED = frozenset(
    "a an the is are was were be been being do does did has have had of to in on at by for from"
    " with and that this these those there it its their his her he she they".split()
)
# Shares of the forms; the other questions stay as they are.
LOWER, UNMARKED, KEYWORDS, MISTYPED = 0.08, 0.05, 0.07, 0.04
# Letters of the shortest word that is mistyped.
LONG_WORD = 5
# Words that a query of keywords keeps at least.
LEAST_WORDS = 3


def vary_form(question: str, rng: random.Random) -> str:
    """Return the question in a form drawn by its share."""
    drawn = rng.random()
    for share, change in (
        (LOWER, lower),
        (UNMARKED, unmark),
        (KEYWORDS, keep_keywords),
        (MISTYPED, lambda text: mistype(text, rng)),
    ):
        if drawn < share:
            return change(question)
        drawn -= share
    return question


def lower(question: str) -> str:
    """Write in lower case, without a question mark."""
    return unmark(question).lower()


def unmark(question: str) -> str:
    """Leave out the question mark."""
    return question.rstrip(" ?")


def keep_keywords(question: str) -> str:
    """Leave out the words that a search query leaves out, if enough are left."""
    kept = [word for word in unmark(question).split() if word.lower() not in DROPPED]
    return " ".join(kept).lower() if len(kept) >= LEAST_WORDS else question


def mistype(question: str, rng: random.Random) -> str:
    """Exchange two neighbouring letters inside one long word, if there is one."""
    words = question.split(" ")
    long = [place for place, word in enumerate(words) if len(word) >= LONG_WORD and word.isalpha()]
    if not long:
        return question
    place = rng.choice(long)
    word = words[place]
    at = rng.randrange(1, len(word) - 2)
    words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return " ".join(words)
