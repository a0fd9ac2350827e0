"""Score a reader, in PyTorch, on random questions of a SQuAD file.

    python -m citewire.rag.training.quick_eval MODEL FILE.json.gz

Each question is read on its own paragraph. Prints one JSON object with scores in per cent.
`citewire eval` scores the shipped int8 form.
"""

import argparse
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Encoding, Tokenizer
from torch.nn import Module
from transformers import AutoModelForQuestionAnswering

from citewire.rag.evaluation.metrics import auroc, best_threshold_mean, exact_match, f1
from citewire.rag.evaluation.squad import SquadExample, read_examples
from citewire.rag.training.distillation.phase import forward
from citewire.rag.training.distillation.teacher import load_teacher
from citewire.rag.training.finetuning.data import (
    CONTEXT,
    NO_ANSWER,
    TrainingWindow,
    load_window_tokenizer,
    split_windows,
)
from citewire.rag.training.finetuning.mix import collate

# Tokens of a window, of the overlap of two, and of the longest answer (as in Devlin 2019).
MAX_TOKENS = 384
STRIDE_TOKENS = 128
LONGEST_SPAN_TOKENS = 30
# Windows that are read at once.
BATCH_WINDOWS = 64 if torch.cuda.is_available() else 16


@dataclass(frozen=True, slots=True)
class Prediction:
    """The text of the best span, and its margin: its logits minus those of [CLS]."""

    text: str
    score: float


def find_best_span(
    start_logits: torch.Tensor, end_logits: torch.Tensor, window: Encoding, context: str
) -> Prediction:
    """Find the best span of the context in one window; 1-D logits, which may include padding."""
    length = len(window.ids)
    spans = start_logits[:length, None] + end_logits[None, :length]
    in_context = torch.tensor([sequence == CONTEXT for sequence in window.sequence_ids])
    allowed = (in_context[:, None] & in_context[None, :]).triu().tril(LONGEST_SPAN_TOKENS - 1)
    place = spans.masked_fill(~allowed, -torch.inf).argmax().item()
    first, last = divmod(int(place), length)
    text = context[window.offsets[first][0] : window.offsets[last][1]]
    return Prediction(text, (spans[first, last] - spans[NO_ANSWER, NO_ANSWER]).item())


@torch.inference_mode()
def predict(
    model: Module, tokenizer: Tokenizer, examples: Sequence[SquadExample]
) -> list[Prediction]:
    """Return the best prediction over all windows of each example, in the examples' order."""
    device = next(model.parameters()).device
    encodings = tokenizer.encode_batch(
        [(example.question, example.context) for example in examples]
    )
    windows = [
        (number, w) for number, encoding in enumerate(encodings) for w in split_windows(encoding)
    ]
    windows.sort(key=lambda pair: len(pair[1].ids))
    best: dict[int, Prediction] = {}
    for at in range(0, len(windows), BATCH_WINDOWS):
        rows = windows[at : at + BATCH_WINDOWS]
        batch = collate(
            [TrainingWindow(tuple(w.ids), tuple(w.type_ids), NO_ANSWER, NO_ANSWER) for _, w in rows]
        )
        output = forward(model, batch.to(device))
        starts, ends = output.start_logits.float().cpu(), output.end_logits.float().cpu()
        logits = zip(rows, starts, ends, strict=True)
        for (number, window), start_logits, end_logits in logits:
            found = find_best_span(start_logits, end_logits, window, examples[number].context)
            best[number] = max(
                found, best.get(number, found), key=lambda prediction: prediction.score
            )
    return [best[number] for number in range(len(examples))]


def evaluate(
    examples: Sequence[SquadExample], predictions: Sequence[Prediction]
) -> dict[str, float]:
    """Compute exact match and F1 over the answerable questions, in per cent.

    If some questions are unanswerable, also the scores over all at the best threshold (SQuAD 2.0),
    and the AUROC of the margin for answerable against unanswerable.
    """
    golds = [[gold.text for gold in example.golds] for example in examples]
    matches = [exact_match(p.text, g) for p, g in zip(predictions, golds, strict=True)]
    overlaps = [f1(p.text, g) for p, g in zip(predictions, golds, strict=True)]
    answerable = [bool(g) for g in golds]
    count = sum(answerable)
    scores: dict[str, float] = {"questions": len(examples), "unanswerable": len(examples) - count}
    if count:
        scores["exact_match"] = (
            100 * sum(m for m, a in zip(matches, answerable, strict=True) if a) / count
        )
        scores["f1"] = 100 * sum(o for o, a in zip(overlaps, answerable, strict=True) if a) / count
    if 0 < count < len(examples):
        confidences = [prediction.score for prediction in predictions]
        silent = [float(not a) for a in answerable]
        scores["best_threshold_f1"] = 100 * best_threshold_mean(confidences, overlaps, silent)
        scores["best_threshold_exact_match"] = 100 * best_threshold_mean(
            confidences, matches, silent
        )
        scores["answerable_auroc"] = 100 * auroc(confidences, answerable)
    return {name: round(score, 2) for name, score in scores.items()}


def main() -> None:
    """Score one reader on one file."""
    parser = argparse.ArgumentParser(
        description="Score a reader on random questions of a SQuAD file."
    )
    parser.add_argument("model", type=Path, help="reader in Hugging Face layout")
    parser.add_argument("file", type=Path, help="SQuAD-format file, .json.gz")
    parser.add_argument(
        "--checkpoint", type=Path, help="take the weights from this training checkpoint"
    )
    parser.add_argument(
        "--teaches", type=Path, help="MODEL is a teacher: give it the token ids of this student"
    )
    parser.add_argument("--questions", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    examples = list(read_examples(arguments.file))
    chosen = random.Random(arguments.seed).sample(examples, min(arguments.questions, len(examples)))
    model = load_reader(arguments.model, arguments.teaches)
    if arguments.checkpoint:
        state = torch.load(arguments.checkpoint, map_location="cpu", weights_only=True)
        model.load_state_dict(state["model"])
    tokenizer = load_window_tokenizer(
        (arguments.teaches or arguments.model) / "tokenizer.json",
        max_tokens=MAX_TOKENS,
        stride_tokens=STRIDE_TOKENS,
    )
    print(json.dumps(evaluate(chosen, predict(model, tokenizer, chosen))))


def load_reader(folder: Path, student: Path | None) -> Module:
    """Load a reader, or the teacher of a student, onto the GPU if there is one."""
    model: Module
    if student is None:
        model = AutoModelForQuestionAnswering.from_pretrained(folder, dtype=torch.float32)
    else:
        tokenizer = student / "tokenizer.json"
        model = load_teacher(folder, tokenizer, attention_dropout=0.0, hidden_dropout=0.0)
    return model.eval().to("cuda" if torch.cuda.is_available() else "cpu")


if __name__ == "__main__":
    main()
