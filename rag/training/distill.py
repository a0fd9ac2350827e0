"""Train a teacher, let it read all pairs, and train the student on what it says.

    python -m citewire.rag.training.distill RECIPE.toml PAIRS.npz \
        --teacher DIR --student DIR --out DIR

The pairs come from `citewire.rag.training.prepare`. OUT gets `log.jsonl`, the finished
`teacher/` and the finished reader, `model/`; a teacher that is there already is not trained again.
Stopped by SIGTERM it goes on from a checkpoint. On a GPU it takes minutes; a time limit per turn
sets its number of steps.
"""

import argparse
import signal
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import AutoModelForQuestionAnswering

from citewire.rag.training.distillation.fusing import fuse_layers
from citewire.rag.training.distillation.hints import (
    MEASURED_TOKENS,
    Hinted,
    MainComponents,
    hint_loss,
)
from citewire.rag.training.distillation.pairs import Collator, Ints, batches_of, read_pairs
from citewire.rag.training.distillation.phase import Loss, Material, Phase, forward
from citewire.rag.training.distillation.recipe import Hints, read_recipe
from citewire.rag.training.distillation.rounding import round_matrices
from citewire.rag.training.distillation.teacher import Teacher, load_teacher
from citewire.rag.training.finetuning.mix import Batch
from citewire.rag.training.finetuning.step import span_loss
from citewire.rag.training.train import write_model

LABELLED_TOKENS = 65_536  # read at once; no gradients need room
CLOSED = -1e4  # a logit of padding: its probability is 0, and no difference is infinite


class Labels:
    """What a teacher says of every token of every pair, kept in half precision."""

    def __init__(self, lengths: Ints, device: torch.device, hints: Hints | None) -> None:
        self._offsets = torch.from_numpy(np.cumsum(lengths) - lengths).to(device)
        count = int(lengths.sum())
        self.logits = torch.zeros(2, count, dtype=torch.float16, device=device)
        layers, width = (len(hints.layers), hints.width) if hints else (0, 0)
        self.states = torch.zeros(layers, count, width, dtype=torch.float16, device=device)

    def places(self, rows: Ints, mask: torch.Tensor) -> torch.Tensor:
        """Where the windows' tokens lie, shape (windows, tokens); those of padding say nothing."""
        first = self._offsets[torch.from_numpy(rows).to(mask.device)][:, None]
        return (first + torch.arange(mask.shape[1], device=mask.device)) * mask

    def put(
        self, rows: Ints, batch: Batch, output: Any, states: Sequence[torch.Tensor] = ()
    ) -> None:
        """Keep the logits of the windows, and their reduced states, (windows, tokens, width)."""
        is_token = batch.mask.bool()
        at = self.places(rows, batch.mask)[is_token]
        for kept, logits in zip(self.logits, (output.start_logits, output.end_logits), strict=True):
            kept[at] = logits[is_token].to(torch.float16)
        for kept, reduced in zip(self.states, states, strict=True):
            kept[at] = reduced[is_token].to(torch.float16)

    def of(self, rows: Ints, batch: Batch) -> torch.Tensor:
        """The logits of the windows' starts and ends, shape (2, windows, tokens)."""
        return self.logits[:, self.places(rows, batch.mask)].float()

    def hints_of(self, rows: Ints, batch: Batch) -> torch.Tensor:
        """The windows' reduced states, shape (layers, windows, tokens, width)."""
        return self.states[:, self.places(rows, batch.mask)]


@torch.no_grad()
def label(teacher: Teacher, material: Material) -> Labels:
    """Let the teacher read all pairs."""
    lengths, hints = material.pairs.lengths, material.recipe.hints
    labels = Labels(lengths, material.device, hints)
    teacher.to(material.device).eval()
    batches = batches_of(np.arange(len(lengths)), lengths, LABELLED_TOKENS)
    reduced = main_components(teacher, material, batches) if hints else ()
    for rows in batches:
        batch = material.collator.batch(rows)
        output = forward(teacher, batch, states=bool(hints))
        states = [part.of(output.hidden_states[layer]) for layer, part in reduced]
        labels.put(rows, batch, output, states)
    return labels


def main_components(
    teacher: Teacher, material: Material, batches: Sequence[Ints]
) -> list[tuple[int, MainComponents]]:
    """Measure the hinted layers on some of the batches; return each with its components."""
    hints = material.recipe.hints
    assert hints is not None
    taken = max(1, MEASURED_TOKENS // LABELLED_TOKENS)
    seen: list[list[torch.Tensor]] = [[] for _ in hints.layers]
    for rows in batches[:: max(1, len(batches) // taken)]:
        batch = material.collator.batch(rows)
        output = forward(teacher, batch, states=True)
        for states, (layer, _) in zip(seen, hints.layers, strict=True):
            states.append(output.hidden_states[layer][batch.mask.bool()].float())
    return [
        (layer, MainComponents(torch.cat(states), hints.width))
        for states, (layer, _) in zip(seen, hints.layers, strict=True)
    ]


def distillation_loss(
    own: torch.Tensor, taught: torch.Tensor, mask: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Mean divergence from the teacher's distributions, softened, times the temperature squared.

    Logits have shape (2, windows, tokens); the factor keeps the gradients' size (Hinton 2015).
    """
    padding = mask == 0
    own = (own / temperature).masked_fill(padding, CLOSED).log_softmax(-1)
    taught = (taught / temperature).masked_fill(padding, CLOSED).log_softmax(-1)
    divergence = functional.kl_div(own, taught, log_target=True, reduction="none").sum(-1)
    return divergence.mean() * temperature**2


def trained_teacher(arguments: argparse.Namespace, material: Material) -> Teacher:
    """Load the finished teacher, or train it and keep it."""
    done = arguments.out / "teacher"
    turn = material.recipe.teacher
    teacher = load_teacher(
        done if done.exists() else arguments.teacher,
        arguments.student / "tokenizer.json",
        attention_dropout=turn.attention_dropout,
        hidden_dropout=turn.hidden_dropout,
    )
    if arguments.fused:
        fuse_layers(teacher.model)
    if not done.exists():
        told = replace(material, pairs=material.pairs.only_told())
        phase = Phase("teacher", teacher, turn, told, arguments.teacher_minutes)
        finish(phase, lambda _, batch, output: hard_loss(batch, output))
        write_model(teacher.model, arguments.teacher, done)
        phase.checkpoint.unlink()
    return teacher.float()


def hard_loss(batch: Batch, output: Any) -> torch.Tensor:
    """The loss against the known answers."""
    return span_loss(output.start_logits, output.end_logits, batch)


def train_student(arguments: argparse.Namespace, material: Material, labels: Labels) -> None:
    """Train the student on labels and known answers, and write it."""
    recipe, turn = material.recipe, material.recipe.student
    student = AutoModelForQuestionAnswering.from_pretrained(
        arguments.student,
        dtype=torch.float32,
        attention_probs_dropout_prob=turn.attention_dropout,
        hidden_dropout_prob=turn.hidden_dropout,
    )
    student.config.reads_titles = recipe.header_share > 0
    if recipe.rounded:
        round_matrices(student)
    if arguments.fused:
        fuse_layers(student)
    model = Hinted(student, recipe.hints) if recipe.hints else student
    phase = Phase("student", model, turn, material, arguments.student_minutes)

    def loss_of(rows: Ints, batch: Batch, output: Any) -> torch.Tensor:
        own = torch.stack([output.start_logits, output.end_logits]).float()
        soft = distillation_loss(own, labels.of(rows, batch), batch.mask, recipe.temperature) / 2
        share = recipe.teacher_share
        loss = share * soft + (1 - share) * hard_loss(batch, output)
        if recipe.hints:
            hinted = hint_loss(output.hints, labels.hints_of(rows, batch), batch.mask)
            loss = loss + recipe.hints.share * phase.left * hinted
        return loss

    finish(phase, loss_of)
    write_model(student, arguments.student, arguments.out / "model")
    phase.checkpoint.unlink()


def finish(phase: Phase, loss_of: Loss) -> None:
    """Train to the end; on SIGTERM keep a checkpoint and leave."""
    before = signal.signal(signal.SIGTERM, phase.request_stop)
    is_over = phase.train(loss_of)
    signal.signal(signal.SIGTERM, before)
    if not is_over:
        raise SystemExit(f"stopped at step {phase.step}; start again to go on from there")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train a teacher, then its student.")
    parser.add_argument("recipe", type=Path, help="the distillation's TOML file")
    parser.add_argument("pairs", type=Path, help="what citewire.rag.training.prepare wrote")
    for name in ("teacher", "student"):
        parser.add_argument(
            f"--{name}", type=Path, required=True, help="model to start from, Hugging Face layout"
        )
        parser.add_argument(f"--{name}-minutes", type=float, help="no more steps than this allows")
    parser.add_argument("--out", type=Path, required=True, help="folder for log and models")
    parser.add_argument("--fused", action="store_true", help="compile the layers; for GPUs")
    return parser.parse_args()


def material_of(arguments: argparse.Namespace) -> Material:
    """Read recipe and pairs, and put the tokens where the models will be."""
    recipe = read_recipe(arguments.recipe)
    torch.manual_seed(recipe.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # It plans anew for every shape, and every batch has its own.
    torch.backends.cuda.enable_cudnn_sdp(enabled=False)
    tokenizer = Tokenizer.from_file(str(arguments.student / "tokenizer.json"))
    pairs = read_pairs(arguments.pairs)
    collator = Collator(pairs, tokenizer, device)
    return Material(recipe, pairs, collator, device, arguments.out)


def main() -> None:
    """Distil."""
    arguments = parse_arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    material = material_of(arguments)
    labels = label(trained_teacher(arguments, material), material)
    train_student(arguments, material, labels)


if __name__ == "__main__":
    main()
