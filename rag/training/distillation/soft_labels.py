"""Soft labels (Hinton 2015): the teacher's logits, and hints, for every token of every pair."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from citewire.rag.training.distillation.hints import ESTIMATION_TOKENS, PrincipalComponents
from citewire.rag.training.distillation.pairs import Ints, cut_batches
from citewire.rag.training.distillation.phase import Setup, forward
from citewire.rag.training.distillation.recipe import Hints
from citewire.rag.training.distillation.teacher import Teacher
from citewire.rag.training.finetuning.mix import Batch

# Tokens of a batch that the teacher reads; without gradients it fits into memory.
BATCH_TOKENS = 65_536


class SoftLabels:
    """The teacher's logits and reduced states for all pairs, in half precision."""

    def __init__(self, lengths: Ints, device: torch.device, hints: Hints | None) -> None:
        self._offsets = torch.from_numpy(np.cumsum(lengths) - lengths).to(device)
        count = int(lengths.sum())
        self._logits = torch.zeros(2, count, dtype=torch.float16, device=device)
        layers, width = (len(hints.layers), hints.width) if hints else (0, 0)
        self._states = torch.zeros(layers, count, width, dtype=torch.float16, device=device)

    def put(
        self, rows: Ints, batch: Batch, output: Any, states: Sequence[torch.Tensor] = ()
    ) -> None:
        """Store the windows' logits and reduced states, each (windows, tokens, width)."""
        is_token = batch.mask.bool()
        at = self._locate(rows, batch.mask)[is_token]
        both = (output.start_logits, output.end_logits)
        for stored, logits in zip(self._logits, both, strict=True):
            stored[at] = logits[is_token].to(torch.float16)
        for stored, reduced in zip(self._states, states, strict=True):
            stored[at] = reduced[is_token].to(torch.float16)

    def get_logits(self, rows: Ints, batch: Batch) -> torch.Tensor:
        """Return start and end logits of the windows, shape (2, windows, tokens)."""
        return self._logits[:, self._locate(rows, batch.mask)].float()

    def get_hints(self, rows: Ints, batch: Batch) -> torch.Tensor:
        """Return the reduced states of the windows, shape (layers, windows, tokens, width)."""
        return self._states[:, self._locate(rows, batch.mask)]

    def _locate(self, rows: Ints, mask: torch.Tensor) -> torch.Tensor:
        """Return the tokens' places, shape (windows, tokens); those of padding are arbitrary."""
        first = self._offsets[torch.from_numpy(rows).to(mask.device)][:, None]
        return (first + torch.arange(mask.shape[1], device=mask.device)) * mask


@torch.no_grad()
def label_pairs(teacher: Teacher, setup: Setup) -> SoftLabels:
    """Run the teacher on all pairs and store its output."""
    lengths, hints = setup.pairs.lengths, setup.recipe.hints
    labels = SoftLabels(lengths, setup.device, hints)
    teacher.to(setup.device).eval()
    batches = cut_batches(np.arange(len(lengths)), lengths, BATCH_TOKENS)
    components = estimate_components(teacher, setup, batches, hints) if hints else ()
    for rows in batches:
        batch = setup.collator.collate(rows)
        output = forward(teacher, batch, hidden_states=bool(hints))
        states = [part.project(output.hidden_states[layer]) for layer, part in components]
        labels.put(rows, batch, output, states)
    return labels


def estimate_components(
    teacher: Teacher, setup: Setup, batches: Sequence[Ints], hints: Hints
) -> list[tuple[int, PrincipalComponents]]:
    """Estimate the principal components of each hinted layer on a sample of the batches."""
    taken = max(1, ESTIMATION_TOKENS // BATCH_TOKENS)
    seen: list[list[torch.Tensor]] = [[] for _ in hints.layers]
    for rows in batches[:: max(1, len(batches) // taken)]:
        batch = setup.collator.collate(rows)
        output = forward(teacher, batch, hidden_states=True)
        for states, (layer, _) in zip(seen, hints.layers, strict=True):
            states.append(output.hidden_states[layer][batch.mask.bool()].float())
    return [
        (layer, PrincipalComponents(torch.cat(states), hints.width))
        for states, (layer, _) in zip(seen, hints.layers, strict=True)
    ]
