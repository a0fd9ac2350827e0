"""Verify a quote: find it in the archive's canonical texts themselves, without any model.

The lexical index names the articles that may contain a quote. It is only trusted to exclude
articles, and only by whole words inside the quote; without such words, all articles are scanned.
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
    find_folded,
    find_respaced,
    find_verbatim,
    require_quote,
)
from citewire.rag.types import Citation

# Places that a verdict shows at most.
MAX_MATCHES = 20
# Passages: a word in more of them excludes too few articles to be worth looking up.
COMMON_PASSAGES = 2000
# Words of the quote by which the database filters the texts that are read.
WORDS_COMPARED = 4
# Articles: this few are read sooner than narrowed further.
FEW_ARTICLES = 4
# Words looked up in the index at most; more of them exclude hardly any further article.
WORDS_LOOKED_UP = 6
# Articles, and characters of each, that are folded to find the closest place: folding takes far
# longer than searching.
CLOSEST_ARTICLES = 20
CLOSEST_CHARACTERS = 200_000
# A word that every tokenizer takes for one word when white space surrounds it: of letters that
# Unicode has always had, with only such marks around them as no word contains.
PLAIN_WORD = re.compile(
    "[\"'(\u2018\u201c]*([0-9A-Za-z\u00c0-\u024f]{1,64})[.,;:!?\"')\u2019\u201d]*"
)


class Status(StrEnum):
    """How a quote was found."""

    EXACT = "exact"
    WHITESPACE_ONLY = "whitespace_only"
    MISATTRIBUTED = "misattributed"
    NOT_FOUND = "not_found"


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a quote is in the archive, and where; `closest` is the nearest place if it is not.

    `more` means that there are more matches than are given.
    """

    status: Status
    matches: tuple[Citation, ...] = ()
    more: bool = False
    closest: Citation | None = None


@dataclass(slots=True)
class QuoteMatches:
    """The places of a quote: exact ones, and those with other white space."""

    exact: list[Citation]
    spaced: list[Citation]

    def add(self, article: Article, quote: str) -> None:
        """Add the places in one article, up to one more than are ever shown."""
        add_places(self.exact, article, find_verbatim(article.text, quote))
        if not self.exact:
            add_places(self.spaced, article, find_respaced(article.text, quote))

    @property
    def full(self) -> bool:
        """Whether further places would change nothing."""
        return len(self.exact) > MAX_MATCHES

    def status(self) -> Status:
        """Return the status of the best places."""
        if self.exact:
            return Status.EXACT
        return Status.WHITESPACE_ONLY if self.spaced else Status.NOT_FOUND

    def verdict(self, status: Status) -> Verdict:
        """Return a verdict of this status with the best places."""
        places = self.exact or self.spaced
        return Verdict(status, tuple(places[:MAX_MATCHES]), more=len(places) > MAX_MATCHES)


class Verifier:
    """Looks quotes up in an archive; threads may share it."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive

    def verify(self, quote: str, article_id: str | None = None) -> Verdict:
        """Say whether the archive holds the quote: in the named article, where one is named.

        The verdict holds for one state of the archive.

        Raises:
            InvalidInput: the quote is empty or too long.
        """
        require_quote(quote)
        with self._archive.reading() as snapshot:
            if article_id is not None:
                own = QuoteMatches([], [])
                for article in look_up_article(snapshot, article_id):
                    own.add(article, quote)
                if own.status() is not Status.NOT_FOUND:
                    return own.verdict(own.status())
            found = find_anywhere(snapshot, quote)
            if found.status() is Status.NOT_FOUND:
                return Verdict(Status.NOT_FOUND, closest=find_closest(snapshot, quote, article_id))
            return found.verdict(found.status() if article_id is None else Status.MISATTRIBUTED)


def find_anywhere(snapshot: Snapshot, quote: str) -> QuoteMatches:
    """Find the quote in all articles, up to one more place than are ever shown."""
    found = QuoteMatches([], [])
    # Every place contains all of the quote's words, with any white space between them.
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
    for word in find_whole_words(quote):
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


def find_closest(snapshot: Snapshot, quote: str, article_id: str | None) -> Citation | None:
    """Return the first place that differs only in case, accents, white space or typography."""
    own: list[Article] = []
    if article_id is not None:
        own += look_up_article(snapshot, article_id)
    # The index folds letters as well, so that it finds most of these articles.
    numbers = sorted(narrow(snapshot, quote) or ())
    if 0 < len(numbers) <= CLOSEST_ARTICLES:
        own += snapshot.articles_containing((), numbers)
    for article in own:
        for span in find_folded(article.text[:CLOSEST_CHARACTERS], quote):
            return Citation.in_sentence(article, span)
    return None


def add_places(places: list[Citation], article: Article, spans: Iterator[Span]) -> None:
    """Add the article's spans until there is one more place than is ever shown."""
    missing = MAX_MATCHES + 1 - len(places)
    places += [Citation.in_sentence(article, span) for span in islice(spans, missing)]


def find_whole_words(quote: str) -> list[str]:
    """Return the words that every text with the quote contains as words, the longest first.

    The quote's first and last words may be pieces of longer ones and are left out.

    >>> find_whole_words("gton's envoy met Park (Jin) on 9 No")
    ['envoy', 'Park', 'met', 'Jin', 'on', '9']
    """
    inner = quote.split()[1:-1]
    words = [found[1] for found in map(PLAIN_WORD.fullmatch, inner) if found]
    return sorted(dict.fromkeys(words), key=len, reverse=True)
