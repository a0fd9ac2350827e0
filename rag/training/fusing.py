"""Fewer and larger steps on a GPU: a transformer's layers, compiled."""

import torch
from transformers import PreTrainedModel


def fuse_layers(model: PreTrainedModel) -> None:
    """Compile the layers' computation, once for all layers and shapes, in place.

    The whole model at once would be faster by little and compile for minutes. What cannot be
    compiled is computed as written.
    """
    torch._dynamo.config.suppress_errors = True
    for layer in model.base_model.encoder.layer:
        layer.forward = torch.compile(layer.forward, dynamic=True)
