"""Checkpoints: model, optimizer, random state and progress of a run, in one file."""

import os
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from torch.nn import Module
from torch.optim import Optimizer

from citewire.rag.training.finetuning.mix import Position
from citewire.rag.training.finetuning.schedule import Cooldown


@dataclass(frozen=True, slots=True)
class RunProgress:
    """How far a run has come; `seconds` counts training only, summed over restarts."""

    step: int = 0
    questions: int = 0
    seconds: float = 0.0
    position: Position = field(default_factory=Position)
    cooldown: Cooldown | None = None

    def advance(self, *, questions: int, seconds: float, position: Position) -> "RunProgress":
        """Return the progress after one more step, which took these questions and seconds."""
        return replace(
            self,
            step=self.step + 1,
            questions=self.questions + questions,
            seconds=self.seconds + seconds,
            position=position,
        )


def save_checkpoint(path: Path, model: Module, optimizer: Optimizer, progress: RunProgress) -> None:
    """Save a run's state and its progress."""
    write_model_state(path, model, optimizer, {"progress": asdict(progress)})


def load_checkpoint(path: Path, model: Module, optimizer: Optimizer) -> RunProgress:
    """Restore model, optimizer and random state in place; return the progress."""
    progress = read_model_state(path, model, optimizer)["progress"]
    cooldown = progress.pop("cooldown")
    return RunProgress(
        **progress | {"position": Position(**progress["position"])},
        cooldown=None if cooldown is None else Cooldown(**cooldown),
    )


def write_model_state(
    path: Path, model: Module, optimizer: Optimizer, place: dict[str, Any]
) -> None:
    """Replace the checkpoint atomically: a kill leaves either the old or the new one whole.

    `place`, how far the training has come, is saved with model, optimizer and random state.
    """
    state = place | {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state_all(),
    }
    aside = path.with_suffix(".partial")
    with aside.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)


def read_model_state(path: Path, model: Module, optimizer: Optimizer) -> dict[str, Any]:
    """Restore model, optimizer and random state in place; return the whole checkpoint."""
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])
    if state["random_cuda"]:
        torch.cuda.set_rng_state_all(state["random_cuda"])
    return state
