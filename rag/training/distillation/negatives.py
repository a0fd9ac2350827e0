"""Passages that look as if they answered a question, and do not hold its answer."""

import random
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from citewire.rag.evaluation.squad import Example

# Shorter paragraphs are headings and posts, not passages of an archive.
SHORTEST_PARAGRAPH = 200
# Negatives are drawn from this many nearest paragraphs that lack the answer.
NEAREST = 6
# How many paragraphs are looked at until enough are found that lack the answer.
LOOKED_AT = 24
ROWS_AT_ONCE = 1000


def mined(
    examples: Sequence[Example], paragraphs: Sequence[str], count: int, seed: int
) -> list[list[str]]:
    """Return up to `count` paragraphs for each answerable example, nearest by TF-IDF.

    None of them is the example's own or contains the text of one of its answers.
    """
    pool = [text for text in paragraphs if len(text) >= SHORTEST_PARAGRAPH]
    if not pool:
        return [[] for _ in examples]
    folded = [text.casefold() for text in pool]
    weigh = TfidfVectorizer(stop_words="english", sublinear_tf=True, dtype=np.float32)
    columns = weigh.fit_transform(pool).T.tocsr()
    found: list[list[str]] = []
    for first in range(0, len(examples), ROWS_AT_ONCE):
        asked = examples[first : first + ROWS_AT_ONCE]
        scores = weigh.transform([example.question for example in asked]) @ columns
        for row, example in enumerate(asked):
            near = scores[row]
            best = near.indices[np.argsort(-near.data, kind="stable")[:LOOKED_AT]]
            rng = random.Random(f"negatives {seed} {example.id}")
            found.append(_without_answer(example, [(pool[n], folded[n]) for n in best], count, rng))
    return found


def _without_answer(
    example: Example, near: Sequence[tuple[str, str]], count: int, rng: random.Random
) -> list[str]:
    answers = [gold.text.casefold() for gold in example.golds]
    lacking = [
        text
        for text, folded in near
        if text != example.context and not any(answer in folded for answer in answers)
    ][:NEAREST]
    return rng.sample(lacking, min(count, len(lacking)))
