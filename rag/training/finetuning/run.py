"""A fine-tuning run: its steps, log, checkpoints and cool-down."""

import copy
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from transformers import PreTrainedModel

from citewire.rag.training.finetuning.checkpoint import (
    RunProgress,
    load_checkpoint,
    save_checkpoint,
)
from citewire.rag.training.finetuning.config import Config
from citewire.rag.training.finetuning.mix import Batch, Mix, Position
from citewire.rag.training.finetuning.schedule import Cooldown, compute_learning_rate
from citewire.rag.training.finetuning.step import build_optimizer, compute_loss, take_step
from citewire.rag.training.rounding import RoundedWeights, round_matrices

LOG_EVERY_STEPS = 50  # optimizer steps between two lines of the log


class Run:
    """A model in training, with its optimizer, data and progress."""

    def __init__(self, config: Config, model: PreTrainedModel, mix: Mix, out: Path) -> None:
        self.config = config
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = model.to(self.device)  # type: ignore[arg-type]
        # The start model, which anchored windows are held to: before it rounds or learns.
        self.anchor = copy.deepcopy(self.model).eval() if config.anchor_weight else None
        if config.rounded_weights:
            round_matrices(self.model, RoundedWeights)
        self.optimizer = build_optimizer(model, config)
        self.mix = mix
        self.out = out
        self.progress = RunProgress()
        self.is_stop_requested = False

    @property
    def checkpoint(self) -> Path:
        """The file from which a stopped run resumes."""
        return self.out / "checkpoint.pt"

    def resume(self, path: Path) -> None:
        """Load a checkpoint; the next step is the one that followed it."""
        self.progress = load_checkpoint(path, self.model, self.optimizer)

    def request_stop(self, *_: object) -> None:
        """Stop after the current step, with a checkpoint; usable as a signal handler."""
        self.is_stop_requested = True

    def begin_cooldown(self, cooldown: Cooldown) -> None:
        """Save the state as `stable.pt`, then let the learning rate fall."""
        self._save(self.out / "stable.pt")
        self.progress = replace(self.progress, cooldown=cooldown)

    def train(self) -> bool:
        """Train until the cool-down ends or a stop is requested; return whether it has ended."""
        self.model.train()
        torch.set_num_threads(self.config.threads)
        batches = self.mix.draw_batches(self.progress.position)
        losses: list[float] = []
        logged, saved_at = self.progress, time.monotonic()
        while not (self.is_stop_requested or self._is_over()):
            if self._is_cooldown_due():
                self.begin_cooldown(
                    Cooldown.from_share(self.progress.step, self.config.cooldown_share)
                )
            losses.append(self._step(batches))
            if self.progress.step % LOG_EVERY_STEPS == 0:
                record = summarize(self.config, logged, self.progress, losses)
                append_json(self.out / "log.jsonl", record)
                losses, logged = [], self.progress
            if time.monotonic() - saved_at > self.config.checkpoint_minutes * 60:
                self._save(self.checkpoint)
                saved_at = time.monotonic()
        self._save(self.checkpoint)
        return self._is_over()

    def _step(self, batches: Iterator[tuple[Batch, Position]]) -> float:
        started = time.monotonic()
        batch, position = next(batches)
        rate = compute_learning_rate(self.config, self.progress.step, self.progress.cooldown)
        loss = compute_loss(self.model, batch.to(self.device), self.config, self.anchor)
        value = take_step(self.model, self.optimizer, loss, rate)
        seconds = time.monotonic() - started
        self.progress = self.progress.advance(
            questions=len(batch), seconds=seconds, position=position
        )
        return value

    def _save(self, path: Path) -> None:
        save_checkpoint(path, self.model, self.optimizer, self.progress)

    def _is_cooldown_due(self) -> bool:
        if self.progress.cooldown is not None:
            return False
        minutes = self.progress.seconds / 60
        return (
            self.progress.step >= self.config.stable_steps or minutes >= self.config.stable_minutes
        )

    def _is_over(self) -> bool:
        return (
            self.progress.cooldown is not None and self.progress.step >= self.progress.cooldown.end
        )


def summarize(
    config: Config, before: RunProgress, now: RunProgress, losses: list[float]
) -> dict[str, float | str]:
    """Return the log record of the steps between two points of a run; `loss` is their mean."""
    questions = now.questions - before.questions
    return {
        "step": now.step,
        "phase": "stable" if now.cooldown is None else "cooldown",
        "loss": round(sum(losses) / len(losses), 4),
        "learning_rate": compute_learning_rate(config, now.step - 1, now.cooldown),
        "questions": now.questions,
        "questions_per_second": round(questions / (now.seconds - before.seconds), 2),
        "minutes": round(now.seconds / 60, 2),
    }


def append_json(path: Path, record: dict[str, float | str]) -> None:
    """Append the record to a JSON Lines file."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")
