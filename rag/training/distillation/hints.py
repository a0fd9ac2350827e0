"""Hints: hidden states of the teacher as targets of the student's (FitNets, Romero 2015).

The teacher's states are wider than the student's; PCA reduces them.
"""

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from citewire.rag.training.distillation.recipe import Hints

# Tokens whose hidden states are enough to estimate the principal components.
ESTIMATION_TOKENS = 400_000


class PrincipalComponents:
    """PCA: projects states on their principal components, scaled to a mean square of 1."""

    def __init__(self, states: torch.Tensor, width: int) -> None:
        """Estimate the components from states of shape (tokens, width of the teacher)."""
        states = states.double()
        self._mean = states.mean(0)
        centred = states - self._mean
        values, vectors = torch.linalg.eigh(centred.T @ centred / len(states))
        self._basis = vectors[:, -width:] / values[-width:].mean().sqrt()
        self._mean, self._basis = self._mean.float(), self._basis.float()

    def project(self, states: torch.Tensor) -> torch.Tensor:
        """Project states of shape (…, width of the teacher) to (…, width)."""
        reduced: torch.Tensor = (states.float() - self._mean) @ self._basis
        return reduced


class HintedStudent(nn.Module):
    """A student with a linear map from each hinted layer to the teacher's components."""

    def __init__(self, student: Any, hints: Hints) -> None:
        super().__init__()
        self.student = student
        self._layers = tuple(layer for _, layer in hints.layers)
        width = student.config.hidden_size
        self.maps = nn.ModuleList(nn.Linear(width, hints.width) for _ in hints.layers)

    def forward(self, **inputs: torch.Tensor) -> Any:
        """Return the student's output, with `hints` of shape (layers, windows, tokens, width)."""
        output = self.student(**inputs, output_hidden_states=True)
        states = (output.hidden_states[layer] for layer in self._layers)
        output["hints"] = torch.stack([m(s) for m, s in zip(self.maps, states, strict=True)])
        return output


def compute_hint_loss(own: torch.Tensor, taught: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean squared error where the mask, (windows, tokens), is 1."""
    difference = functional.mse_loss(own.float(), taught.float(), reduction="none").mean(-1)
    return (difference * mask).sum() / (mask.sum() * len(own))
