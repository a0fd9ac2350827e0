"""Decode a window's logits to spans of the text: pure functions, no model.

A window is one run of tokens that a reader saw: the question and a stretch of a passage.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from citewire.index.types import Span

Floats = NDArray[np.float32]
Values = TypeVar("Values", Floats, NDArray[np.int64])

MAX_ANSWER_TOKENS = 30
# Spans that a window proposes: enough for two different answers and their variants.
SPANS_PER_WINDOW = 6
ZERO_WIDTH_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class Window:
    """Which tokens of a window stand for which characters.

    `offsets` holds each token's [start, end) in the text that was read; `starts` and `ends`
    are masks of the tokens where an answer may begin and end: of the text, and at a word's edge.
    `regions` numbers the stretches of the text that an answer may not leave.
    """

    offsets: Sequence[tuple[int, int]]
    starts: NDArray[np.bool_]
    ends: NDArray[np.bool_]
    regions: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class ScoredSpan:
    """A span of the text that was read, and its logit margin over "no answer here"."""

    span: Span
    margin: float


def find_best_spans(start_logits: Floats, end_logits: Floats, window: Window) -> list[ScoredSpan]:
    """Return the window's best spans, best first, none overlapping another.

    A span's margin is its start plus its end logit, minus those of the first token, [CLS], which
    stands for no answer (Devlin 2019, section 4.3). Spans have at most MAX_ANSWER_TOKENS
    tokens. Logits have shape (tokens,).
    """
    tokens = len(window.offsets)
    reach = min(MAX_ANSWER_TOKENS, tokens)
    starts = np.where(window.starts, start_logits, -np.inf)
    ends = np.where(window.ends, end_logits, -np.inf)
    # sums[i, d]: the span from token i to token i + d.
    sums = starts[:, None] + look_ahead(ends, reach, -np.inf)
    sums[look_ahead(window.regions, reach, -1) != window.regions[:, None]] = -np.inf
    no_answer = float(start_logits[0] + end_logits[0])
    # Variants of the best span crowd the top: look at many to be left with a few that differ.
    count = min(20 * SPANS_PER_WINDOW, sums.size)
    top = np.argpartition(-sums, count - 1, axis=None)[:count]
    found = []
    for first, length in zip(*np.unravel_index(top, sums.shape), strict=True):
        logit_sum = float(sums[first, length])
        if not np.isfinite(logit_sum):
            continue
        start, end = window.offsets[first][0], window.offsets[first + length][1]
        if start < end:
            found.append(ScoredSpan(Span(start, end), logit_sum - no_answer))
    return suppress_overlaps(found)[:SPANS_PER_WINDOW]


def look_ahead(values: Values, reach: int, beyond: float) -> Values:
    """Return for each place the values of it and those behind it, `beyond` where there is none."""
    padded = np.concatenate([values, np.full(reach, beyond, values.dtype)])
    return np.lib.stride_tricks.sliding_window_view(padded, reach)[: len(values)]


class HasMargin(Protocol):
    """A span of a text with a margin: a ScoredSpan or an Extract."""

    @property
    def span(self) -> Span:
        """Its place in the text."""

    @property
    def margin(self) -> float:
        """Its logit margin over "no answer here"; more is better."""


Candidate = TypeVar("Candidate", bound=HasMargin)


def suppress_overlaps(spans: Sequence[Candidate]) -> list[Candidate]:
    """Return one text's spans best first, leaving out those that overlap a better one.

    This is greedy non-maximum suppression. Of equal margins, the earlier span is kept.
    """
    kept: list[Candidate] = []
    for candidate in sorted(spans, key=lambda one: (-one.margin, one.span)):
        if not any(candidate.span.overlaps(better.span) for better in kept):
            kept.append(candidate)
    return kept


def widen_to_characters(text: str, span: Span) -> Span:
    """Widen the span to whole visible characters: with their accents, joiners and selectors.

    These are the grapheme clusters of UAX #29 in a simple form. A tokenizer that strips accents
    leaves combining marks outside its tokens.
    """
    start, end = span.start, span.end
    while end < len(text) and belongs_to_previous(text, end):
        end += 1
    while start > 0 and belongs_to_previous(text, start):
        start -= 1
    return Span(start, end)


def belongs_to_previous(text: str, position: int) -> bool:
    """Say whether the character at `position` forms one visible character with the previous."""
    character = text[position]
    return (
        unicodedata.category(character) in ("Mn", "Me", "Mc")
        or character == ZERO_WIDTH_JOINER
        or text[position - 1] == ZERO_WIDTH_JOINER
        or "\U0001f3fb" <= character <= "\U0001f3ff"  # skin tones
    )
