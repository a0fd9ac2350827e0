"""The endless stream of training batches: a pure function of the seed and the position."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import torch
from tokenizers import Tokenizer

from citewire.rag.evaluation.squad import Example, read_examples
from citewire.rag.training.finetuning.config import Config
from citewire.rag.training.finetuning.data import Feature, features_of, with_negatives

PAD_TO_TOKENS = 8  # rows of a multiple of eight suit the matrix units


@dataclass(frozen=True, slots=True)
class Position:
    """Where the next batch lies: the pool, and the batch inside it."""

    pool: int = 0
    batch: int = 0


@dataclass(frozen=True, slots=True)
class Batch:
    """Padded windows; every tensor has one row per window, targets are token positions.

    Where `is_even` all windows are equally long: the mask is all ones, and needs no heeding.
    """

    token_ids: torch.Tensor
    type_ids: torch.Tensor
    mask: torch.Tensor
    starts: torch.Tensor
    ends: torch.Tensor
    is_even: bool = False

    def __len__(self) -> int:
        return len(self.starts)

    def to(self, device: torch.device) -> "Batch":
        """The same batch in the device's memory."""
        tensors = {
            field.name: getattr(self, field.name).to(device)
            for field in fields(self)
            if field.name != "is_even"
        }
        return Batch(**tensors, is_even=self.is_even)


class Rotation:
    """A source's examples in an endless random order: all come once before any comes twice."""

    def __init__(self, name: str, examples: Sequence[Example], *, seed: int) -> None:
        if not examples:
            raise ValueError(f"{name}: no questions; leave the source out of the config")
        self._name = name
        self._examples = examples
        self._seed = seed
        self._epoch = -1
        self._order: list[int] = []

    def __getitem__(self, index: int) -> Example:
        epoch, place = divmod(index, len(self._examples))
        if epoch != self._epoch:
            self._epoch = epoch
            self._order = list(range(len(self._examples)))
            random.Random(f"{self._name} {self._seed} {epoch}").shuffle(self._order)
        return self._examples[self._order[place]]


class Mix:
    """Draws pools of questions, each source in its share, and cuts them into batches."""

    def __init__(self, rotations: Sequence[Rotation], tokenizer: Tokenizer, config: Config) -> None:
        self._rotations = rotations
        self._tokenizer = tokenizer
        self._config = config
        total = sum(source.weight for source in config.sources)
        self._counts = [
            max(1, round(config.pool_questions * s.weight / total)) for s in config.sources
        ]

    def batches(self, position: Position) -> Iterator[tuple[Batch, Position]]:
        """Yield endless batches from the position on, each with the position that follows it."""
        while True:
            cut = self._cut(position.pool)
            for number in range(position.batch, len(cut)):
                yield collate(cut[number]), Position(position.pool, number + 1)
            position = Position(position.pool + 1)

    def pool(self, number: int) -> list[Example]:
        """The questions of a pool, before negatives are added."""
        drawn = zip(self._rotations, self._counts, strict=True)
        return [
            rotation[number * count + place] for rotation, count in drawn for place in range(count)
        ]

    def _cut(self, number: int) -> list[list[Feature]]:
        rng = random.Random(f"pool {self._config.seed} {number}")
        examples = with_negatives(self.pool(number), self._config.negatives_share, rng)
        features = features_of(self._tokenizer, examples, rng)
        rng.shuffle(features)
        batches = cut_by_length(
            features, tokens=self._config.batch_tokens, windows=self._config.batch_questions
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


def cut_by_length(features: Sequence[Feature], *, tokens: int, windows: int) -> list[list[Feature]]:
    """Cut into batches of similar length, each within both limits, padding included."""
    batches: list[list[Feature]] = []
    batch: list[Feature] = []
    for feature in sorted(features, key=lambda feature: len(feature.token_ids)):
        if batch and (len(batch) == windows or (len(batch) + 1) * len(feature.token_ids) > tokens):
            batches.append(batch)
            batch = []
        batch.append(feature)
    return [*batches, batch] if batch else batches


def collate(features: Sequence[Feature]) -> Batch:
    """Pad windows to the longest of them, rounded up to `PAD_TO_TOKENS`; padding is token 0."""
    longest = max(len(feature.token_ids) for feature in features)
    width = -(-longest // PAD_TO_TOKENS) * PAD_TO_TOKENS
    token_ids = torch.zeros(len(features), width, dtype=torch.long)
    type_ids = torch.zeros_like(token_ids)
    mask = torch.zeros_like(token_ids)
    for row, feature in enumerate(features):
        length = len(feature.token_ids)
        token_ids[row, :length] = torch.tensor(feature.token_ids)
        type_ids[row, :length] = torch.tensor(feature.type_ids)
        mask[row, :length] = 1
    starts = torch.tensor([feature.start for feature in features])
    ends = torch.tensor([feature.end for feature in features])
    return Batch(token_ids, type_ids, mask, starts, ends)
