from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForQuestionAnswering

from citewire.rag.evaluation.squad import Gold, SquadExample, read_examples
from citewire.rag.training.quick_eval import Prediction, evaluate, find_best_span, predict

CONTEXT_TEXT = "Ana fled."


def test_best_span_is_in_the_context_and_scored_against_no_answer(tokenizer: Tokenizer) -> None:
    window = tokenizer.encode("who?", CONTEXT_TEXT)
    start_logits, end_logits = torch.zeros(len(window.ids)), torch.zeros(len(window.ids))
    start_logits[1] = 9.0  # in the question: must not win
    start_logits[window.char_to_token(0, 1)] = 3.0
    end_logits[window.char_to_token(2, 1)] = 2.0
    end_logits[0] = 1.0
    assert find_best_span(start_logits, end_logits, window, CONTEXT_TEXT) == Prediction("Ana", 4.0)


def test_every_prediction_is_text_of_its_context(
    tokenizer: Tokenizer, start: Path, data: Path
) -> None:
    examples = list(read_examples(data / "town.json.gz"))
    model = AutoModelForQuestionAnswering.from_pretrained(start).eval()
    predictions = predict(model, tokenizer, examples)
    assert all(p.text and p.text in e.context for p, e in zip(predictions, examples, strict=True))


def test_scores_of_a_known_set() -> None:
    answerable = SquadExample("a", "who?", CONTEXT_TEXT, (Gold("Ana", 0),), ())
    unanswerable = SquadExample("b", "when?", CONTEXT_TEXT, (), ())
    scores = evaluate(
        [answerable, unanswerable], [Prediction("Ana fled", 2.0), Prediction("Ana", -1.0)]
    )
    assert scores["f1"] == pytest.approx(66.67)
    assert scores["best_threshold_f1"] == pytest.approx(83.33)
    assert scores["answerable_auroc"] == 100.0
