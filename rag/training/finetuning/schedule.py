"""Warm-up, constant rate, linear cool-down (a WSD schedule): any step is a good one to end at."""

from dataclasses import dataclass

from citewire.rag.training.finetuning.config import Config


@dataclass(frozen=True, slots=True)
class Cooldown:
    """The last part of a run: the learning rate falls to 0 in `steps`, counted from `start`."""

    start: int
    steps: int

    def __post_init__(self) -> None:
        if self.start < 0 or self.steps < 1:
            raise ValueError(
                f"cool-down of {self.steps} steps from {self.start}: needs at least one step"
            )

    @classmethod
    def from_share(cls, start: int, share: float) -> "Cooldown":
        """Make the cool-down `share` of all steps: `Cooldown.from_share(300, 0.25)` takes 100."""
        return cls(start, max(1, round(start * share / (1 - share))))

    @property
    def end(self) -> int:
        """The number of steps of the whole run."""
        return self.start + self.steps


def compute_learning_rate(config: Config, step: int, cooldown: Cooldown | None) -> float:
    """Return the rate of a step, counted from 0; the last step of a cool-down has rate 0."""
    rate = config.learning_rate * min(1.0, (step + 1) / max(1, config.warmup_steps))
    if cooldown is None or step < cooldown.start:
        return rate
    return rate * max(0, cooldown.end - 1 - step) / cooldown.steps
