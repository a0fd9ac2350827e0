"""Pairs of question and passage as text, and their places in one stream of tokens."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Encoding, Tokenizer

from citewire.rag.evaluation.squad import Gold
from citewire.rag.reading.reader import MAX_QUESTION_TOKENS
from citewire.rag.training.distillation.pairs import SPECIAL_TOKENS, UNANSWERABLE, UNLABELLED
from citewire.rag.training.distillation.windows import (
    SENTENCE_ENDS,
    SentenceStarts,
    TokenSpan,
    draw_window,
    draw_window_around,
)

# Start and end of the question, then of the passage, in the stream; first and last token of the
# answer in the passage.
Row = tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class TextPair:
    """A question and a passage before tokenisation; without a gold the passage lacks the answer.

    With an `article`, the model reads a window of it: one that contains the gold or, if
    `is_random_window`, any. A pair that is not `is_labelled` has only the teacher's soft labels.
    """

    id: str
    question: str
    passage: str
    gold: Gold | None
    weight: float
    is_labelled: bool = True
    article: tuple[str, ...] = ()
    is_random_window: bool = False

    @classmethod
    def without_label(cls, question: str, passage: str, weight: float) -> "TextPair":
        """Make a pair for the teacher to label."""
        return cls(question, question, passage, None, weight, is_labelled=False)


class TokenStream:
    """The token ids of all texts in their order, each text once."""

    def __init__(self, tokenizer: Tokenizer, texts: Iterable[str]) -> None:
        unique = list(dict.fromkeys(texts))
        encodings = tokenizer.encode_batch(unique, add_special_tokens=False)
        self.encodings: dict[str, Encoding] = dict(zip(unique, encodings, strict=True))
        lengths = [len(encoding.ids) for encoding in encodings]
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).tolist()
        self._starts: dict[str, int] = dict(zip(unique, starts, strict=True))
        self.tokens = np.array([i for e in encodings for i in e.ids], np.uint16)
        ends = [tokenizer.token_to_id(mark) for mark in SENTENCE_ENDS]
        self.sentences = SentenceStarts(self.tokens, [end for end in ends if end is not None])

    def locate(self, text: str) -> TokenSpan:
        """Return the text's tokens."""
        start = self._starts[text]
        return TokenSpan(start, start + len(self.encodings[text].ids))

    def locate_answer(self, pair: TextPair) -> TokenSpan | None:
        """Return the gold's tokens; None if it begins or ends on a character without a token."""
        if pair.gold is None:
            return None
        encoding = self.encodings[pair.passage]
        first = encoding.char_to_token(pair.gold.start)
        last = encoding.char_to_token(pair.gold.end - 1)
        if first is None or last is None:
            return None
        start = self.locate(pair.passage).start
        return TokenSpan(start + first, start + last + 1)

    def locate_article(self, pair: TextPair) -> TokenSpan:
        """Return the tokens of the pair's passage and its neighbours in the article.

        A paragraph that two articles share is stored with the first; there the second one's
        neighbours end.
        """
        parts = [self.locate(text) for text in pair.article]
        place = pair.article.index(pair.passage)
        first, last = place, place
        while first > 0 and parts[first - 1].end == parts[first].start:
            first -= 1
        while last + 1 < len(parts) and parts[last + 1].start == parts[last].end:
            last += 1
        return TokenSpan(parts[first].start, parts[last].end)


def build_rows(
    pairs: Sequence[TextPair], stream: TokenStream, max_tokens: int
) -> list[tuple[Row, float]]:
    """Return each pair's row and weight; pairs whose answer fits no window are left out."""
    rows = []
    for pair in pairs:
        question = stream.locate(pair.question)
        question = TokenSpan(
            question.start, min(question.end, question.start + MAX_QUESTION_TOKENS)
        )
        room = max_tokens - (question.end - question.start) - SPECIAL_TOKENS
        bounds = bound_passage(pair, stream, room)
        if bounds is not None:
            rows.append(((question.start, question.end, *bounds), pair.weight))
    return rows


def bound_passage(
    pair: TextPair, stream: TokenStream, room: int
) -> tuple[int, int, int, int] | None:
    """Return start and end of the window to read, and first and last token of the answer in it.

    None if the pair has a gold that does not fit into `room` tokens.
    """
    answer = stream.locate_answer(pair)
    if pair.gold is not None and (answer is None or answer.end - answer.start > room):
        return None
    window = choose_window(pair, answer, stream, room)
    if not pair.is_labelled:
        return window.start, window.end, UNLABELLED, UNLABELLED
    if answer is None:
        return window.start, window.end, UNANSWERABLE, UNANSWERABLE
    return window.start, window.end, answer.start - window.start, answer.end - 1 - window.start


def choose_window(
    pair: TextPair, answer: TokenSpan | None, stream: TokenStream, room: int
) -> TokenSpan:
    """Draw a window of the pair's article if it has one, else of its passage."""
    rng = random.Random(f"window {pair.id}")
    if answer is None or not pair.article:
        return cut_passage(stream.locate(pair.passage), answer, room, rng)
    article = stream.locate_article(pair)
    if pair.is_random_window:
        return draw_window(article, stream.sentences, room, rng)
    return draw_window_around(answer, article, stream.sentences, room, rng)


def cut_passage(
    passage: TokenSpan, answer: TokenSpan | None, room: int, rng: random.Random
) -> TokenSpan:
    """Cut the passage to `room` tokens at a random place; the answer, if any, stays whole."""
    earliest, latest = passage.start, max(passage.start, passage.end - room)
    if answer is not None:
        earliest, latest = max(earliest, answer.end - room), min(latest, answer.start)
    start = rng.randint(earliest, max(earliest, latest))
    return TokenSpan(start, min(passage.end, start + room))
