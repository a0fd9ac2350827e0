"""One training run, as a TOML file describes it."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Source:
    """Question files that share one weight in the mix; names are without `.json.gz`."""

    files: tuple[str, ...]
    weight: float

    def __post_init__(self) -> None:
        if not self.files or self.weight <= 0:
            raise ValueError(f"source {self.files}: name at least one file and a weight above 0")


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that decides a run's outcome, apart from the data and the starting weights.

    `stable_steps` and `stable_minutes` both end the constant phase; whichever comes first counts.
    `cooldown_share` is the cool-down's share of all steps of the run.
    """

    sources: tuple[Source, ...]
    seed: int
    threads: int
    bf16: bool
    max_tokens: int
    stride_tokens: int
    batch_tokens: int
    batch_questions: int
    pool_questions: int
    negatives_share: float
    attention_dropout: float
    hidden_dropout: float
    learning_rate: float
    weight_decay: float
    warmup_steps: int
    stable_steps: int
    stable_minutes: float
    cooldown_share: float
    checkpoint_minutes: float

    def __post_init__(self) -> None:
        if self.batch_tokens < self.max_tokens:
            raise ValueError(
                f"batch_tokens {self.batch_tokens}: must hold max_tokens {self.max_tokens}"
            )
        if not 0 < self.cooldown_share < 1:
            raise ValueError(f"cooldown_share {self.cooldown_share}: must lie between 0 and 1")
        if not 0 <= self.negatives_share <= 1:
            raise ValueError(f"negatives_share {self.negatives_share}: must lie between 0 and 1")


def read_config(path: Path) -> Config:
    """Read a run's TOML file; a missing or unknown key is a `TypeError` that names it."""
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    sources = tuple(
        Source(tuple(source["files"]), source["weight"]) for source in table.pop("source")
    )
    return Config(sources=sources, **table)
