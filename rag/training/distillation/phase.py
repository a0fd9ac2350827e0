"""One model's turn in a distillation: steps with a falling rate, a log, and checkpoints."""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count, islice
from pathlib import Path
from typing import Any

import torch
from torch.nn import Module

from citewire.rag.training.distillation.pairs import Collator, Ints, Pairs, epoch_batches
from citewire.rag.training.distillation.recipe import Recipe, Turn
from citewire.rag.training.finetuning.checkpoint import read_state, write_state
from citewire.rag.training.finetuning.mix import Batch
from citewire.rag.training.finetuning.run import append_json
from citewire.rag.training.finetuning.step import LARGEST_GRADIENT_NORM, group_parameters

LOG_EVERY_STEPS = 100
# How many steps fit into a time limit is told from the speed between the first two, and again
# after every so many steps.
UNMEASURED_STEPS, MEASURED_STEPS, MEASURED_AGAIN = 20, 100, 500

# Loss of a batch: its rows among the pairs, its windows, the model's output.
Loss = Callable[[Ints, Batch, Any], torch.Tensor]


@dataclass(frozen=True, slots=True)
class Material:
    """What both turns learn from, and where it lies."""

    recipe: Recipe
    pairs: Pairs
    collator: Collator
    device: torch.device
    out: Path


class Pace:
    """Tells from steps taken how many fit into a time limit; without one, nothing."""

    def __init__(self, minutes: float | None) -> None:
        self._minutes = minutes
        self._began = time.monotonic()
        self._last: tuple[int, float] | None = None

    def steps_after(self, step: int, loss: torch.Tensor) -> int | None:
        """The number of all steps, once it can be told; `loss` is the step's."""
        if self._minutes is None or not is_measured(step):
            return None
        float(loss)  # waits until the device has taken the step
        now, last = time.monotonic(), self._last
        self._last = (step, now)
        if last is None:
            return None
        pace = (now - last[1]) / (step - last[0])
        left = self._began + self._minutes * 60 - now
        return step + max(0, int(left / pace))


def is_measured(step: int) -> bool:
    """Whether the time is read after this step."""
    return step in (UNMEASURED_STEPS, MEASURED_STEPS) or step % MEASURED_AGAIN == 0


class Phase:
    """A model in training on a material; its batches are a pure function of seed and step."""

    def __init__(
        self, name: str, model: Module, turn: Turn, material: Material, minutes: float | None
    ) -> None:
        self.name = name
        self.model = model.to(material.device)
        self._turn = turn
        self._material = material
        self._minutes = minutes
        self._optimizer = torch.optim.AdamW(
            group_parameters(model, turn.weight_decay), lr=turn.learning_rate, fused=True
        )
        self.is_stop_requested = False
        self.step = 0
        self.steps = max(1, math.ceil(turn.epochs * len(self._epoch(0))))

    @property
    def checkpoint(self) -> Path:
        """The file that a stopped phase goes on from."""
        return self._material.out / f"{self.name}.checkpoint.pt"

    def request_stop(self, *_: object) -> None:
        """Stop after the current step, with a checkpoint; fits as a signal handler."""
        self.is_stop_requested = True

    def train(self, loss_of: Loss) -> bool:
        """Take the steps that are left, or those until a stop is asked for; tell if all are."""
        if self.checkpoint.exists():
            self._resume()
        self.model.train()
        losses: list[torch.Tensor] = []
        whole = self.steps
        pace, saved = Pace(self._minutes), time.monotonic()
        for rows in islice(self._batches(), self.step, None):
            if self.is_stop_requested or self.step >= self.steps:
                break
            losses.append(self._take_step(rows, loss_of))
            allowed = pace.steps_after(self.step, losses[-1])
            if allowed is not None:
                self.steps = min(whole, allowed)
            if self.step % LOG_EVERY_STEPS == 0 or self.step == self.steps:
                self._log(losses)
                losses = []
            if time.monotonic() - saved > self._material.recipe.checkpoint_minutes * 60:
                self._save()
                saved = time.monotonic()
        self._save()
        return self.step >= self.steps

    @property
    def left(self) -> float:
        """The share of all steps that is still to be taken."""
        return (self.steps - self.step) / self.steps

    def rate(self) -> float:
        """The learning rate of the next step; the last one's is nearly 0."""
        warm = min(1.0, (self.step + 1) / max(1, self._turn.warmup_steps))
        return self._turn.learning_rate * min(warm, self.left)

    def _take_step(self, rows: Ints, loss_of: Loss) -> torch.Tensor:
        for group in self._optimizer.param_groups:
            group["lr"] = self.rate()
        batch = self._material.collator.batch(rows)
        loss = loss_of(rows, batch, forward(self.model, batch))
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), LARGEST_GRADIENT_NORM)
        self._optimizer.step()
        self.step += 1
        return loss.detach()

    def _epoch(self, epoch: int) -> list[Ints]:
        recipe = self._material.recipe
        return epoch_batches(
            self._material.pairs, epoch, tokens=self._turn.batch_tokens, seed=recipe.seed
        )

    def _batches(self) -> Iterator[Ints]:
        for epoch in count():
            yield from self._epoch(epoch)

    def _log(self, losses: list[torch.Tensor]) -> None:
        mean = float(torch.stack(losses).mean())
        record: dict[str, float | str] = {"phase": self.name, "step": self.step}
        record |= {"steps": self.steps, "loss": round(mean, 4), "time": round(time.time(), 1)}
        append_json(self._material.out / "log.jsonl", record)
        print(record, flush=True)

    def _save(self) -> None:
        place = {"step": self.step, "steps": self.steps}
        write_state(self.checkpoint, self.model, self._optimizer, place)

    def _resume(self) -> None:
        place = read_state(self.checkpoint, self.model, self._optimizer)
        self.step, self.steps = place["step"], place["steps"]


def forward(model: Module, batch: Batch, *, states: bool = False) -> Any:
    """Run the model, in bfloat16 where the device has matrix units for it; with `states`, all."""
    device = batch.mask.device.type
    asked = {"output_hidden_states": True} if states else {}
    with torch.autocast(device, dtype=torch.bfloat16, enabled=device == "cuda"):
        return model(
            input_ids=batch.token_ids,
            token_type_ids=batch.type_ids,
            # Of four dimensions: of two, the library would wait for the device to look at them.
            attention_mask=None if batch.is_unpadded else batch.mask[:, None, None].bool(),
            **asked,
        )
