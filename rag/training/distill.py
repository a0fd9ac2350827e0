r"""Train a teacher, label all pairs with it, and train the student on its labels.

    python -m citewire.rag.training.distill RECIPE.toml PAIRS.npz \
        --teacher DIR --student DIR --out DIR

The pairs come from `citewire.rag.training.prepare`. OUT gets `log.jsonl`, the finished teacher,
`teacher/`, and the finished reader, `model/`; an existing teacher is not trained again. On SIGTERM
the training saves a checkpoint and stops; started again, it resumes there. On a GPU it takes
minutes; a time limit for each model sets its number of steps.
"""

import argparse
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import AutoModelForQuestionAnswering

from citewire.rag.training.distillation.fusing import fuse_layers
from citewire.rag.training.distillation.hints import HintedStudent, compute_hint_loss
from citewire.rag.training.distillation.pairs import Collator, Ints, read_pairs
from citewire.rag.training.distillation.phase import Loss, Phase, Setup
from citewire.rag.training.distillation.recipe import read_recipe
from citewire.rag.training.distillation.soft_labels import SoftLabels, label_pairs
from citewire.rag.training.distillation.teacher import MASKED_LOGIT, Teacher, load_teacher
from citewire.rag.training.finetuning.mix import Batch
from citewire.rag.training.finetuning.step import compute_span_loss
from citewire.rag.training.rounding import round_matrices
from citewire.rag.training.train import write_model


def compute_distillation_loss(
    own: torch.Tensor, taught: torch.Tensor, mask: torch.Tensor, temperature: float
) -> torch.Tensor:
    """Return the mean KL divergence from the teacher's softened distributions (Hinton 2015).

    Logits have shape (2, windows, tokens). The factor temperature² keeps the gradients' size.
    """
    padding = mask == 0
    own = (own / temperature).masked_fill(padding, MASKED_LOGIT).log_softmax(-1)
    taught = (taught / temperature).masked_fill(padding, MASKED_LOGIT).log_softmax(-1)
    divergence = functional.kl_div(own, taught, log_target=True, reduction="none").sum(-1)
    return divergence.mean() * temperature**2


def compute_hard_loss(batch: Batch, output: Any) -> torch.Tensor:
    """Return the loss against the labels of the data."""
    return compute_span_loss(output.start_logits, output.end_logits, batch)


def prepare_teacher(arguments: argparse.Namespace, setup: Setup) -> Teacher:
    """Load the finished teacher, or train and save it."""
    done = arguments.out / "teacher"
    config = setup.recipe.teacher
    teacher = load_teacher(
        done if done.exists() else arguments.teacher,
        arguments.student / "tokenizer.json",
        attention_dropout=config.attention_dropout,
        hidden_dropout=config.hidden_dropout,
    )
    if arguments.fused:
        fuse_layers(teacher.model)
    if not done.exists():
        labelled = replace(setup, pairs=setup.pairs.keep_labelled())
        phase = Phase("teacher", teacher, config, labelled, arguments.teacher_minutes)
        run_phase(phase, lambda _, batch, output: compute_hard_loss(batch, output))
        write_model(teacher.model, arguments.teacher, done)
        phase.checkpoint.unlink()
    return teacher.float()


def train_student(arguments: argparse.Namespace, setup: Setup, labels: SoftLabels) -> None:
    """Train the student on soft labels and labels, and write it."""
    recipe, config = setup.recipe, setup.recipe.student
    student = AutoModelForQuestionAnswering.from_pretrained(
        arguments.student,
        dtype=torch.float32,
        attention_probs_dropout_prob=config.attention_dropout,
        hidden_dropout_prob=config.hidden_dropout,
    )
    student.config.reads_titles = recipe.header_share > 0
    if recipe.rounded:
        round_matrices(student)
    if arguments.fused:
        fuse_layers(student)
    model = HintedStudent(student, recipe.hints) if recipe.hints else student
    phase = Phase("student", model, config, setup, arguments.student_minutes)

    def compute_loss(rows: Ints, batch: Batch, output: Any) -> torch.Tensor:
        own = torch.stack([output.start_logits, output.end_logits]).float()
        taught = labels.get_logits(rows, batch)
        soft = compute_distillation_loss(own, taught, batch.mask, recipe.temperature) / 2
        share = recipe.teacher_share
        loss = share * soft + (1 - share) * compute_hard_loss(batch, output)
        if recipe.hints:
            hinted = compute_hint_loss(output.hints, labels.get_hints(rows, batch), batch.mask)
            loss = loss + recipe.hints.share * phase.remaining_share * hinted
        return loss

    run_phase(phase, compute_loss)
    write_model(student, arguments.student, arguments.out / "model")
    phase.checkpoint.unlink()


def run_phase(phase: Phase, compute_loss: Loss) -> None:
    """Train to the end.

    Raises:
        SystemExit: SIGTERM stopped the training; it has saved a checkpoint.
    """
    before = signal.signal(signal.SIGTERM, phase.request_stop)
    is_over = phase.train(compute_loss)
    signal.signal(signal.SIGTERM, before)
    if not is_over:
        raise SystemExit(f"stopped at step {phase.step}; start again to resume there")


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Train a teacher, then its student.")
    parser.add_argument("recipe", type=Path, help="recipe of the distillation, TOML")
    parser.add_argument("pairs", type=Path, help="pairs from citewire.rag.training.prepare, .npz")
    for name in ("teacher", "student"):
        parser.add_argument(
            f"--{name}", type=Path, required=True, help="model to start from, Hugging Face layout"
        )
        parser.add_argument(f"--{name}-minutes", type=float, help="time limit of its training")
    parser.add_argument("--out", type=Path, required=True, help="folder for log and models")
    parser.add_argument("--fused", action="store_true", help="compile the layers; for GPUs")
    return parser.parse_args()


def build_setup(arguments: argparse.Namespace) -> Setup:
    """Read recipe and pairs, and move the tokens to the models' device."""
    recipe = read_recipe(arguments.recipe)
    torch.manual_seed(recipe.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    # cuDNN's attention plans anew for each shape, and each batch has its own.
    torch.backends.cuda.enable_cudnn_sdp(enabled=False)
    tokenizer = Tokenizer.from_file(str(arguments.student / "tokenizer.json"))
    pairs = read_pairs(arguments.pairs)
    collator = Collator(pairs, tokenizer, device)
    return Setup(recipe, pairs, collator, device, arguments.out)


def main() -> None:
    """Distil."""
    arguments = parse_arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    setup = build_setup(arguments)
    labels = label_pairs(prepare_teacher(arguments, setup), setup)
    train_student(arguments, setup, labels)


if __name__ == "__main__":
    main()
