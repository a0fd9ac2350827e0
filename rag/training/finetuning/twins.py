"""Groups of passages that the same question is asked of, and which of them answers it.

A *twin* of a passage differs from it in a few words, and no longer answers the question
(contrast sets, Gardner 2020). Where nobody has written one, it is the passage without the
sentences that hold the answer: an honest question whose subject is there and whose answer is not.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from citewire.index.text.chunking import split_sentences
from citewire.rag.evaluation.squad import Group, SquadExample

# A passage without the answer's sentences keeps at least this many characters.
LEAST_LEFT = 120


def choose_twins(group: Group, rng: random.Random) -> Group:
    """Choose two of a group's examples: an answered and an unanswered one, if it has both."""
    answered = [example for example in group if example.golds]
    silent = [example for example in group if not example.golds]
    if answered and silent:
        return rng.choice(answered), rng.choice(silent)
    return tuple(rng.sample(group, min(2, len(group))))


def delete_answer(example: SquadExample) -> SquadExample | None:
    """Return the question on its passage without the sentences that hold an answer.

    None if the question is unanswerable, too little is left, or an answer still stands there.
    """
    sentences = split_sentences(example.context, "en")
    left = [
        sentence
        for sentence in sentences
        if not any(sentence.start < g.end and g.start < sentence.end for g in example.golds)
    ]
    text = " ".join(sentence.of(example.context) for sentence in left)
    if not example.golds or len(text) < LEAST_LEFT or names_any(text, example):
        return None
    return replace(example, id=f"{example.id}-deleted", context=text, golds=())


def names_any(text: str, example: SquadExample) -> bool:
    """Say whether the text has one of the answers' texts, in any case."""
    folded = text.casefold()
    return any(gold.text.casefold() in folded for gold in example.golds)


def crop_group(group: Group, characters: int, place: float) -> Group:
    """Cut each context to a run of sentences of at most so many characters, as in an archive.

    `place` in [0, 1) chooses the first example's run: among those that hold its first gold whole
    or, without a gold, among all. The others are cut where theirs begins nearest to it, so that
    twins stay alike. A context stays as it is if it fits, or if no run holds its gold.
    """
    cropped: list[SquadExample] = []
    start: int | None = None
    for example in group:
        runs = find_runs(example, characters)
        if runs and start is None:
            start = runs[int(place * len(runs))][0]
        if runs and start is not None:
            begin = start
            cropped.append(cut(example, *min(runs, key=lambda run: abs(run[0] - begin))))
        else:
            cropped.append(example)
    return tuple(cropped)


def find_runs(example: SquadExample, characters: int) -> Sequence[tuple[int, int]]:
    """Return the runs that the context may be cut to, none if it fits or no run holds its gold."""
    if len(example.context) <= characters:
        return ()
    runs = list_runs(example.context, characters)
    if not example.golds:
        return runs
    first = example.golds[0]
    return [(start, end) for start, end in runs if start <= first.start and first.end <= end]


def cut(example: SquadExample, start: int, end: int) -> SquadExample:
    """Return the example with this part of its context; golds outside of it are dropped."""
    golds = tuple(
        replace(gold, start=gold.start - start)
        for gold in example.golds
        if start <= gold.start and gold.end <= end
    )
    return replace(example, context=example.context[start:end], golds=golds)


def list_runs(text: str, characters: int) -> Sequence[tuple[int, int]]:
    """Return the longest runs of whole sentences within the limit, none inside the one before."""
    sentences = split_sentences(text, "en")
    runs: list[tuple[int, int]] = []
    for number, first in enumerate(sentences):
        ends = [s.end for s in sentences[number:] if s.end - first.start <= characters]
        if ends and (not runs or ends[-1] > runs[-1][1]):
            runs.append((first.start, ends[-1]))
    return runs
