"""Decide which extracts are the same answer, by their words or by their place."""

import re
from collections.abc import Iterable

from citewire.index.text.folding import strip_marks
from citewire.rag.reading.decoding import suppress_overlaps
from citewire.rag.types import Extract

POSSESSIVE = re.compile("['\u2019]s\\b")
# A word, a number, or a currency: "$5" and "€5" are different answers.
TOKEN = re.compile(r"[^\W_]+(?:[.,:]\d+)*|[$€£¥]")
# Function words: they do not change the meaning of an answer.
FUNCTION_WORDS = frozenset("a an the in on at of to by from for with and who was is".split())
# Words that change the size of a number: "5" and "5 million" are different answers.
SCALES = frozenset(
    "hundred thousand million billion trillion dozen half quarter percent per cent".split()
)
# Words that turn an answer into a different one.
NEGATIONS = frozenset("not no never without except former ex vice deputy".split())


def group(extracts: Iterable[Extract]) -> list[list[Extract]]:
    """Put extracts that say the same into one list each; the best extract leads its list.

    `extracts` come best first, and so do the lists. An extract joins the first group whose
    leader says the same; an article is in a group once.
    """
    groups: list[list[Extract]] = []
    for extract in extracts:
        same = next((own for own in groups if is_same_answer(own[0].text, extract.text)), None)
        if same is None:
            groups.append([extract])
        elif extract.article.id not in {member.article.id for member in same}:
            same.append(extract)
    return groups


def suppress_overlaps_by_article(extracts: Iterable[Extract]) -> list[Extract]:
    """Return the extracts best first, leaving out those that overlap a better one of the article.

    This is non-maximum suppression in each article on its own.
    """
    by_article: dict[str, list[Extract]] = {}
    for extract in extracts:
        by_article.setdefault(extract.article.id, []).append(extract)
    kept = [extract for own in by_article.values() for extract in suppress_overlaps(own)]
    return sorted(kept, key=lambda extract: -extract.margin)


def is_same_answer(one: str, other: str) -> bool:
    """Say whether two answer texts say the same.

    They do when their content words are equal, or when one names the other more fully:
    "Blinken" and "US Secretary of State Antony Blinken", "39" and "39 people".

    >>> is_same_answer("5", "5 million")
    False
    """
    words, others = find_content_words(one), find_content_words(other)
    if words == others:
        return True
    shorter, longer = sorted((words, others), key=len)
    extra = find_extra_words(shorter, longer)
    if extra is None or not shorter:
        return False
    if any(is_number(word) or word in SCALES or word in NEGATIONS for word in extra):
        return False
    # A name is spoken of by its last word; a number may be followed by what it counts.
    return longer[-len(shorter) :] == shorter or is_number(shorter[-1])


def find_content_words(text: str) -> tuple[str, ...]:
    """Return the text's content words: without case, accents, punctuation and function words."""
    plain = strip_marks(text.casefold())
    words = tuple(TOKEN.findall(POSSESSIVE.sub("", plain).replace("%", " percent ")))
    # A text without words, as a symbol or an emoji, is its own content.
    return tuple(word for word in words if word not in FUNCTION_WORDS) or words or (text,)


def find_extra_words(shorter: tuple[str, ...], longer: tuple[str, ...]) -> tuple[str, ...] | None:
    """Return the words around `shorter` inside `longer`, None when it is not inside."""
    for start in range(len(longer) - len(shorter) + 1):
        end = start + len(shorter)
        if longer[start:end] == shorter:
            return longer[:start] + longer[end:]
    return None


def is_number(word: str) -> bool:
    """Say whether the word is a number in digits."""
    return any(character.isdigit() for character in word)
