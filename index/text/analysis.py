"""Texts to the words that searching compares: without stop words, endings, case and accents."""

import re
import threading
import unicodedata
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import Stemmer

# Raise it whenever the same text would give other words, or they are stored in another way: the
# index of words is then built anew.
WORDS_VERSION = 2
# An abbreviation with its points; a number with its separators; letters, with an apostrophe inside.
WORD = re.compile(r"(?:[A-Z]\.){2,}|\d+(?:[,.]\d+)*|[^\W\d]+(?:['\u2019][^\W\d]+)*")
BEYOND_ASCII = re.compile("[^\0-\x7f]+")
POSSESSIVES = ("'s", "'S")
# What is longer is no word, and nobody asks for it.
MAX_WORD_CHARACTERS = 64
# What is longer than this between two spaces is seldom a word, and does not come again.
MAX_PIECE_CHARACTERS = 40
# Words that nearly every passage has: they cost time and tell nothing. Negations are not among
# them.
STOP_WORDS = frozenset(
    """
    a about an and any are as at be been being but by can could did do does doing for from had
    has have having he her hers him his how i if in into is it its me my of on or our she should
    so some than that the their them then there these they this those to was we were what when
    where which while who whom whose why will with would you your
    """.split()
)


class Word(NamedTuple):
    """A word of a text: its stem, by which it is found, and its form, lower-cased."""

    stem: str
    form: str


def words(text: str) -> list[Word]:
    """Return the words of the text that tell something, in order.

    >>> [word.stem for word in words("Who met the U.S. ministers' 1,200 guests?")]
    ['met', 'us', 'minist', '1200', 'guest']
    """
    # No word reaches over a space, and what stands between two comes again and again.
    pieces = text.split()
    if max(map(len, pieces), default=0) > MAX_PIECE_CHARACTERS:
        return list(cut(text))
    return list(chain.from_iterable(map(words_of, pieces)))


def cut(text: str) -> tuple[Word, ...]:
    """Return the words of a text."""
    found = map(word_of, WORD.findall(without_accents(text)))
    return tuple(word for word in found if word is not None)


# Large enough for what a language uses often, so that passages are read quickly.
words_of = lru_cache(maxsize=100_000)(cut)


def without_accents(text: str) -> str:
    """Return the text with letters in their plain forms: `Céline` is `Celine`."""
    return text if text.isascii() else BEYOND_ASCII.sub(plain, text)


def plain(letters: re.Match[str]) -> str:
    """Return the letters without what stands above or below them."""
    decomposed = unicodedata.normalize("NFKD", letters.group())
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


# The same word stands in many pieces, with this or that point behind it.
@lru_cache(maxsize=50_000)
def word_of(token: str) -> Word | None:
    """Return a token's word, None for one that tells nothing."""
    if len(token) > MAX_WORD_CHARACTERS:
        return None
    if token[0].isdigit():
        number = token.replace(",", "")
        return Word(number, number)
    bare = token.replace("\u2019", "'")
    if bare.endswith(POSSESSIVES):
        bare = bare[:-2]
    bare = bare.replace("'", "").replace(".", "")
    form = bare.lower()
    # WHO and IT are names; who and it are not.
    is_acronym = len(bare) > 1 and bare.isupper()
    if not form or (form in STOP_WORDS and not is_acronym):
        return None
    with _STEMMING:
        return Word(_STEMMER.stemWord(form), form)


# Snowball's stemmers keep a state while they work; what they would remember is remembered above.
_STEMMER = Stemmer.Stemmer("english", 0)
_STEMMING = threading.Lock()
