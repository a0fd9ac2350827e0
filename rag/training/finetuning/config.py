"""The configuration of a fine-tuning run, read from a TOML file."""

import tomllib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class QuestionSource:
    """Question files that share one weight in the mix; names are without `.json.gz`.

    With `twins`, an article's paragraphs are passages that the same questions are asked of, and two
    of them are read in one batch. `deleted_share` of the answerable questions are read in one batch
    with their passage without the answer's sentences. With `anchored`, the reader is held to what
    the start model says of the questions on their own passages (learning without forgetting,
    Li 2016).
    """

    files: tuple[str, ...]
    weight: float
    twins: bool = False
    deleted_share: float = 0.0
    anchored: bool = False

    def __post_init__(self) -> None:
        if not self.files or self.weight <= 0:
            raise ValueError(f"source {self.files}: name at least one file and a weight above 0")


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that determines a run's outcome, except the data and the starting weights.

    The constant phase ends after `stable_steps` or `stable_minutes`, whichever comes first.
    `cooldown_share` is the cool-down's share of all steps of the run. `header_share` of the
    passages whose articles have titles are read with a header, `cropped_share` are cut to the
    length of indexed passages; with `vary_forms`, some questions are keywords, in lower case or
    mistyped. `twin_weight` weighs the loss between the twins of a batch, `anchor_weight` the
    divergence from the start model. With `rounded_weights`, matrices are rounded as in the int8
    file.
    """

    sources: tuple[QuestionSource, ...]
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
    header_share: float = 0.0
    cropped_share: float = 0.0
    vary_forms: bool = False
    twin_weight: float = 0.0
    anchor_weight: float = 0.0
    rounded_weights: bool = False

    def __post_init__(self) -> None:
        if self.batch_tokens < self.max_tokens:
            raise ValueError(
                f"batch_tokens {self.batch_tokens}: must hold max_tokens {self.max_tokens}"
            )
        if not 0 < self.cooldown_share < 1:
            raise ValueError(f"cooldown_share {self.cooldown_share}: must be between 0 and 1")
        if (self.anchor_weight > 0) != any(source.anchored for source in self.sources):
            raise ValueError(
                f"anchor_weight {self.anchor_weight}: goes with sources that are anchored"
            )
        if not 0 <= self.negatives_share <= 1:
            raise ValueError(f"negatives_share {self.negatives_share}: must be between 0 and 1")


def read_config(path: Path) -> Config:
    """Read a run's TOML file.

    Raises:
        TypeError: a key is missing or unknown; the message names it.
        ValueError: a value is out of range.
    """
    table = tomllib.loads(path.read_text(encoding="utf-8"))
    sources = tuple(
        QuestionSource(**source | {"files": tuple(source["files"])})
        for source in table.pop("source")
    )
    return Config(sources=sources, **table)
