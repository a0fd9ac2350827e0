"""Split a canonical text into sentences, and sentences into passages; offsets stay exact."""

from collections.abc import Iterator
from dataclasses import dataclass

from sentencex import get_sentence_boundaries

from citewire.index.types import Article, Span

# Part of every article's fingerprint: raise it whenever the same text would be split differently,
# so that the next indexing run splits and encodes it again.
CHUNKER_VERSION = 1
# Characters that sentencex reads at once. Its time grows with the square of a text's length, and it
# holds the interpreter lock: a hostile megabyte would stop a service for a minute, a stretch stops
# it for a twentieth of a second. In paragraphs of news it finds the same sentences.
STRETCH = 16_000
# Characters before a stretch's end where its sentences are not trusted: a quotation that the end
# cuts off is split where a whole one is not.
MARGIN = 2_000


@dataclass(frozen=True, slots=True)
class PassageSize:
    """How long passages are, in characters.

    A passage ends at the last sentence that fits into `characters`; the next one begins
    again with that sentence when it has at most `overlap` characters.
    """

    characters: int = 640
    overlap: int = 160

    def __post_init__(self) -> None:
        if not 0 <= self.overlap < self.characters:
            raise ValueError("the overlap must be shorter than the passage")


def split_sentences(text: str, language: str) -> list[Span]:
    """Split into sentences without the white space around them, in order.

    Together they cover every character that is not white space.
    """
    spans: list[Span] = []
    start = 0
    while start < len(text):
        found, start = split_stretch(start, text, language)
        spans += found
    return spans


def split_stretch(start: int, text: str, language: str) -> tuple[list[Span], int]:
    """Return the sentences of the stretch that begins at `start`, and the next stretch's start.

    A stretch ends between two paragraphs or, in a longer paragraph, between two sentences.
    """
    end = start + STRETCH
    gap = text.rfind("\n\n", start + 1, end)
    if gap > 0 and end < len(text):
        end = gap + 2
    found = find_sentences(text, start, end, language)
    if gap < 0 and end < len(text):
        settled = [span for span in found if span.end <= end - MARGIN]
        if settled:
            return settled, settled[-1].end
    return found, end


def find_sentences(text: str, start: int, end: int, language: str) -> list[Span]:
    """Return the sentences of a stretch of the text."""
    found = [
        trim_span(text, start + each["start_index"], start + each["end_index"])
        for each in get_sentence_boundaries(language, text[start:end])
    ]
    return [span for span in found if span is not None]


def trim_span(text: str, start: int, end: int) -> Span | None:
    """Return the stretch without white space at its ends, None when nothing is left."""
    stretch = text[start:end]
    start += len(stretch) - len(stretch.lstrip())
    end -= len(stretch) - len(stretch.rstrip())
    return Span(start, end) if start < end else None


def split_passages(text: str, language: str, size: PassageSize) -> list[Span]:
    """Split into overlapping passages; together they cover every non-blank character.

    >>> text = "One is here. Two is here. Three is here."
    >>> [span.of(text) for span in split_passages(text, "en", PassageSize(28, 13))]
    ['One is here. Two is here.', 'Two is here. Three is here.']
    """
    units = [
        piece
        for sentence in split_sentences(text, language)
        for piece in split_long(text, sentence, size)
    ]
    spans: list[Span] = []
    first = 0
    while first < len(units):
        last = first
        while last + 1 < len(units) and units[last + 1].end - units[first].start <= size.characters:
            last += 1
        spans.append(Span(units[first].start, units[last].end))
        if last + 1 == len(units):
            break
        # The overlap must leave room for the next sentence, or the same passage would recur.
        overlapping = last > first and len(units[last]) <= size.overlap
        fits = units[last + 1].end - units[last].start <= size.characters
        first = last if overlapping and fits else last + 1
    return spans


def split_long(text: str, sentence: Span, size: PassageSize) -> Iterator[Span]:
    """Split a sentence that is longer than a passage, at white space where there is any."""
    start = sentence.start
    while sentence.end - start > size.characters:
        end = start + size.characters
        space = max(text.rfind(" ", start + 1, end), text.rfind("\n", start + 1, end))
        if space > start:
            end = space
        piece = trim_span(text, start, end)
        if piece is not None:
            yield piece
        start = end
    rest = trim_span(text, start, sentence.end)
    if rest is not None:
        yield rest


def find_context(text: str, language: str, quote: Span) -> Span:
    """Return the sentence around the quote, or the run of sentences that it touches."""
    # A sentence does not go beyond its paragraph, so no other text needs to be split.
    before = text.rfind("\n\n", 0, quote.start)
    after = text.find("\n\n", quote.end)
    begin = 0 if before < 0 else before
    found = split_sentences(text[begin : after if after >= 0 else len(text)], language)
    touched = [span for span in (each.shift(begin) for each in found) if span.overlaps(quote)]
    start = min([quote.start, *(span.start for span in touched)])
    end = max([quote.end, *(span.end for span in touched)])
    return Span(start, end)


def build_encoder_text(article: Article, span: Span) -> str:
    """Return the text to encode for a passage, which begins with its article's title."""
    return f"{article.title}. {span.of(article.text)}"
