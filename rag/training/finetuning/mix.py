"""The endless stream of training batches: a pure function of the seed and the position."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer

from citewire.rag.evaluation.squad import (
    Group,
    group_by_question,
    read_examples,
)
from citewire.rag.reading.passage_header import append_header, build_header
from citewire.rag.training.finetuning.config import Config, QuestionSource
from citewire.rag.training.finetuning.data import (
    NO_ANSWER,
    TrainingWindow,
    build_training_window,
    make_negative,
)
from citewire.rag.training.finetuning.question_forms import vary_form
from citewire.rag.training.finetuning.twins import (
    choose_twins,
    crop_group,
    delete_answer,
)

# Characters of a cropped passage: those of an indexed one (`PassageSize`).
CROPPED_CHARACTERS = 640
# Question files of our own writing.
SHIPPED_DATA = Path(__file__).parent.parent / "data"
# Tokens; rows are padded to a multiple of it, which tensor cores compute fastest.
PAD_TO_TOKENS = 8


@dataclass(frozen=True, slots=True)
class Position:
    """Position of the next batch: the pool, and the batch inside it."""

    pool: int = 0
    batch: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded windows; every tensor has one row per window, targets are token positions.

    If `is_unpadded`, all windows have the same length: the mask is all ones and can be ignored.
    `twins` has a row of two windows, by their rows, for each question that the first answers and
    the second does not. `anchored` are the rows that are held to the start model.
    """

    token_ids: torch.Tensor
    type_ids: torch.Tensor
    mask: torch.Tensor
    starts: torch.Tensor
    ends: torch.Tensor
    is_unpadded: bool = False
    twins: torch.Tensor = field(default_factory=lambda: torch.zeros(0, 2, dtype=torch.long))
    anchored: torch.Tensor = field(default_factory=lambda: torch.zeros(0, dtype=torch.long))

    def __len__(self) -> int:
        return len(self.starts)

    def to(self, device: torch.device) -> "Batch":
        """Copy the batch into the device's memory, as `torch.Tensor.to` does."""
        tensors = {
            each.name: getattr(self, each.name).to(device)
            for each in fields(self)
            if each.name != "is_unpadded"
        }
        return Batch(**tensors, is_unpadded=self.is_unpadded)


class Rotation:
    """A source's groups of examples in endless random order: shuffled anew for each epoch."""

    def __init__(self, name: str, groups: Sequence[Group], *, seed: int) -> None:
        if not groups:
            raise ValueError(f"{name}: no questions; remove the source from the config")
        self._name = name
        self._groups = groups
        self._seed = seed
        self._epoch = -1
        self._order: list[int] = []

    def __getitem__(self, index: int) -> Group:
        epoch, place = divmod(index, len(self._groups))
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = list(range(len(self._groups)))
            random.Random(f"{self._name} {self._seed} {epoch}").shuffle(self._order)
        return self._groups[self._order[place]]


class Mix:
    """Draws pools of questions, each source by its weight, and cuts them into batches."""

    def __init__(self, rotations: Sequence[Rotation], tokenizer: Tokenizer, config: Config) -> None:
        self._rotations = rotations
        self._tokenizer = tokenizer
        self._config = config
        total = sum(source.weight for source in config.sources)
        self._counts = [
            max(1, round(config.pool_questions * s.weight / total)) for s in config.sources
        ]

    def draw_batches(self, position: Position) -> Iterator[tuple[Batch, Position]]:
        """Yield endless batches from the position on, each with the position that follows it."""
        while True:
            cut = self._cut_pool(position.pool)
            for number in range(position.batch, len(cut)):
                yield collate(cut[number]), Position(position.pool, number + 1)
            position = Position(position.pool + 1)

    def draw_pool(self, number: int) -> list[tuple[QuestionSource, Group]]:
        """Return the groups of a pool with their sources, before any is completed or changed."""
        drawn = zip(self._config.sources, self._rotations, self._counts, strict=True)
        return [
            (source, rotation[number * count + place])
            for source, rotation, count in drawn
            for place in range(count)
        ]

    def _cut_pool(self, number: int) -> list[list[TrainingWindow]]:
        rng = random.Random(f"pool {self._config.seed} {number}")
        groups = [
            self._build_windows(source, group, rng) for source, group in self.draw_pool(number)
        ]
        rng.shuffle(groups)
        batches = cut_by_length(
            groups, max_tokens=self._config.batch_tokens, max_windows=self._config.batch_questions
        )
        rng.shuffle(batches)
        return batches

    def _build_windows(
        self, source: QuestionSource, group: Group, rng: random.Random
    ) -> list[TrainingWindow]:
        """Build the windows of a group that stay together in a batch."""
        chosen = complete_group(source, group, self._config.negatives_share, rng)
        asked = vary_form(chosen[0].question, rng) if self._config.vary_forms else None
        has_header = rng.random() < self._config.header_share
        is_cropped = rng.random() < self._config.cropped_share
        place = rng.random()
        if is_cropped:
            chosen = crop_group(chosen, CROPPED_CHARACTERS, place)
        windows: list[TrainingWindow] = []
        for number, example in enumerate(chosen):
            read = replace(example, question=asked or example.question)
            if has_header:
                header = build_header(example.title, example.published)
                read = replace(read, question=append_header(read.question, header))
            anchored = source.anchored and number == 0
            window = build_training_window(self._tokenizer, read, rng, anchored=anchored)
            if window is not None:
                windows.append(window)
        return mark_twins(windows)


def complete_group(
    source: QuestionSource, group: Group, negatives_share: float, rng: random.Random
) -> Group:
    """Choose a question's passages: twins, or its own and, for a share, one without the answer."""
    if source.twins:
        return choose_twins(group, rng)
    (example,) = group
    drawn = rng.random()
    if drawn < source.deleted_share:
        other = delete_answer(example)
    elif drawn < source.deleted_share + negatives_share:
        other = make_negative(example, rng)
    else:
        other = None
    return group if other is None else (example, other)


def mark_twins(windows: Sequence[TrainingWindow]) -> list[TrainingWindow]:
    """Mark the windows that do not answer what the window before them answers."""
    return [
        replace(
            window,
            after_twin=place > 0
            and window.start == NO_ANSWER
            and windows[place - 1].start != NO_ANSWER,
        )
        for place, window in enumerate(windows)
    ]


def read_mix(config: Config, data: Path, tokenizer: Tokenizer) -> Mix:
    """Read the config's sources from a folder of `NAME.json.gz` files, or from those shipped."""
    rotations = []
    for source in config.sources:
        examples = [e for name in source.files for e in read_examples(find_file(name, data))]
        groups = group_by_question(examples) if source.twins else [(e,) for e in examples]
        rotations.append(Rotation(" ".join(source.files), groups, seed=config.seed))
    return Mix(rotations, tokenizer, config)


def find_file(name: str, data: Path) -> Path:
    """Return the source's file in the folder, or the shipped one where the folder has none."""
    own, shipped = (folder / f"{name}.json.gz" for folder in (data, SHIPPED_DATA))
    return shipped if shipped.exists() and not own.exists() else own


def cut_by_length(
    groups: Sequence[Sequence[TrainingWindow]], *, max_tokens: int, max_windows: int
) -> list[list[TrainingWindow]]:
    """Cut into batches of similar length, each within both limits, padding included.

    The windows of a group stay together.
    """
    batches: list[list[TrainingWindow]] = []
    batch: list[TrainingWindow] = []
    for group in sorted(filter(None, groups), key=measure):
        count = len(batch) + len(group)
        if batch and (count > max_windows or count * measure(group) > max_tokens):
            batches.append(batch)
            batch = []
        batch.extend(group)
    return [*batches, batch] if batch else batches


def measure(group: Sequence[TrainingWindow]) -> int:
    """Return the number of tokens of a group's longest window."""
    return max(len(window.token_ids) for window in group)


def round_up(length: int) -> int:
    """Round a window's length up to a multiple of PAD_TO_TOKENS."""
    return -(-length // PAD_TO_TOKENS) * PAD_TO_TOKENS


def collate(windows: Sequence[TrainingWindow]) -> Batch:
    """Pad windows to the longest of them, rounded up; padding is token 0."""
    longest = max(len(window.token_ids) for window in windows)
    width = round_up(longest)
    token_ids = torch.zeros(len(windows), width, dtype=torch.long)
    type_ids = torch.zeros_like(token_ids)
    mask = torch.zeros_like(token_ids)
    for row, window in enumerate(windows):
        length = len(window.token_ids)
        token_ids[row, :length] = torch.tensor(window.token_ids)
        type_ids[row, :length] = torch.tensor(window.type_ids)
        mask[row, :length] = 1
    starts = torch.tensor([window.start for window in windows])
    ends = torch.tensor([window.end for window in windows])
    twins = [(row - 1, row) for row, window in enumerate(windows) if window.after_twin]
    anchored = [row for row, window in enumerate(windows) if window.anchored]
    return Batch(
        token_ids,
        type_ids,
        mask,
        starts,
        ends,
        twins=torch.tensor(twins, dtype=torch.long).reshape(-1, 2),
        anchored=torch.tensor(anchored, dtype=torch.long),
    )
