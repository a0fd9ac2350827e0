"""Tokenised pairs of question and passage, in flat arrays that fit into a GPU's memory.

The model's input is [CLS] question [SEP] passage [SEP] (Devlin 2019); its targets are the answer's
first and last token, or [CLS] for both if the passage does not contain the answer.
"""

from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer

from citewire.rag.training.finetuning.data import NO_ANSWER
from citewire.rag.training.finetuning.mix import Batch, round_up
from citewire.rag.training.finetuning.step import IGNORED

# Special tokens of an input: [CLS] and two [SEP].
SPECIAL_TOKENS = 3
# Values of `first` and `last`: the passage does not contain the answer, or no label says so.
UNANSWERABLE = -1
UNLABELLED = -2

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pairs:
    """All pairs, one row each; starts and ends are half-open ranges of the stream `tokens`.

    `first` and `last` are the answer's tokens, both inclusive, counted from the passage's first;
    or both are UNANSWERABLE or UNLABELLED. `weight` is the mean number of times that an epoch
    contains the pair.
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
        """Length of each pair in tokens, special tokens included."""
        questions = self.question_end.astype(np.int64) - self.question_start
        return questions + self.passage_end - self.passage_start + SPECIAL_TOKENS

    @property
    def is_labelled(self) -> npt.NDArray[np.bool_]:
        """Whether each pair has a label: an answer, or that there is none."""
        labelled: npt.NDArray[np.bool_] = self.first != UNLABELLED
        return labelled

    def keep_labelled(self) -> "Pairs":
        """Return the pairs, with weight 0 for those without a label: no epoch contains them."""
        return replace(self, weight=self.weight * self.is_labelled)

    def save(self, path: Path) -> None:
        """Write all arrays into one compressed file."""
        np.savez_compressed(path, **{f.name: getattr(self, f.name) for f in fields(self)})


def read_pairs(path: Path) -> Pairs:
    """Read a file that `Pairs.save` wrote."""
    with np.load(path) as arrays:
        return Pairs(**{field.name: arrays[field.name] for field in fields(Pairs)})


class Collator:
    """Collates pairs into padded windows on the device that holds the tokens."""

    def __init__(self, pairs: Pairs, tokenizer: Tokenizer, device: torch.device) -> None:
        special = tokenizer.encode("", "").ids  # [CLS] [SEP] [SEP]
        self._cls, self._sep = special[0], special[-1]
        self._tokens = torch.from_numpy(pairs.tokens.astype(np.int32)).to(device)
        columns = [pairs.question_start, pairs.question_end, pairs.passage_start]
        columns += [pairs.passage_end, pairs.first, pairs.last]
        self._columns = torch.from_numpy(np.stack(columns).astype(np.int64)).to(device)
        self._lengths = pairs.lengths

    def collate(self, rows: Ints) -> Batch:
        """Return the rows' windows, padded to the longest; padding is token 0."""
        device = self._tokens.device
        chosen = torch.from_numpy(rows).to(device)
        question_start, question_end, passage_start, passage_end, first, last = (
            column[chosen][:, None] for column in self._columns
        )
        width, is_unpadded = choose_width(self._lengths[rows])
        at = torch.arange(width, device=device)[None, :]
        before = question_end - question_start + 2  # tokens in front of the passage
        length = before + passage_end - passage_start + 1
        source = torch.where(at < before, question_start + at - 1, passage_start + at - before)
        token_ids = self._tokens[source.clamp(0, len(self._tokens) - 1)].long()
        token_ids = torch.where((at == before - 1) | (at == length - 1), self._sep, token_ids)
        token_ids[:, 0] = self._cls
        mask = at < length
        targets = [
            torch.where(place >= 0, before + place, NO_ANSWER).where(place != UNLABELLED, IGNORED)
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


def choose_width(lengths: Ints) -> tuple[int, bool]:
    """Return the width, in tokens, of a batch of these lengths, and whether it has no padding."""
    longest = int(lengths.max())
    if int(lengths.min()) == longest:
        return longest, True
    return round_up(longest), False


def draw_rows(pairs: Pairs, epoch: int, seed: int) -> Ints:
    """Draw the rows of an epoch in random order, each as often as its weight says on average."""
    phase = np.random.default_rng([seed, 0]).random(len(pairs))
    times = np.floor((epoch + 1) * pairs.weight + phase) - np.floor(epoch * pairs.weight + phase)
    rows = np.repeat(np.arange(len(pairs)), times.astype(np.int64))
    return np.random.default_rng([seed, 1, epoch]).permutation(rows)


def draw_epoch(pairs: Pairs, epoch: int, *, max_tokens: int, seed: int) -> list[Ints]:
    """Draw an epoch's batches, in random order, each of at most `max_tokens` with padding."""
    batches = cut_batches(draw_rows(pairs, epoch, seed), pairs.lengths, max_tokens)
    order = np.random.default_rng([seed, 2, epoch]).permutation(len(batches))
    return [batches[number] for number in order]


def cut_batches(rows: Ints, lengths: Ints, max_tokens: int) -> list[Ints]:
    """Cut rows into batches of at most `max_tokens`, padding included.

    Most batches hold rows of one length, which need no mask: FlashAttention (Dao 2022) takes none.
    """
    unpadded, others = cut_unpadded(rows, lengths, max_tokens)
    return [*unpadded, *cut_padded(others, lengths, max_tokens)]


def cut_unpadded(rows: Ints, lengths: Ints, max_tokens: int) -> tuple[list[Ints], Ints]:
    """Cut full batches of rows of one length; return them and the rows that are left over."""
    ordered = rows[np.argsort(lengths[rows], kind="stable")]
    found, first = np.unique(lengths[ordered], return_index=True)
    batches, others = [], []
    for length, same in zip(found, np.split(ordered, first[1:]), strict=True):
        room = max(1, max_tokens // int(length))
        full = len(same) // room * room
        batches += list(same[:full].reshape(-1, room))
        others.append(same[full:])
    return batches, np.concatenate(others) if others else ordered


def cut_padded(rows: Ints, lengths: Ints, max_tokens: int) -> list[Ints]:
    """Cut rows into batches of similar length, of at most `max_tokens` with padding."""
    ordered = rows[np.argsort(lengths[rows], kind="stable")]
    batches, first = [], 0
    for place, row in enumerate(ordered):
        width = round_up(int(lengths[row]))
        if place > first and (place + 1 - first) * width > max_tokens:
            batches.append(ordered[first:place])
            first = place
    return [*batches, ordered[first:]] if len(ordered) else batches
