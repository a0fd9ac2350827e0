"""Analyse text into the tokens that search compares: no stop words, endings, case or accents."""

import re
import threading
from collections.abc import Iterable
from functools import lru_cache
from itertools import chain
from typing import NamedTuple

import Stemmer

from citewire.index.text.folding import strip_marks

# Version of the analysis. Raise it whenever the same text would give other tokens, or they are
# stored in another way: the lexical index is then built again.
WORDS_VERSION = 2
# An abbreviation with its points; a number with its separators; letters, with an apostrophe inside.
TOKEN = re.compile(r"(?:[A-Z]\.){2,}|\d+(?:[,.]\d+)*|[^\W\d]+(?:['\u2019][^\W\d]+)*")
BEYOND_ASCII = re.compile("[^\0-\x7f]+")
POSSESSIVES = ("'s", "'S")
# Characters: longer tokens are left out, since no question names them.
MAX_TOKEN_CHARACTERS = 64
# Characters between two spaces: a longer piece is seldom a word, and would not be met again in the
# cache.
MAX_PIECE_CHARACTERS = 40
# Words of nearly every passage: they cost time and distinguish nothing. Negations are not among
# them.
STOP_WORDS = frozenset(
    """
    a about an and any are as at be been being but by can could did do does doing for from had
    has have having he her hers him his how i if in into is it its me my of on or our she should
    so some than that the their them then there these they this those to was we were what when
    where which while who whom whose why will with would you your
    """.split()
)


class Token(NamedTuple):
    """A word of a text: its stem, by which it is found, and its form, lower-cased."""

    stem: str
    form: str


def analyze(text: str) -> list[Token]:
    """Return the tokens of the text in order, without stop words.

    >>> [token.stem for token in analyze("Who met the U.S. ministers' 1,200 guests?")]
    ['met', 'us', 'minist', '1200', 'guest']
    """
    # No token contains a space, and the pieces between spaces recur: they are cached.
    pieces = text.split()
    if max(map(len, pieces), default=0) > MAX_PIECE_CHARACTERS:
        return list(analyze_piece(text))
    return list(chain.from_iterable(map(analyze_cached, pieces)))


def collect_stems(tokens: Iterable[Token]) -> list[str]:
    """Return the different stems of the tokens, in the order of their first occurrence."""
    return list(dict.fromkeys(token.stem for token in tokens))


def analyze_piece(text: str) -> tuple[Token, ...]:
    """Return the tokens of a text."""
    tokens = map(normalize, TOKEN.findall(strip_accents(text)))
    return tuple(token for token in tokens if token is not None)


# Pieces: large enough for the frequent ones of a language, so that passages are read quickly.
analyze_cached = lru_cache(maxsize=100_000)(analyze_piece)


def strip_accents(text: str) -> str:
    """Return the text with plain letters: `Céline` becomes `Celine`."""
    if text.isascii():
        return text
    return BEYOND_ASCII.sub(lambda letters: strip_marks(letters.group()), text)


# Raw tokens: the same one is in many pieces, with different punctuation around it.
@lru_cache(maxsize=50_000)
def normalize(raw: str) -> Token | None:
    """Return the token of a raw one as cut from a text; None for a stop word."""
    if len(raw) > MAX_TOKEN_CHARACTERS:
        return None
    if raw[0].isdigit():
        number = raw.replace(",", "")
        return Token(number, number)
    bare = raw.replace("\u2019", "'")
    if bare.endswith(POSSESSIVES):
        bare = bare[:-2]
    bare = bare.replace("'", "").replace(".", "")
    form = bare.lower()
    # WHO and IT are names; who and it are not.
    is_acronym = len(bare) > 1 and bare.isupper()
    if not form or (form in STOP_WORDS and not is_acronym):
        return None
    with _STEMMING:
        return Token(_STEMMER.stemWord(form), form)


# Snowball's stemmers keep state while they work, hence the lock; no cache of theirs (0), since
# `normalize` has one.
_STEMMER = Stemmer.Stemmer("english", 0)
_STEMMING = threading.Lock()
