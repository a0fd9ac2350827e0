"""Matrices that compute as the shipped int8 network will, and can be trained all the same.

Weights are rounded to seven bits a column, what flows in to eight bits a window, as
`citewire.rag.models.onnx_export` and ONNX's DynamicQuantizeLinear do; gradients pass as if nothing
had been rounded (Jacob 2018, Bengio 2013).
"""

import torch
from torch import nn
from torch.nn import functional

WEIGHT_STEPS = 64  # seven bits and a sign, so that sums of products fit processors without VNNI
INPUT_STEPS = 255
SMALLEST = 1e-8


class RoundedLinear(nn.Linear):
    """A linear layer whose weights and inputs are rounded."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the base's name
        """Map (windows, tokens, in) to (windows, tokens, out)."""
        return functional.linear(rounded_input(input), rounded_weight(self.weight), self.bias)


def rounded_weight(weight: torch.Tensor) -> torch.Tensor:
    """Round symmetrically with one scale per output, shape (out, in)."""
    weight = weight.float()
    with torch.no_grad():
        scale = weight.abs().amax(1, keepdim=True).clamp(min=SMALLEST) / WEIGHT_STEPS
        error = (weight / scale).round() * scale - weight
    return weight + error


def rounded_input(states: torch.Tensor) -> torch.Tensor:
    """Round with one scale and zero point per window, shape (windows, tokens, width)."""
    states = states.float()
    with torch.no_grad():
        low = states.amin((1, 2), keepdim=True).clamp(max=0)
        high = states.amax((1, 2), keepdim=True).clamp(min=0)
        scale = (high - low).clamp(min=SMALLEST) / INPUT_STEPS
        zero = (-low / scale).round()
        error = ((states / scale).round() + zero).clamp(0, INPUT_STEPS).sub(zero) * scale - states
    return states + error


def round_matrices(model: nn.Module) -> None:
    """Let all linear layers of a model round, in place; its parameters stay the same."""
    for module in model.modules():
        if type(module) is nn.Linear:
            module.__class__ = RoundedLinear
