"""The training of one model, teacher or student: steps with a falling rate, log, checkpoints."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import torch
from torch.nn import Module

from citewire.rag.training.distillation.pairs import Collator, Ints, Pairs, draw_epoch
from citewire.rag.training.distillation.recipe import PhaseConfig, Recipe
from citewire.rag.training.finetuning.checkpoint import read_model_state, write_model_state
from citewire.rag.training.finetuning.mix import Batch
from citewire.rag.training.finetuning.run import append_json
from citewire.rag.training.finetuning.step import LARGEST_GRADIENT_NORM, group_parameters

LOG_EVERY_STEPS = 100  # optimizer steps between two lines of the log
# Steps after which the time is read, and their period later on: the speed between two timings says
# how many steps fit into a time limit. The first steps are left out: they compile and allocate.
FIRST_TIMING, SECOND_TIMING, TIMING_PERIOD = 20, 100, 500

# Loss of a batch: its rows among the pairs, its windows, the model's output.
Loss = Callable[[Ints, Batch, Any], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Setup:
    """The data, device and output folder that the training of teacher and student share."""

    recipe: Recipe
    pairs: Pairs
    collator: Collator
    device: torch.device
    out: Path


class StepBudget:
    """Estimates how many steps fit into a time limit, if there is one, from the speed so far."""

    def __init__(self, minutes: float | None) -> None:
        self._minutes = minutes
        self._began = time.monotonic()
        self._last: tuple[int, float] | None = None

    def estimate(self, step: int, loss: torch.Tensor) -> int | None:
        """Estimate the number of steps of the whole training after this step, which had this loss.

        None after a step at which the time is not read, and after the first timing.
        """
        if self._minutes is None or not is_timed(step):
            return None
        float(loss)  # synchronises with the device, so that the time is that of the step
        now, last = time.monotonic(), self._last
        self._last = (step, now)
        if last is None:
            return None
        seconds = (now - last[1]) / (step - last[0])
        left = self._began + self._minutes * 60 - now
        return step + max(0, int(left / seconds))


def is_timed(step: int) -> bool:
    """Return whether the time is read after this step."""
    return step in (FIRST_TIMING, SECOND_TIMING) or step % TIMING_PERIOD == 0


class Phase:
    """A model in training; its batches are a pure function of seed and step."""

    def __init__(
        self, name: str, model: Module, config: PhaseConfig, setup: Setup, minutes: float | None
    ) -> None:
        self.name = name
        self.model = model.to(setup.device)
        self._config = config
        self._setup = setup
        self._minutes = minutes
        self._optimizer = torch.optim.AdamW(
            group_parameters(model, config.weight_decay), lr=config.learning_rate, fused=True
        )
        self.is_stop_requested = False
        self.step = 0
        self.steps = max(1, math.ceil(config.epochs * len(self._draw_epoch(0))))

    @property
    def checkpoint(self) -> Path:
        """The file from which a stopped phase resumes."""
        return self._setup.out / f"{self.name}.checkpoint.pt"

    def request_stop(self, *_: object) -> None:
        """Stop after the current step, with a checkpoint; usable as a signal handler."""
        self.is_stop_requested = True

    def train(self, compute_loss: Loss) -> bool:
        """Take the remaining steps, or those until a stop is requested; return whether all are."""
        if self.checkpoint.exists():
            self._resume()
        self.model.train()
        losses: list[torch.Tensor] = []
        whole = self.steps
        budget, saved = StepBudget(self._minutes), time.monotonic()
        for rows in islice(self._draw_batches(), self.step, None):
            if self.is_stop_requested or self.step >= self.steps:
                break
            losses.append(self._take_step(rows, compute_loss))
            allowed = budget.estimate(self.step, losses[-1])
            if allowed is not None:
                self.steps = min(whole, allowed)
            if self.step % LOG_EVERY_STEPS == 0 or self.step == self.steps:
                self._log(losses)
                losses = []
            if time.monotonic() - saved > self._setup.recipe.checkpoint_minutes * 60:
                self._save()
                saved = time.monotonic()
        self._save()
        return self.step >= self.steps

    @property
    def remaining_share(self) -> float:
        """The share of all steps that remains."""
        return (self.steps - self.step) / self.steps

    @property
    def learning_rate(self) -> float:
        """The learning rate of the next step; that of the last step is nearly 0."""
        warm = min(1.0, (self.step + 1) / max(1, self._config.warmup_steps))
        return self._config.learning_rate * min(warm, self.remaining_share)

    def _take_step(self, rows: Ints, compute_loss: Loss) -> torch.Tensor:
        for group in self._optimizer.param_groups:
            group["lr"] = self.learning_rate
        batch = self._setup.collator.collate(rows)
        loss = compute_loss(rows, batch, forward(self.model, batch))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT_NORM)
        self._optimizer.step()
        self.step += 1
        return loss.detach()

    def _draw_epoch(self, epoch: int) -> list[Ints]:
        seed, max_tokens = self._setup.recipe.seed, self._config.batch_tokens
        return draw_epoch(self._setup.pairs, epoch, max_tokens=max_tokens, seed=seed)

    def _draw_batches(self) -> Iterator[Ints]:
        for epoch in count():
            yield from self._draw_epoch(epoch)

    def _log(self, losses: list[torch.Tensor]) -> None:
        mean = float(torch.stack(losses).mean())
        record: dict[str, float | str] = {"phase": self.name, "step": self.step}
        record |= {"steps": self.steps, "loss": round(mean, 4), "time": round(time.time(), 1)}
        append_json(self._setup.out / "log.jsonl", record)
        print(record, flush=True)

    def _save(self) -> None:
        place = {"step": self.step, "steps": self.steps}
        write_model_state(self.checkpoint, self.model, self._optimizer, place)

    def _resume(self) -> None:
        place = read_model_state(self.checkpoint, self.model, self._optimizer)
        self.step, self.steps = place["step"], place["steps"]


def forward(model: Module, batch: Batch, *, hidden_states: bool = False) -> Any:
    """Run the model, on a GPU in bfloat16; with `hidden_states`, it returns those of all layers."""
    device = batch.mask.device.type
    options = {"output_hidden_states": True} if hidden_states else {}
    with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
        return model(
            input_ids=batch.token_ids,
            token_type_ids=batch.type_ids,
            # With four dimensions: for a mask of two, the library synchronises with the device.
            attention_mask=None if batch.is_unpadded else batch.mask[:, None, None].bool(),
            **options,
        )
