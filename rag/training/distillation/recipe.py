"""The recipe of a distillation, read from a TOML file: data, teacher's and student's training."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class PairSource:
    """Question files that are augmented in one way; names are without `.json.gz`.

    `weight` is the mean number of times that an epoch contains a question: 0.5 is every second
    epoch. Each answerable question is paired with `negatives` passages that lack its answer;
    `negatives_weight` is theirs, as a factor of `weight`.

    The other pairs have no labels but the teacher's, and the weight `untold_weight`:
    `variations` of each question, on its own paragraph; `windows` of the article of each
    answerable question; `clozes` for each paragraph; and, if `transferred`, each negative once
    more, with the names and numbers of its passage in the question.

    `titled` says that the files' titles are those that a reader in use would see.
    """

    files: tuple[str, ...]
    weight: float
    negatives: int = 0
    negatives_weight: float = 0.0
    variations: int = 0
    windows: int = 0
    clozes: int = 0
    transferred: bool = False
    untold_weight: float = 0.0
    titled: bool = False

    def __post_init__(self) -> None:
        if not self.files or self.weight <= 0:
            raise ValueError(f"source {self.files}: name at least one file and a weight above 0")
        if (self.negatives > 0) != (self.negatives_weight > 0):
            raise ValueError(
                f"source {self.files}: give both `negatives` and `negatives_weight`, or neither"
            )
        if self.transferred and not self.negatives:
            raise ValueError(f"source {self.files}: `transferred` needs negatives")
        unlabelled = self.variations + self.windows + self.clozes + self.transferred
        if (unlabelled > 0) != (self.untold_weight > 0):
            raise ValueError(
                f"source {self.files}: give `untold_weight` with, and only with, `variations`,"
                " `windows`, `clozes` or `transferred`"
            )


@dataclass(frozen=True, slots=True)
class Hints:
    """Hints: the teacher's hidden states as additional targets (FitNets, Romero 2015).

    `layers` pairs a layer of the teacher with one of the student, counted from 1. PCA reduces the
    teacher's states to `width` components; the weight of their loss falls from `share` to 0.
    """

    layers: tuple[tuple[int, int], ...]
    width: int
    share: float

    def __post_init__(self) -> None:
        if not self.layers or self.width < 1 or self.share <= 0:
            raise ValueError(f"hints {self}: name layers, a width and a share above 0")


@dataclass(frozen=True, slots=True)
class PhaseConfig:
    """The hyperparameters of one model; the learning rate warms up, then falls linearly to 0."""

    learning_rate: float
    weight_decay: float
    warmup_steps: int
    epochs: float
    batch_tokens: int
    attention_dropout: float
    hidden_dropout: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that determines a distillation's outcome, except data and starting weights.

    `teacher_share` is the weight of the teacher's distributions, softened by `temperature`; the
    labels have the rest (Hinton 2015). `rounded` turns on quantisation-aware training: the student
    learns with weights and inputs rounded as in the shipped int8 network (Jacob 2018).
    `header_share` is the share of pairs from titled sources that get a passage header.
    """

    sources: tuple[PairSource, ...]
    seed: int
    max_tokens: int
    temperature: float
    teacher_share: float
    checkpoint_minutes: float
    teacher: PhaseConfig
    student: PhaseConfig
    rounded: bool = False
    header_share: float = 0.0
    hints: Hints | None = None

    def __post_init__(self) -> None:
        if min(self.teacher.batch_tokens, self.student.batch_tokens) < self.max_tokens:
            raise ValueError(f"batch_tokens: must hold max_tokens {self.max_tokens}")
        if not 0 <= self.teacher_share <= 1:
            raise ValueError(f"teacher_share {self.teacher_share}: must be between 0 and 1")
        if (self.header_share > 0) != any(source.titled for source in self.sources):
            raise ValueError("give both `header_share` and titled sources, or neither")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe's TOML file.

    Raises:
        TypeError: a key is missing or unknown; the message names it.
        ValueError: a value is out of range.
    """
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    sources = tuple(
        PairSource(**source | {"files": tuple(source["files"])}) for source in table.pop("source")
    )
    teacher, student = (PhaseConfig(**table.pop(name)) for name in ("teacher", "student"))
    hints = None
    if "hints" in table:
        given = table.pop("hints")
        hints = Hints(**given | {"layers": tuple((t, s) for t, s in given["layers"])})
    return Recipe(sources=sources, teacher=teacher, student=student, hints=hints, **table)
