"""Questions with passages, tokenised once: flat arrays that fit a GPU's memory.

A pair is read as [CLS] question [SEP] passage [SEP]; its target is the answer's first and last
token, or the first token where the passage does not hold the answer.
"""

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from citewire.rag.training.finetuning.data import NO_ANSWER
from citewire.rag.training.finetuning.mix import PAD_TO_TOKENS, Batch
from citewire.rag.training.finetuning.step import IGNORED

SPECIAL_TOKENS = 3
NOWHERE = -1  # the first and last token of an answer that is not there
UNTOLD = -2  # and of one that nobody told

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs; `tokens` is one stream of token ids that the bounds point into.

    `first` and `last` count from the passage's first token, both inclusive; NOWHERE in both
    says that the passage holds no answer, UNTOLD that nobody told whether it does. `weight` is
    how often a pair comes in an epoch.
    """

    tokens: npt.NDArray[np.uint16]
    question_start: npt.NDArray[np.int32]
    question_end: npt.NDArray[np.int32]
    passage_start: npt.NDArray[np.int32]
    passage_end: npt.NDArray[np.int32]
    first: npt.NDArray[np.int32]
    last: npt.NDArray[np.int32]
    weight: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.first)

    @property
    def lengths(self) -> Ints:
        """Tokens of each pair, special ones included."""
        questions = self.question_end.astype(np.int64) - self.question_start
        return questions + self.passage_end - self.passage_start + SPECIAL_TOKENS

    @property
    def is_told(self) -> npt.NDArray[np.bool_]:
        """Whether a pair's answer is known, for each pair."""
        told: npt.NDArray[np.bool_] = self.first != UNTOLD
        return told

    def only_told(self) -> "Pairs":
        """The same pairs, but an epoch holds none whose answer nobody told."""
        return replace(self, weight=self.weight * self.is_told)

    def save(self, path: Path) -> None:
        """Write all arrays into one compressed file."""
        np.savez_compressed(path, **{f.name: getattr(self, f.name) for f in fields(self)})


def read_pairs(path: Path) -> Pairs:
    """Read what `Pairs.save` wrote."""
    with np.load(path) as arrays:
        return Pairs(**{field.name: arrays[field.name] for field in fields(Pairs)})


class Collator:
    """Puts pairs together as padded windows, on the device that holds the tokens."""

    def __init__(self, pairs: Pairs, tokenizer: Tokenizer, device: torch.device) -> None:
        special = tokenizer.encode("", "").ids  # [CLS] [SEP] [SEP]
        self._cls, self._sep = special[0], special[-1]
        self._tokens = torch.from_numpy(pairs.tokens.astype(np.int32)).to(device)
        columns = [pairs.question_start, pairs.question_end, pairs.passage_start]
        columns += [pairs.passage_end, pairs.first, pairs.last]
        self._columns = torch.from_numpy(np.stack(columns).astype(np.int64)).to(device)
        self._lengths = pairs.lengths

    def batch(self, rows: Ints) -> Batch:
        """Return the rows' windows, padded to the longest; padding is token 0."""
        device = self._tokens.device
        chosen = torch.from_numpy(rows).to(device)
        question_start, question_end, passage_start, passage_end, first, last = (
            column[chosen][:, None] for column in self._columns
        )
        width, is_unpadded = width_of(self._lengths[rows])
        at = torch.arange(width, device=device)[None, :]
        before = question_end - question_start + 2  # tokens in front of the passage
        length = before + passage_end - passage_start + 1
        source = torch.where(at < before, question_start + at - 1, passage_start + at - before)
        token_ids = self._tokens[source.clamp(0, len(self._tokens) - 1)].long()
        token_ids = torch.where((at == before - 1) | (at == length - 1), self._sep, token_ids)
        token_ids[:, 0] = self._cls
        mask = at < length
        targets = [
            torch.where(place >= 0, before + place, NO_ANSWER).where(place != UNTOLD, IGNORED)
            for place in (first, last)
        ]
        return Batch(
            token_ids=token_ids * mask,
            type_ids=((at >= before) & mask).long(),
            mask=mask.long(),
            starts=targets[0][:, 0],
            ends=targets[1][:, 0],
            is_unpadded=is_unpadded,
        )


def width_of(lengths: Ints) -> tuple[int, bool]:
    """How wide windows of these lengths lie together, and whether none of them is padded."""
    longest = int(lengths.max())
    if int(lengths.min()) == longest:
        return longest, True
    return -(-longest // PAD_TO_TOKENS) * PAD_TO_TOKENS, False


def epoch_rows(pairs: Pairs, epoch: int, seed: int) -> Ints:
    """The pairs of an epoch in random order: each as often as its weight says, over the epochs."""
    phase = np.random.default_rng([seed, 0]).random(len(pairs))
    times = np.floor((epoch + 1) * pairs.weight + phase) - np.floor(epoch * pairs.weight + phase)
    rows = np.repeat(np.arange(len(pairs)), times.astype(np.int64))
    return np.random.default_rng([seed, 1, epoch]).permutation(rows)


def epoch_batches(pairs: Pairs, epoch: int, *, tokens: int, seed: int) -> list[Ints]:
    """An epoch's rows as batches of at most so many tokens, padding included, in random order."""
    batches = batches_of(epoch_rows(pairs, epoch, seed), pairs.lengths, tokens)
    order = np.random.default_rng([seed, 2, epoch]).permutation(len(batches))
    return [batches[number] for number in order]


def batches_of(rows: Ints, lengths: Ints, tokens: int) -> list[Ints]:
    """Cut rows into batches of at most so many tokens, padding included.

    As many as can be are of one length each: flash attention knows no mask (Dao 2022).
    """
    even, others = even_batches(rows, lengths, tokens)
    return [*even, *batches_by_length(others, lengths, tokens)]


def even_batches(rows: Ints, lengths: Ints, tokens: int) -> tuple[list[Ints], Ints]:
    """Full batches of rows of equal length, and the rows that are left over."""
    ordered = rows[np.argsort(lengths[rows], kind="stable")]
    found, first = np.unique(lengths[ordered], return_index=True)
    batches, others = [], []
    for length, same in zip(found, np.split(ordered, first[1:]), strict=True):
        room = max(1, tokens // int(length))
        full = len(same) // room * room
        batches += list(same[:full].reshape(-1, room))
        others.append(same[full:])
    return batches, np.concatenate(others) if others else ordered


def batches_by_length(rows: Ints, lengths: Ints, tokens: int) -> list[Ints]:
    """Cut rows into batches of similar length of at most so many tokens, padding included."""
    ordered = rows[np.argsort(lengths[rows], kind="stable")]
    batches, first = [], 0
    for place, row in enumerate(ordered):
        width = -(-int(lengths[row]) // PAD_TO_TOKENS) * PAD_TO_TOKENS
        if place > first and (place + 1 - first) * width > tokens:
            batches.append(ordered[first:place])
            first = place
    return [*batches, ordered[first:]] if len(ordered) else batches
