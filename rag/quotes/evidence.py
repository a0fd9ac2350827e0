"""Look up permanent links to quotes: whether the quote is still in the archive, and where.

A link contains the id of the quoted article, the digest of its text, the span and its words,
with some characters around them. It is not trusted, since anyone can write one: its contents are
never shown, only text that is found in the archive at that moment.
"""

from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from citewire.index.archive.protocol import Archive
from citewire.index.errors import UnknownArticle
from citewire.index.types import Article, Span
from citewire.rag.errors import UnknownEvidence
from citewire.rag.quotes.matching import find_verbatim
from citewire.rag.quotes.permalink import AROUND_CHARACTERS, DIGEST_CHARACTERS, EvidenceId
from citewire.rag.types import Citation

# Occurrences of a quote that are compared at most; among more, the one meant cannot be known.
MAX_OCCURRENCES = 1000


class State(StrEnum):
    """The state of a quote since it was cited."""

    OK = "ok"
    MOVED = "moved"
    CHANGED = "changed"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A link, looked up: `citation` is the quote's place now, None where it is gone.

    `article` is the article as it is now, None when the archive has none with its id.
    """

    state: State
    article: Article | None
    citation: Citation | None


def look_up(known: EvidenceId, archive: Archive) -> Evidence:
    """Look a link up in the archive as it is now.

    Raises:
        UnknownEvidence: the article is unchanged, and never had this quote at its place.
    """
    try:
        with archive.reading() as snapshot:
            article = snapshot.article(known.article_id)
    except UnknownArticle:
        return Evidence(State.REMOVED, None, None)
    unchanged = article.digest[:DIGEST_CHARACTERS] == known.digest
    if unchanged:
        end = known.start + len(known.quote)
        if article.text[known.start : end] != known.quote:
            raise UnknownEvidence("the quote was never at this place: the link was tampered with")
        citation = Citation.in_sentence(article, Span(known.start, end))
        return Evidence(State.OK, article, citation)
    spans = islice(find_verbatim(article.text, known.quote), MAX_OCCURRENCES)
    best = max(spans, key=lambda span: score_place(span, article.text, known), default=None)
    if best is None:
        return Evidence(State.CHANGED, article, None)
    return Evidence(State.MOVED, article, Citation.in_sentence(article, best))


def score_place(span: Span, text: str, known: EvidenceId) -> tuple[int, int]:
    """Score a place: by the characters around it that are the same, then by its distance."""
    before = text[max(span.start - AROUND_CHARACTERS, 0) : span.start]
    after = text[span.end : span.end + AROUND_CHARACTERS]
    same = count_shared_prefix(before[::-1], known.before[::-1]) + count_shared_prefix(
        after, known.after
    )
    return same, -abs(span.start - known.start)


def count_shared_prefix(one: str, other: str) -> int:
    """Count the characters that two texts have in common at their start."""
    for place, (left, right) in enumerate(zip(one, other, strict=False)):
        if left != right:
            return place
    return min(len(one), len(other))
