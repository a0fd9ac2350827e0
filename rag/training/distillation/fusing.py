"""Fewer and larger steps on a GPU: a transformer's layers, compiled."""

from typing import Any

import torch


def fuse_layers(model: Any) -> None:
    """Compile the computation of a transformer's layers, once for all and every shape, in place.

    The whole model at once would be faster by little and compile for minutes. What cannot be
    compiled is computed as written.
    """
    torch._dynamo.config.suppress_errors = True
    # Each layer once with a mask and once without: more than are compiled unless told.
    torch._dynamo.config.recompile_limit = 64
    for layer in model.base_model.encoder.layer:
        layer.forward = torch.compile(layer.forward, dynamic=True)
