"""Words that stand in an article: where a quote is found in a text, letter by letter or nearly."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from citewire.index.errors import InvalidInput
from citewire.index.text.chunking import find_context
from citewire.index.text.folding import strip_marks
from citewire.index.types import Article, Span, refuse_unstorable

MAX_QUOTE_CHARACTERS = 2000
# Marks that print differently and say the same: folded to the first of each line.
LOOKALIKES = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u00b4`",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
}
FOLDED = {ord(mark): plain for plain, marks in LOOKALIKES.items() for mark in marks}
# The one character that prints as three.
FOLDED[ord("\u2026")] = "..."


@dataclass(frozen=True, slots=True)
class Quotation:
    """A span of an article and the sentence or sentences around it.

    Raises:
        InvalidInput: the span leaves the article, or the context does not hold it.
    """

    article: Article
    span: Span
    context: Span

    def __post_init__(self) -> None:
        self.context.of(self.article.text)
        if not self.context.contains(self.span):
            raise InvalidInput(f"{self.context} does not hold its quote {self.span}")

    @property
    def text(self) -> str:
        """The quoted characters."""
        return self.span.of(self.article.text)


def quotation(article: Article, span: Span) -> Quotation:
    """Return the span in its sentence."""
    return Quotation(article, span, find_context(article.text, article.language, span))


def require_quote(text: str) -> None:
    """Raise InvalidInput when the text is no quote that can be looked for."""
    if not text.strip():
        raise InvalidInput("the quote is empty")
    refuse_unstorable(text, "the quote")
    if len(text) > MAX_QUOTE_CHARACTERS:
        raise InvalidInput(
            f"the quote has {len(text)} characters; at most {MAX_QUOTE_CHARACTERS} are looked for"
        )


def verbatim(text: str, quote: str) -> Iterator[Span]:
    """Yield where exactly the quote stands, overlapping occurrences too.

    >>> list(verbatim("abab", "ab"))
    [Span(start=0, end=2), Span(start=2, end=4)]
    """
    start = text.find(quote)
    while start >= 0:
        yield Span(start, start + len(quote))
        start = text.find(quote, start + 1)


def spaced(text: str, quote: str) -> Iterator[Span]:
    r"""Yield where the quote's words stand, whatever white space is between and around them.

    >>> list(spaced("It rained\n\nall day.", " rained all "))
    [Span(start=3, end=14)]
    """
    pattern = re.compile(r"\s+".join(re.escape(word) for word in quote.split()))
    for found in pattern.finditer(text):
        yield Span(found.start(), found.end())


@dataclass(frozen=True, slots=True)
class Folding:
    """A text without case, accents and typography; `origins` says where each character is from.

    The last origin is the length of the original text.
    """

    text: str
    origins: list[int]

    def span(self, start: int, end: int) -> Span:
        """Return the stretch of the original that the folded `[start, end)` comes from."""
        after = end
        # The marks of a folded letter belong to it: they were folded away behind it.
        while after < len(self.text) and self.origins[after] == self.origins[end - 1]:
            after += 1
        return Span(self.origins[start], self.origins[after])


def folding(text: str) -> Folding:
    r"""Fold a text, every run of white space to one space.

    >>> folding("\u201cCafé\u201d\n \u2014 no").text
    '"cafe" - no'
    """
    folded: list[str] = []
    origins: list[int] = []
    for place, character in enumerate(text):
        if character.isspace():
            added = "" if folded[-1:] == [" "] else " "
        else:
            added = folded_character(character)
        for each in added:
            folded.append(each)
            origins.append(place)
    return Folding("".join(folded), [*origins, len(text)])


@lru_cache(maxsize=4096)
def folded_character(character: str) -> str:
    """Return what is left of a character without case, accents and typography."""
    return strip_marks(character.translate(FOLDED).casefold())


def alike(text: str, quote: str) -> Iterator[Span]:
    r"""Yield where the quote stands but for case, accents, white space, quotes and dashes.

    >>> list(alike("She said: \u201cYes.\u201d", '"yes."'))
    [Span(start=10, end=16)]
    """
    wanted = folding(quote.strip()).text
    if not wanted.strip():
        return
    whole = folding(text)
    start = whole.text.find(wanted)
    while start >= 0:
        yield whole.span(start, start + len(wanted))
        start = whole.text.find(wanted, start + len(wanted))
