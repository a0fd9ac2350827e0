"""Soft labels are stored and read back."""

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForQuestionAnswering

from citewire.rag.training.distillation.pairs import Collator, Pairs, read_pairs
from citewire.rag.training.distillation.phase import forward
from citewire.rag.training.distillation.soft_labels import SoftLabels


def test_soft_labels_come_back_as_they_were_put(
    pairs_file: Path, plain: Tokenizer, start: Path
) -> None:
    pairs: Pairs = read_pairs(pairs_file)
    collator = Collator(pairs, plain, torch.device("cpu"))
    reader = AutoModelForQuestionAnswering.from_pretrained(start, dtype=torch.float32).eval()
    labels = SoftLabels(pairs.lengths, torch.device("cpu"), None)
    with torch.no_grad():
        for rows in (np.array([0, 3]), np.array([4, 1, 2])):
            batch = collator.collate(rows)
            labels.put(rows, batch, forward(reader, batch))
        rows = np.array([2, 0])
        batch = collator.collate(rows)
        output, is_token = forward(reader, batch), batch.mask.bool()
    kept = labels.get_logits(rows, batch)[:, is_token]
    assert torch.allclose(kept[0], output.start_logits[is_token], atol=1e-3)
    assert torch.allclose(kept[1], output.end_logits[is_token], atol=1e-3)
