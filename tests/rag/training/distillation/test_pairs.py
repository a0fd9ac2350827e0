"""Pairs are drawn by weight, and cut into batches with and without padding."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForQuestionAnswering

from citewire.rag.training.distillation.pairs import (
    Collator,
    cut_unpadded,
    draw_epoch,
    draw_rows,
    read_pairs,
)
from citewire.rag.training.distillation.phase import forward


def test_weights_are_the_times_that_an_epoch_holds_a_pair(pairs_file: Path) -> None:
    pairs = read_pairs(pairs_file)
    weights = np.array([1, 0.5, 2, 0.25, 1, 3], np.float32)
    pairs = replace(pairs, weight=np.resize(weights, len(pairs)))
    rows = np.concatenate([draw_rows(pairs, epoch, seed=9) for epoch in range(8)])
    assert np.bincount(rows).tolist()[:6] == [8, 4, 16, 2, 8, 24]


def test_batches_of_an_epoch_hold_each_row_once_within_the_limit(pairs_file: Path) -> None:
    pairs = read_pairs(pairs_file)
    batches = draw_epoch(pairs, 0, max_tokens=128, seed=1)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(pairs)))
    for rows in batches:
        width = -(-int(pairs.lengths[rows].max()) // 8) * 8
        assert len(rows) == 1 or len(rows) * width <= 128


def test_most_batches_are_of_one_length_and_read_the_same_without_a_mask(
    pairs_file: Path, plain: Tokenizer, start: Path
) -> None:
    pairs = read_pairs(pairs_file)
    rows = np.tile(np.arange(len(pairs)), 5)
    unpadded, others = cut_unpadded(rows, pairs.lengths, 96)
    assert sorted(np.concatenate([*unpadded, others]).tolist()) == sorted(rows.tolist())
    assert len(others) < len(rows) / 2
    collator = Collator(pairs, plain, torch.device("cpu"))
    reader = AutoModelForQuestionAnswering.from_pretrained(start, dtype=torch.float32).eval()
    for batch in map(collator.collate, unpadded):
        assert batch.is_unpadded
        assert batch.mask.all()
        with torch.no_grad():
            masked = forward(reader, replace(batch, is_unpadded=False))
            torch.testing.assert_close(forward(reader, batch).start_logits, masked.start_logits)
    assert not collator.collate(np.array([0, 1, 2])).is_unpadded
