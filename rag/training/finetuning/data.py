"""From SQuAD examples to token windows with target positions."""

import random
from dataclasses import dataclass
from pathlib import Path

from tokenizers import Encoding, Tokenizer

from citewire.rag.evaluation.squad import Gold, SquadExample

CONTEXT = 1  # index of the context in the pair (question, context)
# Token position of [CLS], the target of unanswerable questions (Devlin 2019).
NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class TrainingWindow:
    """One input of the model; the targets `start` and `end` are token positions, both inclusive.

    An `anchored` one is held to what the start model says of it. With `after_twin`, it does not
    answer the question that the window before it in the batch answers.
    """

    token_ids: tuple[int, ...]
    type_ids: tuple[int, ...]
    start: int
    end: int
    anchored: bool = False
    after_twin: bool = False


def make_negative(example: SquadExample, rng: random.Random) -> SquadExample | None:
    """Pair the question with a random paragraph of its article that contains no gold answer.

    Return None if there is none, or if the question is unanswerable: another paragraph might
    answer it.
    """
    if not example.golds:
        return None
    texts = [gold.text.casefold() for gold in example.golds]
    others = [context for context in example.article if context != example.context]
    for context in rng.sample(others, len(others)):
        folded = context.casefold()
        if not any(text in folded for text in texts):
            return SquadExample(
                f"{example.id}-negative", example.question, context, (), example.article
            )
    return None


def load_window_tokenizer(path: Path, *, max_tokens: int, stride_tokens: int) -> Tokenizer:
    """Load a `tokenizer.json`; it cuts long contexts into windows that overlap by the stride."""
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens, stride=stride_tokens, strategy="only_second")
    return tokenizer


def split_windows(encoding: Encoding) -> list[Encoding]:
    """Return all windows of a pair, in the context's order."""
    return [encoding, *encoding.overflowing]


def find_answer_tokens(window: Encoding, gold: Gold) -> tuple[int, int] | None:
    """Return first and last token of the gold; None if the window does not hold all of it."""
    first = window.char_to_token(gold.start, CONTEXT)
    last = window.char_to_token(gold.end - 1, CONTEXT)
    return None if first is None or last is None else (first, last)


def build_training_window(
    tokenizer: Tokenizer, example: SquadExample, rng: random.Random, *, anchored: bool = False
) -> TrainingWindow | None:
    """Turn an example into one random window that holds its first gold, or any if it has none.

    None if no window holds the answer whole: it begins or ends on a character that the tokenizer
    drops, or is longer than the overlap of two windows.
    """
    encoding = tokenizer.encode(example.question, example.context)
    candidates = _list_candidates(split_windows(encoding), example.golds)
    if not candidates:
        return None
    window, (start, end) = rng.choice(candidates)
    return TrainingWindow(tuple(window.ids), tuple(window.type_ids), start, end, anchored)


def _list_candidates(
    windows: list[Encoding], golds: tuple[Gold, ...]
) -> list[tuple[Encoding, tuple[int, int]]]:
    if not golds:
        return [(window, (NO_ANSWER, NO_ANSWER)) for window in windows]
    placed = [(window, find_answer_tokens(window, golds[0])) for window in windows]
    return [(window, tokens) for window, tokens in placed if tokens is not None]
