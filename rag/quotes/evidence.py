"""Permanent links to quotes: what they say, and whether it still stands in the archive.

A link says which article it quotes, the digest of that article's text, the span and its
words, with some words around them. It is no authority: anyone can write one. So nothing of
what it says is ever shown; what is shown is found in the archive at that moment.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from citewire.index.archive.protocol import Archive
from citewire.index.errors import UnknownArticle
from citewire.index.types import Article, Span
from citewire.rag.errors import UnknownEvidence
from citewire.rag.quotes.matching import Quotation, quotation, verbatim
from citewire.rag.quotes.permalink import AROUND_CHARACTERS, DIGEST_CHARACTERS, EvidenceId

# Of more places than these, which one was meant cannot be told anyway.
MAX_PLACES = 1000


class State(StrEnum):
    """What became of a quote since it was cited."""

    OK = "ok"
    MOVED = "moved"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A link, looked up: `quotation` is where the quote stands now, None where it does not.

    `article` is the article as it is now, None when the archive holds none of its id.
    """

    state: State
    article: Article | None
    quotation: Quotation | None


def look_up(known: EvidenceId, archive: Archive) -> Evidence:
    """Return what the archive holds now of what a link says."""
    try:
        with archive.reading() as snapshot:
            article = snapshot.article(known.article_id)
    except UnknownArticle:
        return Evidence(State.REMOVED, None, None)
    unchanged = article.digest[:DIGEST_CHARACTERS] == known.digest
    if unchanged:
        end = known.start + len(known.quote)
        if article.text[known.start : end] != known.quote:
            raise UnknownEvidence("the quote never stood there: this link was tampered with")
        place = quotation(article, Span(known.start, end))
        return Evidence(State.OK, article, place)
    spans = islice(verbatim(article.text, known.quote), MAX_PLACES)
    best = max(spans, key=lambda span: nearness(span, article.text, known), default=None)
    if best is None:
        return Evidence(State.CHANGED, article, None)
    return Evidence(State.MOVED, article, quotation(article, best))


def nearness(span: Span, text: str, known: EvidenceId) -> tuple[int, int]:
    """Return how much of the text around is the same, then how near the place is."""
    before = text[max(span.start - AROUND_CHARACTERS, 0) : span.start]
    after = text[span.end : span.end + AROUND_CHARACTERS]
    same = shared_start(before[::-1], known.before[::-1]) + shared_start(after, known.after)
    return same, -abs(span.start - known.start)


def shared_start(one: str, other: str) -> int:
    """Return how many characters two texts have in common at their start."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))
