"""Tokenise a recipe's questions and find their negatives, once, before distillation.

`python -m rag.training.prepare RECIPE.toml --data DIR --tokenizer tokenizer.json OUT.npz`
"""

import argparse
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from tokenizers import Encoding, Tokenizer

from rag.squad import Example, Gold, read_examples
from rag.training.negatives import mined
from rag.training.pairs import NOWHERE, SPECIAL_TOKENS, Pairs
from rag.training.recipe import Recipe, read_recipe

MAX_QUESTION_TOKENS = 96


@dataclass(frozen=True, slots=True)
class Reading:
    """A question on a passage, before tokenisation; without a gold the passage lacks an answer."""

    id: str
    question: str
    passage: str
    gold: Gold | None
    weight: float


class Stream:
    """All token ids one after another, every text once."""

    def __init__(self, tokenizer: Tokenizer, texts: Iterable[str]) -> None:
        unique = list(dict.fromkeys(texts))
        encodings = tokenizer.encode_batch(unique, add_special_tokens=False)
        self.encodings: dict[str, Encoding] = dict(zip(unique, encodings, strict=True))
        lengths = [len(encoding.ids) for encoding in encodings]
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]]).tolist()
        self.starts: dict[str, int] = dict(zip(unique, starts, strict=True))
        self.tokens = np.array([i for e in encodings for i in e.ids], np.uint16)


def readings_of(recipe: Recipe, data: Path) -> list[Reading]:
    """All questions on their own passages, and on the nearest that lack their answers."""
    sources = [
        [e for name in share.files for e in read_examples(data / f"{name}.json.gz")]
        for share in recipe.sources
    ]
    paragraphs = list(dict.fromkeys(e.context for examples in sources for e in examples))
    readings: list[Reading] = []
    for share, examples in zip(recipe.sources, sources, strict=True):
        readings += [own(example, share.weight) for example in examples]
        if share.negatives:
            asked = [example for example in examples if example.golds]
            found = mined(asked, paragraphs, share.negatives, recipe.seed)
            readings += [
                Reading(f"{example.id} {number}", example.question, text, None, weight)
                for example, texts in zip(asked, found, strict=True)
                for number, text in enumerate(texts)
                for weight in [share.weight * share.negatives_weight]
            ]
        print(f"{' '.join(share.files)}: {len(readings)} pairs in all", flush=True)
    return readings


def own(example: Example, weight: float) -> Reading:
    """The question on its own paragraph."""
    gold = example.golds[0] if example.golds else None
    return Reading(example.id, example.question, example.context, gold, weight)


def pairs_of(readings: Sequence[Reading], tokenizer: Tokenizer, max_tokens: int) -> Pairs:
    """Tokenise; a passage that is too long is cut to one window that holds the answer.

    Left out: answers that begin or end on a character that the tokenizer drops, or that no
    window holds.
    """
    stream = Stream(tokenizer, (text for r in readings for text in (r.question, r.passage)))
    rows: list[tuple[int, ...]] = []
    weights: list[float] = []
    for reading in readings:
        asked = len(stream.encodings[reading.question].ids[:MAX_QUESTION_TOKENS])
        room = max_tokens - asked - SPECIAL_TOKENS
        window = window_of(reading, stream.encodings[reading.passage], room)
        if window is None:
            continue
        start, end, first, last = window
        question, passage = stream.starts[reading.question], stream.starts[reading.passage]
        rows.append((question, question + asked, passage + start, passage + end, first, last))
        weights.append(reading.weight)
    columns = np.array(rows, np.int32).reshape(-1, 6).T
    return Pairs(
        stream.tokens,
        question_start=columns[0],
        question_end=columns[1],
        passage_start=columns[2],
        passage_end=columns[3],
        first=columns[4],
        last=columns[5],
        weight=np.array(weights, np.float32),
    )


def window_of(reading: Reading, passage: Encoding, room: int) -> tuple[int, int, int, int] | None:
    """Bounds of the passage's part that is read, and of the answer's tokens inside it."""
    length = len(passage.ids)
    rng = random.Random(f"window {reading.id}")
    if reading.gold is None:
        start = rng.randint(0, max(0, length - room))
        return start, min(length, start + room), NOWHERE, NOWHERE
    first = passage.char_to_token(reading.gold.start)
    last = passage.char_to_token(reading.gold.end - 1)
    if first is None or last is None or last - first >= room:
        return None
    earliest, latest = max(0, last - room + 1), max(0, min(first, length - room))
    start = rng.randint(earliest, latest)
    return start, min(length, start + room), first - start, last - start


def main() -> None:
    """Write the recipe's pairs."""
    parser = argparse.ArgumentParser(description="Tokenise questions and find their negatives.")
    parser.add_argument("recipe", type=Path, help="the distillation's TOML file")
    parser.add_argument("out", type=Path, help="file to write, .npz")
    parser.add_argument("--data", type=Path, required=True, help="folder of NAME.json.gz files")
    parser.add_argument(
        "--tokenizer", type=Path, required=True, help="the student's tokenizer.json"
    )
    arguments = parser.parse_args()
    recipe = read_recipe(arguments.recipe)
    tokenizer = Tokenizer.from_file(str(arguments.tokenizer))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    readings = readings_of(recipe, arguments.data)
    pairs = pairs_of(readings, tokenizer, recipe.max_tokens)
    pairs.save(arguments.out)
    print(f"{len(pairs)} pairs, {int(pairs.lengths.sum())} tokens, {len(pairs.tokens)} stored")


if __name__ == "__main__":
    main()
