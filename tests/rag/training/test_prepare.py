"""Pairs are tokenised at the places of their answers."""

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from citewire.rag.evaluation.squad import Gold, SquadExample, read_examples
from citewire.rag.training.distillation.pairs import UNANSWERABLE, Collator, read_pairs
from citewire.rag.training.distillation.text_pairs import TextPair
from citewire.rag.training.prepare import pair_with_own_paragraph, tokenize_pairs


def build_example(context: str, answer: str) -> SquadExample:
    gold = Gold(answer, context.index(answer))
    return SquadExample("1", "the river?", context, (gold,), (context,))


def test_pairs_point_at_the_answers_of_their_passages(
    pairs_file: Path, data: Path, plain: Tokenizer
) -> None:
    pairs = read_pairs(pairs_file)
    batch = Collator(pairs, plain, torch.device("cpu")).collate(np.arange(len(pairs)))
    for row, example in enumerate(read_examples(data / "town.json.gz")):
        expected = plain.encode(example.question, example.context)
        length = int(batch.mask[row].sum())
        assert batch.token_ids[row, :length].tolist() == expected.ids
        assert batch.type_ids[row, :length].tolist() == expected.type_ids
        start, end = int(batch.starts[row]), int(batch.ends[row])
        if not example.golds:
            assert (start, end) == (0, 0)
            continue
        first, last = expected.offsets[start][0], expected.offsets[end][1]
        assert example.context[first:last] == example.golds[0].text


def test_long_passages_are_cut_around_the_answer(plain: Tokenizer) -> None:
    example = build_example("x " * 200 + "bridge" + " y" * 200, "bridge")
    pairs = tokenize_pairs([pair_with_own_paragraph(example, 1.0)], plain, max_tokens=40)
    batch = Collator(pairs, plain, torch.device("cpu")).collate(np.array([0]))
    assert batch.token_ids.shape[1] == 40
    found = batch.token_ids[0, batch.starts[0] : batch.ends[0] + 1].tolist()
    assert plain.decode(found) == "bridge"


def test_answers_that_no_window_holds_are_left_out(plain: Tokenizer) -> None:
    context = "bridge " * 60
    example = build_example(context, context.strip())
    pair = TextPair("2", "the river?", "the bridge", None, 1.0)
    pairs = tokenize_pairs([pair_with_own_paragraph(example, 1.0), pair], plain, max_tokens=40)
    assert (len(pairs), pairs.first.tolist()) == (1, [UNANSWERABLE])
