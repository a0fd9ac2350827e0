"""Draw what the confidence is fitted to: archives of paragraphs, and questions asked of them."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from citewire.index.types import Article
from citewire.rag.evaluation.question_files import build_article
from citewire.rag.evaluation.squad import SquadExample, group_by_question
from citewire.rag.training.finetuning.data import make_negative

# Share of the paragraphs that are not indexed, and of the questions on a given paragraph that
# are moved to another one.
LEFT_OUT_SHARE = 1 / 3
# Share of the paragraphs whose questions are held out; by paragraph, since its questions are alike.
HELD_OUT_SHARE = 1 / 4
# Characters; shorter paragraphs are not passages of an archive.
SHORTEST_PARAGRAPH = 200


@dataclass(frozen=True, slots=True)
class AskedQuestion:
    """A question, the answers that the archive gives to it, and whether it is held out."""

    text: str
    golds: tuple[str, ...]
    is_held_out: bool


@dataclass(frozen=True, slots=True)
class ArchiveSample:
    """Paragraphs to index, the questions to ask of them, and those to read on a given paragraph."""

    indexed: list[Article]
    questions: list[AskedQuestion]
    given: list[SquadExample]


def draw_sample(
    examples: Sequence[SquadExample], paragraphs: int, questions: int, rng: random.Random
) -> ArchiveSample:
    """Draw an archive and questions of a file, in the way of a contrast file if it is one.

    Raises:
        ValueError: there are no questions.
    """
    if not examples:
        raise ValueError("a file holds no questions")
    is_contrast = any(example.kind for example in examples)
    draw = draw_contrast_sample if is_contrast else draw_plain_sample
    return draw(examples, paragraphs, questions, rng)


def draw_plain_sample(
    examples: Sequence[SquadExample], paragraphs: int, questions: int, rng: random.Random
) -> ArchiveSample:
    """Draw paragraphs and questions about them; a share of the paragraphs is not indexed."""
    titles = {example.context: example.title for example in examples}
    contexts = [context for context in titles if len(context) >= SHORTEST_PARAGRAPH]
    drawn = rng.sample(contexts, min(paragraphs, len(contexts)))
    indexed = drawn[int(LEFT_OUT_SHARE * len(drawn)) :]
    pool = [example for example in examples if example.context in set(drawn)]
    chosen = rng.sample(pool, min(questions, len(pool)))
    asked_about = sorted({example.context for example in pool})
    held_out = set(rng.sample(asked_about, int(HELD_OUT_SHARE * len(asked_about))))
    known = set(indexed)
    return ArchiveSample(
        [Article(f"{number}", titles[text], text) for number, text in enumerate(indexed)],
        [
            AskedQuestion(
                example.question,
                tuple(gold.text for gold in example.golds if example.context in known),
                example.context in held_out,
            )
            for example in chosen
        ],
        move_questions([each for each in chosen if each.context in held_out], rng),
    )


def draw_contrast_sample(
    examples: Sequence[SquadExample], paragraphs: int, questions: int, rng: random.Random
) -> ArchiveSample:
    """Draw the articles and questions of a contrast file; near misses are in it already.

    Paragraphs under one title are versions of one article: one of them is indexed. A question is
    answered if an indexed paragraph answers it.
    """
    versions: dict[tuple[tuple[str, ...], str], dict[str, SquadExample]] = {}
    for example in examples:
        versions.setdefault((example.article, example.title), {})[example.context] = example
    one_of_each = [rng.choice(list(each.values())) for each in versions.values()]
    chosen = rng.sample(one_of_each, min(paragraphs, len(one_of_each)))
    known = {example.context for example in chosen}
    entries = sorted({example.article for example in chosen})
    held_out = set(rng.sample(entries, int(HELD_OUT_SHARE * len(entries))))
    groups = [
        [example for example in group if example.context in known]
        for group in group_by_question(examples)
    ]
    asked_of_known = [group for group in groups if group]
    asked = rng.sample(asked_of_known, min(questions, len(asked_of_known)))
    return ArchiveSample(
        [build_article(f"{number}", example) for number, example in enumerate(chosen)],
        [
            AskedQuestion(
                group[0].question,
                tuple(gold.text for example in group for gold in example.golds),
                group[0].article in held_out,
            )
            for group in asked
        ],
        [example for group in asked for example in group if example.article in held_out],
    )


def move_questions(examples: Sequence[SquadExample], rng: random.Random) -> list[SquadExample]:
    """Move a share of the questions to another paragraph of their article that lacks the answer."""
    return [
        (rng.random() < LEFT_OUT_SHARE and make_negative(example, rng)) or example
        for example in examples
    ]
