"""Tokenise a recipe's questions and find their negatives, once, before distillation.

`python -m citewire.rag.training.prepare RECIPE.toml --data DIR --tokenizer tokenizer.json OUT.npz`
"""

import argparse
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from citewire.rag.evaluation.squad import Example, read_examples
from citewire.rag.training.distillation.clozes import cloze
from citewire.rag.training.distillation.headers import headed, headers_of
from citewire.rag.training.distillation.negatives import mined
from citewire.rag.training.distillation.pairs import Pairs
from citewire.rag.training.distillation.readings import Reading, Stream, rows_of
from citewire.rag.training.distillation.recipe import Recipe, Share, read_recipe
from citewire.rag.training.distillation.variations import surroundings, transferred, variations


def readings_of(recipe: Recipe, data: Path) -> Iterator[Reading]:
    """All questions on their own passages, on the nearest that lack their answers, and variants."""
    sources = [
        [e for name in share.files for e in read_examples(data / f"{name}.json.gz")]
        for share in recipe.sources
    ]
    paragraphs = list(dict.fromkeys(e.context for examples in sources for e in examples))
    treated = list(zip(recipe.sources, sources, strict=True))
    headers = headers_of(e for share, examples in treated if share.titled for e in examples)
    for share, examples in treated:
        readings = chain(
            (own(example, share.weight) for example in examples),
            negatives(share, examples, paragraphs, recipe.seed),
            untold(share, examples, recipe.seed),
        )
        yield from headed(readings, headers, recipe.header_share, recipe.seed)


def own(example: Example, weight: float) -> Reading:
    """The question on its own paragraph."""
    gold = example.golds[0] if example.golds else None
    return Reading(example.id, example.question, example.context, gold, weight)


def negatives(
    share: Share, examples: Sequence[Example], paragraphs: Sequence[str], seed: int
) -> Iterator[Reading]:
    """Answerable questions on the paragraphs that look like them and lack their answer.

    With names of the paragraph in place of its own, only the teacher knows what answers one.
    """
    if not share.negatives:
        return
    asked = [example for example in examples if example.golds]
    weight = share.weight * share.negatives_weight
    for example, texts in zip(asked, mined(asked, paragraphs, share.negatives, seed), strict=True):
        for number, text in enumerate(texts):
            yield Reading(f"{example.id} {number}", example.question, text, None, weight)
            if share.transferred:
                rng = random.Random(f"transferred {seed} {number} {example.id}")
                question = transferred(example.question, surroundings((text,)), rng)
                if question is not None:
                    yield Reading.untold(question, text, share.untold_weight)


def untold(share: Share, examples: Sequence[Example], seed: int) -> Iterator[Reading]:
    """Pairs whose answer nobody told: the teacher does."""
    for example in examples:
        rng = random.Random(f"variations {seed} {example.id}")
        if share.variations:
            near = surroundings((example.context, rng.choice(example.article)))
            for text in variations(example.question, near, share.variations, rng):
                yield Reading.untold(text, example.context, share.untold_weight)
        for number in range(share.windows if example.golds else 0):
            yield Reading(
                f"window {seed} {number} {example.id}",
                example.question,
                example.context,
                example.golds[0],
                share.untold_weight,
                is_told=False,
                article=example.article,
                is_apart=number % 2 == 1,
            )
    rng = random.Random(f"clozes {seed} {' '.join(share.files)}")
    for passage in dict.fromkeys(example.context for example in examples):
        for question in {cloze(passage, rng): None for _ in range(share.clozes)}:
            if question is not None:
                yield Reading.untold(question, passage, share.untold_weight)


def texts_of(readings: Iterable[Reading]) -> Iterator[str]:
    """All texts, articles whole and in their order, so that windows may cross paragraphs."""
    questions = []
    for reading in readings:
        yield from reading.article or (reading.passage,)
        questions.append(reading.question)
    yield from questions


def pairs_of(readings: Sequence[Reading], tokenizer: Tokenizer, max_tokens: int) -> Pairs:
    """Tokenise; a passage that is too long is cut to one window that holds the answer.

    Left out: answers that begin or end on a character that the tokenizer drops, or that no
    window holds.
    """
    # Those with articles first: a paragraph met alone would stand apart from its neighbours.
    ordered = sorted(readings, key=lambda reading: not reading.article)
    stream = Stream(tokenizer, texts_of(ordered))
    rows = rows_of(readings, stream, max_tokens)
    columns = np.array([row for row, _ in rows], np.int32).reshape(-1, 6).T
    return Pairs(
        stream.tokens,
        question_start=columns[0],
        question_end=columns[1],
        passage_start=columns[2],
        passage_end=columns[3],
        first=columns[4],
        last=columns[5],
        weight=np.array([weight for _, weight in rows], np.float32),
    )


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
    readings = list(readings_of(recipe, arguments.data))
    pairs = pairs_of(readings, tokenizer, recipe.max_tokens)
    pairs.save(arguments.out)
    told = int(pairs.is_told.sum())
    print(
        f"{len(pairs)} pairs, {told} told; {int(pairs.lengths.sum())} tokens,"
        f" {len(pairs.tokens)} stored"
    )


if __name__ == "__main__":
    main()
