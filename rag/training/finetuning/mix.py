"""The endless stream of training batches: a pure function of the seed and the position."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from tokenizers import Tokenizer

from citewire.rag.evaluation.squad import SquadExample, read_examples
from citewire.rag.training.finetuning.config import Config
from citewire.rag.training.finetuning.data import (
    TrainingWindow,
    add_negatives,
    build_training_windows,
)

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
    """

    token_ids: torch.Tensor
    type_ids: torch.Tensor
    mask: torch.Tensor
    starts: torch.Tensor
    ends: torch.Tensor
    is_unpadded: bool = False

    def __len__(self) -> int:
        return len(self.starts)

    def to(self, device: torch.device) -> "Batch":
        """Copy the batch into the device's memory, as `torch.Tensor.to` does."""
        tensors = {
            field.name: getattr(self, field.name).to(device)
            for field in fields(self)
            if field.name != "is_unpadded"
        }
        return Batch(**tensors, is_unpadded=self.is_unpadded)


class Rotation:
    """A source's examples in endless random order: shuffled anew for each epoch."""

    def __init__(self, name: str, examples: Sequence[SquadExample], *, seed: int) -> None:
        if not examples:
            raise ValueError(f"{name}: no questions; remove the source from the config")
        self._name = name
        self._examples = examples
        self._seed = seed
        self._epoch = -1
        self._order: list[int] = []

    def __getitem__(self, index: int) -> SquadExample:
        epoch, place = divmod(index, len(self._examples))
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = list(range(len(self._examples)))
            random.Random(f"{self._name} {self._seed} {epoch}").shuffle(self._order)
        return self._examples[self._order[place]]


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

    def draw_pool(self, number: int) -> list[SquadExample]:
        """Return the questions of a pool, before negatives are added."""
        drawn = zip(self._rotations, self._counts, strict=True)
        return [
            rotation[number * count + place] for rotation, count in drawn for place in range(count)
        ]

    def _cut_pool(self, number: int) -> list[list[TrainingWindow]]:
        rng = random.Random(f"pool {self._config.seed} {number}")
        examples = add_negatives(self.draw_pool(number), self._config.negatives_share, rng)
        windows = build_training_windows(self._tokenizer, examples, rng)
        rng.shuffle(windows)
        batches = cut_by_length(
            windows, max_tokens=self._config.batch_tokens, max_windows=self._config.batch_questions
        )
        rng.shuffle(batches)
        return batches


def read_mix(config: Config, data: Path, tokenizer: Tokenizer) -> Mix:
    """Read the config's sources from a folder of `NAME.json.gz` files."""
    rotations = []
    for source in config.sources:
        examples = [e for name in source.files for e in read_examples(data / f"{name}.json.gz")]
        rotations.append(Rotation(" ".join(source.files), examples, seed=config.seed))
    return Mix(rotations, tokenizer, config)


def cut_by_length(
    windows: Sequence[TrainingWindow], *, max_tokens: int, max_windows: int
) -> list[list[TrainingWindow]]:
    """Cut into batches of similar length, each within both limits, padding included."""
    batches: list[list[TrainingWindow]] = []
    batch: list[TrainingWindow] = []
    for window in sorted(windows, key=lambda window: len(window.token_ids)):
        is_full = len(batch) == max_windows
        if batch and (is_full or (len(batch) + 1) * len(window.token_ids) > max_tokens):
            batches.append(batch)
            batch = []
        batch.append(window)
    return [*batches, batch] if batch else batches


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
    return Batch(token_ids, type_ids, mask, starts, ends)
