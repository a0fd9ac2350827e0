"""One distillation, as a TOML file describes it: the data, the teacher's and the student's turn."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Share:
    """Question files that share one treatment; names are without `.json.gz`.

    `weight` is how often a question comes in an epoch: 0.5 is every second one. Each answerable
    question gets `negatives` passages without its answer; `negatives_weight` counts for these.

    What follows is for the teacher to answer, with the weight `untold_weight`: of each question
    so many `variations`, on the question's own paragraph; each answerable question on so many
    `windows` of its article; for each paragraph, so many `clozes`; and, where `transferred` is
    true, on each negative passage the question with that passage's names.

    Where `titled` is true, the files name their articles as a reader would see them.
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
            raise ValueError(f"source {self.files}: `negatives` and their weight go together")
        if self.transferred and not self.negatives:
            raise ValueError(f"source {self.files}: `transferred` needs negatives")
        untold = self.variations + self.windows + self.clozes + self.transferred
        if (untold > 0) != (self.untold_weight > 0):
            raise ValueError(
                f"source {self.files}: `untold_weight` goes with what only the teacher can answer"
            )


@dataclass(frozen=True, slots=True)
class Hints:
    """The teacher's inner states as targets (Romero 2015), beside its answers.

    `layers` pairs a layer of the teacher with one of the student, counted from 1. The teacher's
    states are reduced to their `width` main components; their loss counts `share` at first and
    falls to nothing in the end.
    """

    layers: tuple[tuple[int, int], ...]
    width: int
    share: float

    def __post_init__(self) -> None:
        if not self.layers or self.width < 1 or self.share <= 0:
            raise ValueError(f"hints {self}: name layers, a width and a share above 0")


@dataclass(frozen=True, slots=True)
class Turn:
    """How one model is trained: warm-up, then a linear fall of the learning rate to 0."""

    learning_rate: float
    weight_decay: float
    warmup_steps: int
    epochs: float
    batch_tokens: int
    attention_dropout: float
    hidden_dropout: float


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that decides a distillation's outcome, apart from data and starting weights.

    `teacher_share` is the weight of the teacher's distributions, softened by `temperature`,
    beside the known answers' (Hinton 2015). With `rounded` the student learns with its matrices
    and what flows into them rounded as they will be in the shipped int8 network (Jacob 2018).
    `header_share` of the pairs from titled sources are read with their article's title.
    """

    sources: tuple[Share, ...]
    seed: int
    max_tokens: int
    temperature: float
    teacher_share: float
    checkpoint_minutes: float
    teacher: Turn
    student: Turn
    rounded: bool = False
    header_share: float = 0.0
    hints: Hints | None = None

    def __post_init__(self) -> None:
        if min(self.teacher.batch_tokens, self.student.batch_tokens) < self.max_tokens:
            raise ValueError(f"batch_tokens: must hold max_tokens {self.max_tokens}")
        if not 0 <= self.teacher_share <= 1:
            raise ValueError(f"teacher_share {self.teacher_share}: must lie between 0 and 1")
        if (self.header_share > 0) != any(share.titled for share in self.sources):
            raise ValueError("`header_share` and titled sources go together")


def read_recipe(path: Path) -> Recipe:
    """Read a recipe's TOML file; a missing or unknown key is a `TypeError` that names it."""
    table: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    sources = tuple(
        Share(**source | {"files": tuple(source["files"])}) for source in table.pop("source")
    )
    teacher, student = (Turn(**table.pop(name)) for name in ("teacher", "student"))
    hints = None
    if "hints" in table:
        given = table.pop("hints")
        hints = Hints(**given | {"layers": tuple((t, s) for t, s in given["layers"])})
    return Recipe(sources=sources, teacher=teacher, student=student, hints=hints, **table)
