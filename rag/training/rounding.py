"""Quantisation-aware training: linear layers that round as the shipped int8 network does.

Weights are rounded to seven bits per output, as `citewire.rag.models.onnx_export` does; inputs to
eight bits per window, as ONNX's DynamicQuantizeLinear does (Jacob 2018). Gradients pass unchanged:
the straight-through estimator (Bengio 2013).
"""

import torch
from torch import nn
from torch.nn import functional

# Steps from 0 to the largest weight: with eight bits, sums of products would saturate on
# processors without VNNI.
WEIGHT_STEPS = 64
# Steps from the least to the largest input: eight bits.
INPUT_STEPS = 255
# Least scale; avoids a division by zero.
SMALLEST = 1e-8


class RoundedLinear(nn.Linear):
    """A linear layer whose weights and inputs are rounded."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the base's name
        """Map shape (windows, tokens, in) to (windows, tokens, out)."""
        return functional.linear(round_input(input), round_weight(self.weight), self.bias)


class RoundedWeights(nn.Linear):
    """A linear layer whose weights alone are rounded: cheaper, where inputs are many."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:  # noqa: A002 - the base's name
        """Map shape (windows, tokens, in) to (windows, tokens, out)."""
        return functional.linear(input, round_weight(self.weight), self.bias)


def round_weight(weight: torch.Tensor) -> torch.Tensor:
    """Round symmetrically, with one scale per output; shape (out, in)."""
    weight = weight.float()
    with torch.no_grad():
        scale = weight.abs().amax(1, keepdim=True).clamp(min=SMALLEST) / WEIGHT_STEPS
        error = (weight / scale).round() * scale - weight
    return weight + error


def round_input(states: torch.Tensor) -> torch.Tensor:
    """Round with one scale and zero point per window; shape (windows, tokens, width)."""
    states = states.float()
    with torch.no_grad():
        low = states.amin((1, 2), keepdim=True).clamp(max=0)
        high = states.amax((1, 2), keepdim=True).clamp(min=0)
        scale = (high - low).clamp(min=SMALLEST) / INPUT_STEPS
        zero = (-low / scale).round()
        error = ((states / scale).round() + zero).clamp(0, INPUT_STEPS).sub(zero) * scale - states
    return states + error


def round_matrices(model: nn.Module, kind: type[nn.Linear] = RoundedLinear) -> None:
    """Make all linear layers of a model round, in place; its parameters stay the same."""
    for module in model.modules():
        if type(module) is nn.Linear:
            module.__class__ = kind
