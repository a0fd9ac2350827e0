"""Questions on passages, and where they lie in one stream of tokens."""

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from tokenizers import Encoding, Tokenizer

from citewire.rag.evaluation.squad import Gold
from citewire.rag.training.distillation.pairs import NOWHERE, SPECIAL_TOKENS, UNTOLD
from citewire.rag.training.distillation.windows import (
    SENTENCE_ENDS,
    SentenceStarts,
    Stretch,
    any_window,
    window_around,
)

MAX_QUESTION_TOKENS = 96

# Bounds of question and passage in the stream, and of the answer in the passage.
Row = tuple[int, int, int, int, int, int]


@dataclass(frozen=True, slots=True)
class Reading:
    """A question on a passage, before tokenisation; without a gold the passage lacks an answer.

    With an `article`, a window of it is read that holds the gold, or that `is_apart`: any window.
    What is not told is the teacher's to say.
    """

    id: str
    question: str
    passage: str
    gold: Gold | None
    weight: float
    is_told: bool = True
    article: tuple[str, ...] = ()
    is_apart: bool = False

    @classmethod
    def untold(cls, question: str, passage: str, weight: float) -> "Reading":
        """A question of which only the teacher knows whether the passage answers it."""
        return cls(question, question, passage, None, weight, is_told=False)


class Stream:
    """All token ids one after another, every text once, in the order of the texts."""

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

    def stretch(self, text: str) -> Stretch:
        """Where a text lies."""
        start = self._starts[text]
        return Stretch(start, start + len(self.encodings[text].ids))

    def article(self, reading: Reading) -> Stretch:
        """Where the neighbours of the reading's passage lie, itself among them.

        A paragraph that two articles share stands with the first; neighbours end before it.
        """
        parts = [self.stretch(text) for text in reading.article]
        place = reading.article.index(reading.passage)
        first, last = place, place
        while first > 0 and parts[first - 1].end == parts[first].start:
            first -= 1
        while last + 1 < len(parts) and parts[last + 1].start == parts[last].end:
            last += 1
        return Stretch(parts[first].start, parts[last].end)


def rows_of(
    readings: Sequence[Reading], stream: Stream, max_tokens: int
) -> list[tuple[Row, float]]:
    """Each reading's row and weight, without those whose answer no window holds."""
    rows = []
    for reading in readings:
        asked = stream.stretch(reading.question)
        asked = Stretch(asked.start, min(asked.end, asked.start + MAX_QUESTION_TOKENS))
        window = window_of(reading, stream, max_tokens - (asked.end - asked.start) - SPECIAL_TOKENS)
        if window is not None:
            rows.append(((asked.start, asked.end, *window), reading.weight))
    return rows


def window_of(reading: Reading, stream: Stream, room: int) -> tuple[int, int, int, int] | None:
    """Bounds of the part that is read, and of the answer's tokens inside it; None without any."""
    passage = stream.stretch(reading.passage)
    rng = random.Random(f"window {reading.id}")
    answer = None
    if reading.gold is not None:
        encoding = stream.encodings[reading.passage]
        first = encoding.char_to_token(reading.gold.start)
        last = encoding.char_to_token(reading.gold.end - 1)
        if first is None or last is None or last - first >= room:
            return None
        answer = Stretch(passage.start + first, passage.start + last + 1)
    if answer is not None and reading.article:
        article = stream.article(reading)
        window = (
            any_window(article, stream.sentences, room, rng)
            if reading.is_apart
            else window_around(answer, article, stream.sentences, room, rng)
        )
    else:
        window = cut(passage, answer, room, rng)
    if not reading.is_told:
        return window.start, window.end, UNTOLD, UNTOLD
    if answer is None:
        return window.start, window.end, NOWHERE, NOWHERE
    return window.start, window.end, answer.start - window.start, answer.end - 1 - window.start


def cut(passage: Stretch, answer: Stretch | None, room: int, rng: random.Random) -> Stretch:
    """As much of the passage as there is room for, with the answer, if there is one, in it."""
    earliest, latest = passage.start, max(passage.start, passage.end - room)
    if answer is not None:
        earliest, latest = max(earliest, answer.end - room), min(latest, answer.start)
    start = rng.randint(earliest, max(earliest, latest))
    return Stretch(start, min(passage.end, start + room))
