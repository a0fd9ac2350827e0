"""Questions on paragraphs: from examples to token windows with target positions."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from citewire.rag.evaluation.squad import Example, Gold

CONTEXT = 1  # the context's place in the pair (question, context)
NO_ANSWER = 0  # the first token's position stands for "no answer here"


@dataclass(frozen=True, slots=True)
class Feature:
    """One window as the model sees it; `start` and `end` are token positions, both inclusive."""

    token_ids: tuple[int, ...]
    type_ids: tuple[int, ...]
    start: int
    end: int


def negative_of(example: Example, rng: random.Random) -> Example | None:
    """Put the question on another paragraph of its article; None where each holds an answer's text.

    Unanswerable questions give None too: nothing tells which text would answer them elsewhere.
    """
    if not example.golds:
        return None
    texts = [gold.text.casefold() for gold in example.golds]
    others = [context for context in example.article if context != example.context]
    for context in rng.sample(others, len(others)):
        folded = context.casefold()
        if not any(text in folded for text in texts):
            return Example(f"{example.id}-negative", example.question, context, (), example.article)
    return None


def with_negatives(examples: Sequence[Example], share: float, rng: random.Random) -> list[Example]:
    """Add a negative for a random `share` of the examples, where their article allows one."""
    chosen = [example for example in examples if rng.random() < share]
    negatives = [negative_of(example, rng) for example in chosen]
    return [*examples, *(negative for negative in negatives if negative is not None)]


def window_tokenizer(path: Path, *, max_tokens: int, stride_tokens: int) -> Tokenizer:
    """Load a `tokenizer.json` that cuts long contexts into windows overlapping by the stride."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens, stride=stride_tokens, strategy="only_second")
    return tokenizer


def windows_of(encoding: Encoding) -> list[Encoding]:
    """All windows of a pair, in the context's order."""
    return [encoding, *encoding.overflowing]


def answer_tokens(window: Encoding, gold: Gold) -> tuple[int, int] | None:
    """First and last token of the gold answer; None where the window does not hold all of it."""
    first = window.char_to_token(gold.start, CONTEXT)
    last = window.char_to_token(gold.end - 1, CONTEXT)
    return None if first is None or last is None else (first, last)


def features_of(
    tokenizer: Tokenizer, examples: Sequence[Example], rng: random.Random
) -> list[Feature]:
    """Turn each example into one window: one that holds its first gold, or any if it has none.

    Left out: answers that no window holds whole, because they begin or end on a dropped
    character or are longer than the overlap of two windows.
    """
    encodings = tokenizer.encode_batch(
        [(example.question, example.context) for example in examples]
    )
    features = []
    for example, encoding in zip(examples, encodings, strict=True):
        candidates = _targets(windows_of(encoding), example.golds)
        if candidates:
            window, (start, end) = rng.choice(candidates)
            features.append(Feature(tuple(window.ids), tuple(window.type_ids), start, end))
    return features


def _targets(
    windows: list[Encoding], golds: tuple[Gold, ...]
) -> list[tuple[Encoding, tuple[int, int]]]:
    if not golds:
        return [(window, (NO_ANSWER, NO_ANSWER)) for window in windows]
    placed = [(window, answer_tokens(window, golds[0])) for window in windows]
    return [(window, tokens) for window, tokens in placed if tokens is not None]
