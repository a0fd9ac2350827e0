"""What a run needs to go on exactly where it was cut off, kept in one file."""

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
class Progress:
    """How far a run is; `seconds` counts training only, over all restarts."""

    step: int = 0
    questions: int = 0
    seconds: float = 0.0
    position: Position = field(default_factory=Position)
    cooldown: Cooldown | None = None

    def after(self, *, questions: int, seconds: float, position: Position) -> "Progress":
        """The progress after one more step of so many questions and seconds."""
        return replace(
            self,
            step=self.step + 1,
            questions=self.questions + questions,
            seconds=self.seconds + seconds,
            position=position,
        )


def save_checkpoint(path: Path, model: Module, optimizer: Optimizer, progress: Progress) -> None:
    """Keep a run's state and how far it is."""
    write_state(path, model, optimizer, {"progress": asdict(progress)})


def load_checkpoint(path: Path, model: Module, optimizer: Optimizer) -> Progress:
    """Restore model, optimizer and random state in place; return how far the run was."""
    progress = read_state(path, model, optimizer)["progress"]
    cooldown = progress.pop("cooldown")
    return Progress(
        **progress | {"position": Position(**progress["position"])},
        cooldown=None if cooldown is None else Cooldown(**cooldown),
    )


def write_state(path: Path, model: Module, optimizer: Optimizer, place: dict[str, Any]) -> None:
    """Write beside the old checkpoint, then take its place: a kill leaves one of the two whole.

    `place` is kept besides model, optimizer and random state.
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


def read_state(path: Path, model: Module, optimizer: Optimizer) -> dict[str, Any]:
    """Restore model, optimizer and random state in place; return all that was written."""
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    torch.set_rng_state(state["random"])
    if state["random_cuda"]:
        torch.cuda.set_rng_state_all(state["random_cuda"])
    return state
