"""Kernel fusion by `torch.compile`: a transformer's layers take fewer and larger GPU kernels."""

from typing import Any

import torch


def fuse_layers(model: Any) -> None:
    """Compile each layer of a transformer in place, with dynamic shapes.

    Compiling the whole model would gain little and take minutes. Code that cannot be compiled
    runs as it is.
    """
    torch._dynamo.config.suppress_errors = True
    # Each layer is compiled with and without a mask, which exceeds the default limit.
    torch._dynamo.config.recompile_limit = 64
    for layer in model.base_model.encoder.layer:
        layer.forward = torch.compile(layer.forward, dynamic=True)
