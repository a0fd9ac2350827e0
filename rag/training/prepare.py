"""Make the training pairs of a distillation: augment, find hard negatives, tokenise.

    python -m citewire.rag.training.prepare RECIPE.toml OUT.npz --data DIR --tokenizer FILE

OUT.npz is the input of `citewire.rag.training.distill`.
"""

import argparse
import random
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from citewire.rag.evaluation.squad import SquadExample, read_examples
from citewire.rag.training.distillation.clozes import make_cloze
from citewire.rag.training.distillation.headers import add_headers, collect_titles
from citewire.rag.training.distillation.negatives import mine_negatives
from citewire.rag.training.distillation.pairs import Pairs
from citewire.rag.training.distillation.recipe import PairSource, Recipe, read_recipe
from citewire.rag.training.distillation.text_pairs import TextPair, TokenStream, build_rows
from citewire.rag.training.distillation.variations import collect_replacements, transfer, vary


def make_pairs(recipe: Recipe, data: Path) -> Iterator[TextPair]:
    """Yield all pairs of a recipe: labelled questions, their negatives, and unlabelled variants."""
    examples = [
        [e for name in source.files for e in read_examples(data / f"{name}.json.gz")]
        for source in recipe.sources
    ]
    paragraphs = list(dict.fromkeys(e.context for each in examples for e in each))
    treated = list(zip(recipe.sources, examples, strict=True))
    titles = collect_titles(e for source, each in treated if source.titled for e in each)
    for source, each in treated:
        pairs = chain(
            (pair_with_own_paragraph(example, source.weight) for example in each),
            pair_with_negatives(source, each, paragraphs, recipe.seed),
            make_unlabelled(source, each, recipe.seed),
        )
        yield from add_headers(pairs, titles, recipe.header_share, recipe.seed)


def pair_with_own_paragraph(example: SquadExample, weight: float) -> TextPair:
    """Pair the question with the paragraph it was asked about."""
    gold = example.golds[0] if example.golds else None
    return TextPair(example.id, example.question, example.context, gold, weight)


def pair_with_negatives(
    source: PairSource, examples: Sequence[SquadExample], paragraphs: Sequence[str], seed: int
) -> Iterator[TextPair]:
    """Pair answerable questions with similar paragraphs that lack their answer.

    If the source is `transferred`, each pair comes again without a label, its question with the
    names and numbers of the paragraph.
    """
    if not source.negatives:
        return
    asked = [example for example in examples if example.golds]
    weight = source.weight * source.negatives_weight
    mined = mine_negatives(asked, paragraphs, source.negatives, seed)
    for example, texts in zip(asked, mined, strict=True):
        for number, text in enumerate(texts):
            yield TextPair(f"{example.id} {number}", example.question, text, None, weight)
            if source.transferred:
                rng = random.Random(f"transferred {seed} {number} {example.id}")
                question = transfer(example.question, collect_replacements((text,)), rng)
                if question is not None:
                    yield TextPair.without_label(question, text, source.untold_weight)


def make_unlabelled(
    source: PairSource, examples: Sequence[SquadExample], seed: int
) -> Iterator[TextPair]:
    """Make the pairs that only the teacher labels: variations, windows and clozes."""
    for example in examples:
        rng = random.Random(f"variations {seed} {example.id}")
        if source.variations:
            near = collect_replacements((example.context, rng.choice(example.article)))
            for text in vary(example.question, near, source.variations, rng):
                yield TextPair.without_label(text, example.context, source.untold_weight)
        yield from make_windows(source, example, seed)
    rng = random.Random(f"clozes {seed} {' '.join(source.files)}")
    for passage in dict.fromkeys(example.context for example in examples):
        for question in {make_cloze(passage, rng): None for _ in range(source.clozes)}:
            if question is not None:
                yield TextPair.without_label(question, passage, source.untold_weight)


def make_windows(source: PairSource, example: SquadExample, seed: int) -> Iterator[TextPair]:
    """Pair an answerable question with windows of its article, every second one at random."""
    for number in range(source.windows if example.golds else 0):
        yield TextPair(
            f"window {seed} {number} {example.id}",
            example.question,
            example.context,
            example.golds[0],
            source.untold_weight,
            is_labelled=False,
            article=example.article,
            is_random_window=number % 2 == 1,
        )


def list_texts(pairs: Iterable[TextPair]) -> Iterator[str]:
    """Yield all texts; the paragraphs of an article in order, so that windows may cross them."""
    questions = []
    for pair in pairs:
        yield from pair.article or (pair.passage,)
        questions.append(pair.question)
    yield from questions


def tokenize_pairs(pairs: Sequence[TextPair], tokenizer: Tokenizer, max_tokens: int) -> Pairs:
    """Tokenise; a passage that is too long is cut to one window that contains the answer.

    Pairs are left out whose answer begins or ends on a character that the tokenizer drops, or
    fits no window.
    """
    # Articles first: a text is stored once, and a paragraph on its own would leave its neighbours.
    ordered = sorted(pairs, key=lambda pair: not pair.article)
    stream = TokenStream(tokenizer, list_texts(ordered))
    rows = build_rows(pairs, stream, max_tokens)
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
    parser = argparse.ArgumentParser(description="Make the training pairs of a distillation.")
    parser.add_argument("recipe", type=Path, help="recipe of the distillation, TOML")
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
    pairs = tokenize_pairs(list(make_pairs(recipe, arguments.data)), tokenizer, recipe.max_tokens)
    pairs.save(arguments.out)
    labelled = int(pairs.is_labelled.sum())
    print(
        f"{len(pairs)} pairs, {labelled} labelled; {int(pairs.lengths.sum())} tokens,"
        f" {len(pairs.tokens)} stored"
    )


if __name__ == "__main__":
    main()
