"""Find a quote in a text: exactly, with other white space, or folded (case, accents, marks)."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from citewire.index.errors import InvalidInput
from citewire.index.text.folding import strip_marks
from citewire.index.types import Span, refuse_unstorable

# Characters of the longest quote that is searched for.
MAX_QUOTE_CHARACTERS = 2000
# Typographic variants of a mark, each folded to the plain mark on its line.
LOOKALIKES = {
    "'": "\u2018\u2019\u201a\u201b\u2032\u00b4`",
    '"': "\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212",
}
FOLDED = {ord(mark): plain for plain, marks in LOOKALIKES.items() for mark in marks}
# The ellipsis folds to three characters.
FOLDED[ord("\u2026")] = "..."


def require_quote(text: str) -> None:
    """Raise InvalidInput when the text is not a quote that can be searched for."""
    if not text.strip():
        raise InvalidInput("the quote is empty")
    refuse_unstorable(text, "the quote")
    if len(text) > MAX_QUOTE_CHARACTERS:
        raise InvalidInput(
            f"the quote has {len(text)} characters; at most {MAX_QUOTE_CHARACTERS} are searched for"
        )


def find_verbatim(text: str, quote: str) -> Iterator[Span]:
    """Yield each exact occurrence of the quote, overlapping ones too.

    >>> list(find_verbatim("abab", "ab"))
    [Span(start=0, end=2), Span(start=2, end=4)]
    """
    start = text.find(quote)
    while start >= 0:
        yield Span(start, start + len(quote))
        start = text.find(quote, start + 1)


def find_respaced(text: str, quote: str) -> Iterator[Span]:
    r"""Yield each occurrence of the quote's words with any white space between and around them.

    >>> list(find_respaced("It rained\n\nall day.", " rained all "))
    [Span(start=3, end=14)]
    """
    pattern = re.compile(r"\s+".join(re.escape(word) for word in quote.split()))
    for found in pattern.finditer(text):
        yield Span(found.start(), found.end())


@dataclass(frozen=True, slots=True)
class FoldedText:
    """A text without case, accents and typography; `origins` maps it to the original text.

    It has the original offset of each folded character, and then the original length.
    """

    text: str
    origins: list[int]

    def span(self, start: int, end: int) -> Span:
        """Return the span of the original text that the folded `[start, end)` comes from."""
        after = end
        # One character may fold to several (ß to ss). Marks fold to none and so end up inside:
        # the next origin is behind them.
        while after < len(self.text) and self.origins[after] == self.origins[end - 1]:
            after += 1
        return Span(self.origins[start], self.origins[after])


def fold(text: str) -> FoldedText:
    r"""Fold a text: case, accents, typography, and each run of white space to one space.

    >>> fold("\u201cCafé\u201d\n \u2014 no").text
    '"cafe" - no'
    """
    folded: list[str] = []
    origins: list[int] = []
    for place, character in enumerate(text):
        if character.isspace():
            added = "" if folded[-1:] == [" "] else " "
        else:
            added = fold_character(character)
        for each in added:
            folded.append(each)
            origins.append(place)
    return FoldedText("".join(folded), [*origins, len(text)])


@lru_cache(maxsize=4096)
def fold_character(character: str) -> str:
    """Return a character without case, accents and typography: none, one or several characters."""
    return strip_marks(character.translate(FOLDED).casefold())


def find_folded(text: str, quote: str) -> Iterator[Span]:
    r"""Yield each occurrence of the quote regardless of case, accents, space, quotes and dashes.

    >>> list(find_folded("She said: \u201cYes.\u201d", '"yes."'))
    [Span(start=10, end=16)]
    """
    wanted = fold(quote.strip()).text
    if not wanted.strip():
        return
    whole = fold(text)
    start = whole.text.find(wanted)
    while start >= 0:
        yield whole.span(start, start + len(wanted))
        start = whole.text.find(wanted, start + len(wanted))
