"""Is this quote in the archive? Found in the canonical texts themselves, without any model.

The lexical index names the articles that may hold a quote. It is only trusted to leave
articles out, and only by whole words inside the quote: what it cannot narrow is scanned.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from citewire.index.archive.protocol import Archive, Snapshot
from citewire.index.errors import UnknownArticle
from citewire.index.text.analysis import analyze
from citewire.index.types import Article, Span
from citewire.rag.quotes.matching import (
    Quotation,
    alike,
    quotation,
    require_quote,
    spaced,
    verbatim,
)

MAX_MATCHES = 20
# A word in more passages than this tells too little to be worth looking up.
COMMON_PASSAGES = 2000
# Which articles are read at all is left to SQLite, by so many of the quote's words.
WORDS_COMPARED = 4
# So few are sooner read than narrowed further.
FEW_ARTICLES = 4
# More words than these do not narrow further what they have left.
WORDS_LOOKED_UP = 6
# Folding a text takes far longer than searching it, and a hint is worth only so much.
CLOSEST_ARTICLES = 20
CLOSEST_CHARACTERS = 200_000
# Whatever tokenizer indexed the text, it takes such a word between white space for one word:
# letters that Unicode has always had, and only marks that no word contains around them.
PLAIN_WORD = re.compile(
    "[\"'(\u2018\u201c]*([0-9A-Za-z\u00c0-\u024f]{1,64})[.,;:!?\"')\u2019\u201d]*"
)


class Status(StrEnum):
    """What became of a quote."""

    EXACT = "exact"
    WHITESPACE_ONLY = "whitespace_only"
    MISATTRIBUTED = "misattributed"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a quote is in the archive, and where; `closest` is the nearest when it is not.

    `more` says that there are more matches than are given.
    """

    status: Status
    matches: tuple[Quotation, ...] = ()
    more: bool = False
    closest: Quotation | None = None


@dataclass(slots=True)
class Found:
    """Where a quote's words stand: letter by letter, and with other white space."""

    exact: list[Quotation]
    spaced: list[Quotation]

    def add(self, article: Article, quote: str) -> None:
        """Add the places in one article, until there are more than are ever shown."""
        fill(self.exact, article, verbatim(article.text, quote))
        if not self.exact:
            fill(self.spaced, article, spaced(article.text, quote))

    @property
    def full(self) -> bool:
        """Say whether looking on would change nothing."""
        return len(self.exact) > MAX_MATCHES

    def status(self) -> Status:
        """Return what is found at best."""
        if self.exact:
            return Status.EXACT
        return Status.WHITESPACE_ONLY if self.spaced else Status.NOT_FOUND

    def verdict(self, status: Status) -> Verdict:
        """Return the best places under a status."""
        places = self.exact or self.spaced
        return Verdict(status, tuple(places[:MAX_MATCHES]), more=len(places) > MAX_MATCHES)


class Verifier:
    """Looks quotes up in an archive; threads may share it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def verify(self, quote: str, article_id: str | None = None) -> Verdict:
        """Say whether the archive holds the quote: in the named article, where one is named.

        All that is said holds for one state of the archive.

        Raises:
            InvalidInput: the quote is empty or too long.
        """
        require_quote(quote)
        with self._archive.reading() as snapshot:
            if article_id is not None:
                own = Found([], [])
                for article in look_up_article(snapshot, article_id):
                    own.add(article, quote)
                if own.status() is not Status.NOT_FOUND:
                    return own.verdict(own.status())
            found = find_anywhere(snapshot, quote)
            if found.status() is Status.NOT_FOUND:
                return Verdict(Status.NOT_FOUND, closest=find_closest(snapshot, quote, article_id))
            return found.verdict(found.status() if article_id is None else Status.MISATTRIBUTED)


def find_anywhere(snapshot: Snapshot, quote: str) -> Found:
    """Find the quote in all articles, until there are more places than are ever shown."""
    found = Found([], [])
    # Every place has all of the quote's words in it, whatever the white space.
    longest = sorted(set(quote.split()), key=len, reverse=True)[:WORDS_COMPARED]
    for article in snapshot.articles_containing(longest, narrow(snapshot, quote)):
        found.add(article, quote)
        if found.full:
            break
    return found


def narrow(snapshot: Snapshot, quote: str) -> set[int] | None:
    """Return the numbers of the articles with all the words inside; None: every article."""
    numbers: set[int] | None = None
    looked_up = 0
    for word in telling_words(quote):
        if looked_up == WORDS_LOOKED_UP:
            break
        if numbers is not None and len(numbers) <= FEW_ARTICLES:
            break
        terms = analyze(word)
        holding = snapshot.articles_with(terms[0].stem, COMMON_PASSAGES) if terms else None
        if holding is not None:
            numbers = holding if numbers is None else numbers & holding
            looked_up += 1
    return numbers


def look_up_article(snapshot: Snapshot, article_id: str) -> list[Article]:
    """Return the article of this id, nothing when there is none."""
    try:
        return [snapshot.article(article_id)]
    except UnknownArticle:
        return []


def find_closest(snapshot: Snapshot, quote: str, article_id: str | None) -> Quotation | None:
    """Return the first place with the same words in other letters or marks."""
    own: list[Article] = []
    if article_id is not None:
        own += look_up_article(snapshot, article_id)
    # The index folds letters as well, so that it still finds the articles, if not all.
    numbers = sorted(narrow(snapshot, quote) or ())
    if 0 < len(numbers) <= CLOSEST_ARTICLES:
        own += snapshot.articles_containing((), numbers)
    for article in own:
        for span in alike(article.text[:CLOSEST_CHARACTERS], quote):
            return quotation(article, span)
    return None


def fill(places: list[Quotation], article: Article, spans: Iterator[Span]) -> None:
    """Add the article's spans until there is one more place than is ever shown."""
    places += [quotation(article, span) for span in islice(spans, MAX_MATCHES + 1 - len(places))]


def telling_words(quote: str) -> list[str]:
    """Return the words that any text with the quote has as words, the longest first.

    The first and the last may be pieces of longer words.

    >>> telling_words("gton's envoy met Park (Jin) on 9 No")
    ['envoy', 'Park', 'met', 'Jin', 'on', '9']
    """
    inner = quote.split()[1:-1]
    words = [found[1] for found in map(PLAIN_WORD.fullmatch, inner) if found]
    return sorted(dict.fromkeys(words), key=len, reverse=True)
