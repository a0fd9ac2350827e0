"""The teacher reads the student's tokens."""

from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer, models
from transformers import AutoModelForQuestionAnswering

from citewire.rag.training.distillation.pairs import Collator, read_pairs
from citewire.rag.training.distillation.phase import forward
from citewire.rag.training.distillation.teacher import load_teacher


def test_teacher_reads_what_the_student_reads(
    large: Path, pairs_file: Path, tokenizer_file: Path, plain: Tokenizer
) -> None:
    """Fused attention and the mapping of token ids change no logit."""
    teacher = load_teacher(large, tokenizer_file, attention_dropout=0.0, hidden_dropout=0.0).eval()
    plain_model = AutoModelForQuestionAnswering.from_pretrained(large, dtype=torch.float32).eval()
    pairs = read_pairs(pairs_file)
    collator = Collator(pairs, plain, torch.device("cpu"))
    pieces = Tokenizer.from_file(str(large / "tokenizer.json"))
    renamed = {"[PAD]": "<pad>", "[CLS]": "<s>", "[SEP]": "</s>"}
    for batch in map(collator.collate, (np.arange(len(pairs)), np.array([0, 0]))):
        names = [[plain.id_to_token(i) for i in row] for row in batch.token_ids.tolist()]
        ids = [[pieces.token_to_id(renamed.get(n, n)) for n in row] for row in names]
        expected = plain_model(input_ids=torch.tensor(ids), attention_mask=batch.mask)
        output = forward(teacher, batch)
        is_token = batch.mask.bool()
        torch.testing.assert_close(output.start_logits[is_token], expected.start_logits[is_token])
        torch.testing.assert_close(output.end_logits[is_token], expected.end_logits[is_token])


def test_teacher_without_the_students_pieces_is_refused(large: Path, tmp_path: Path) -> None:
    other = Tokenizer(models.WordPiece({"[UNK]": 0, "zeppelin": 1}, unk_token="[UNK]"))
    other.save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(SystemExit, match="zeppelin"):
        load_teacher(large, tmp_path / "tokenizer.json", attention_dropout=0, hidden_dropout=0)
