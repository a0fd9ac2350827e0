"""Hard negatives: passages that are similar to a question and lack its answer."""

import random
from collections.abc import Sequence

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from citewire.rag.evaluation.squad import SquadExample

# Characters; shorter paragraphs are headings and posts, not passages of an archive.
SHORTEST_PARAGRAPH = 200
# Nearest paragraphs without the answer, from which the negatives are drawn.
NEAREST = 6
# Nearest paragraphs that are searched for those without the answer.
SEARCHED = 24
# Questions that are scored in one matrix product.
ROWS_AT_ONCE = 1000


def mine_negatives(
    examples: Sequence[SquadExample], paragraphs: Sequence[str], count: int, seed: int
) -> list[list[str]]:
    """Return up to `count` paragraphs for each answerable example, among the nearest by TF-IDF.

    No negative is the example's own paragraph or contains the text of one of its golds.
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
            best = near.indices[np.argsort(-near.data, kind="stable")[:SEARCHED]]
            rng = random.Random(f"negatives {seed} {example.id}")
            found.append(_draw_negatives(example, [(pool[n], folded[n]) for n in best], count, rng))
    return found


def _draw_negatives(
    example: SquadExample, near: Sequence[tuple[str, str]], count: int, rng: random.Random
) -> list[str]:
    answers = [gold.text.casefold() for gold in example.golds]
    lacking = [
        text
        for text, folded in near
        if text != example.context and not any(answer in folded for answer in answers)
    ][:NEAREST]
    return rng.sample(lacking, min(count, len(lacking)))
