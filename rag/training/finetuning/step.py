"""One optimizer step: the loss, the gradient and the update."""

from typing import Any

import torch
from torch.nn import Module
from transformers import PreTrainedModel

from citewire.rag.training.finetuning.config import Config
from citewire.rag.training.finetuning.mix import Batch

# Gradients are clipped to this L2 norm.
LARGEST_GRADIENT_NORM = 1.0
# Target of a window without a label, which the cross entropy ignores (torch's `ignore_index`).
IGNORED = -100


def build_optimizer(model: PreTrainedModel, config: Config) -> torch.optim.AdamW:
    """Build AdamW over the model's parameters with the config's rate and weight decay."""
    return torch.optim.AdamW(
        group_parameters(model, config.weight_decay), lr=config.learning_rate, fused=True
    )


def group_parameters(model: Module, decay: float) -> list[dict[str, Any]]:
    """Group parameters for AdamW: weight decay for matrices, none for biases and norms."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": decay},
        {"params": [p for p in trained if p.ndim <= 1], "weight_decay": 0.0},
    ]


def take_step(
    model: PreTrainedModel,
    optimizer: torch.optim.Optimizer,
    batch: Batch,
    rate: float,
    *,
    bf16: bool,
) -> float:
    """Update the model on one batch; return the loss before the update."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    with torch.autocast(batch.mask.device.type, dtype=torch.bfloat16, enabled=bf16):
        output = model(
            input_ids=batch.token_ids, token_type_ids=batch.type_ids, attention_mask=batch.mask
        )
    loss = compute_span_loss(output.start_logits, output.end_logits, batch)
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT_NORM)
    optimizer.step()
    return loss.item()


def compute_span_loss(
    start_logits: torch.Tensor, end_logits: torch.Tensor, batch: Batch
) -> torch.Tensor:
    """Mean cross entropy of start and end over labelled windows (Devlin 2019).

    Logits have shape (windows, tokens); padding gets probability 0.
    """
    padding = batch.mask == 0
    labelled = (batch.starts != IGNORED).sum().clamp(min=1)
    loss = torch.zeros((), device=start_logits.device)
    for logits, targets in ((start_logits, batch.starts), (end_logits, batch.ends)):
        open_logits = logits.float().masked_fill(padding, -torch.inf)
        loss = loss + torch.nn.functional.cross_entropy(
            open_logits, targets, ignore_index=IGNORED, reduction="sum"
        )
    return loss / labelled / 2
