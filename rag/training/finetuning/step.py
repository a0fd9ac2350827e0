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
# Logits by which an answered window should lead its twin; at this lead the loss is log 2.
TWIN_MARGIN = 2.0
# Logit of padding, which has no share in a distribution.
PADDING_LOGIT = -1e4


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
    model: PreTrainedModel, optimizer: torch.optim.Optimizer, loss: torch.Tensor, rate: float
) -> float:
    """Update the model by the gradient of the loss; return the loss."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(model.parameters(), LARGEST_GRADIENT_NORM)
    optimizer.step()
    return loss.item()


def compute_loss(
    model: PreTrainedModel, batch: Batch, config: Config, anchor: PreTrainedModel | None
) -> torch.Tensor:
    """Compute the loss of a batch: of its spans, its twins, and the windows that are anchored.

    `anchor` is the start model that anchored windows are held to; None where none is.
    """
    starts, ends = compute_logits(model, batch, config.bf16)
    loss = compute_span_loss(starts, ends, batch)
    if config.twin_weight and len(batch.twins):
        loss = loss + config.twin_weight * compute_twin_loss(starts, ends, batch)
    if anchor is not None and len(batch.anchored):
        held = select_rows(batch, batch.anchored)
        with torch.no_grad():
            told = compute_logits(anchor, held, config.bf16)
        divergence = compute_divergence((starts[batch.anchored], ends[batch.anchored]), told, held)
        loss = loss + config.anchor_weight * divergence * len(held) / len(batch)
    return loss


def compute_logits(
    model: PreTrainedModel, batch: Batch, bf16: bool
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the logits of start and end in fp32, each of shape (windows, tokens)."""
    with torch.autocast(batch.mask.device.type, dtype=torch.bfloat16, enabled=bf16):
        output = model(
            input_ids=batch.token_ids, token_type_ids=batch.type_ids, attention_mask=batch.mask
        )
    return output.start_logits.float(), output.end_logits.float()


def select_rows(batch: Batch, rows: torch.Tensor) -> Batch:
    """Return a batch of these rows, without twins and anchored ones of its own."""
    return Batch(
        batch.token_ids[rows],
        batch.type_ids[rows],
        batch.mask[rows],
        batch.starts[rows],
        batch.ends[rows],
    )


def compute_twin_loss(
    start_logits: torch.Tensor, end_logits: torch.Tensor, batch: Batch
) -> torch.Tensor:
    """Mean logistic loss of the answered window's margin over its twin's.

    An answered window's margin is its answer's; a twin's is that of all spans together: the
    log-sum-exp over the passage with its closing [SEP], less the logit of [CLS]. Both are in
    logits, start and end added.
    """
    rows = torch.arange(len(batch), device=start_logits.device)
    outside = (batch.type_ids == 0) | (batch.mask == 0)
    right = torch.zeros(len(batch), device=start_logits.device)
    wrong = torch.zeros_like(right)
    for logits, targets in ((start_logits, batch.starts), (end_logits, batch.ends)):
        right = right + logits[rows, targets.clamp(min=0)] - logits[:, 0]
        wrong = wrong + logits.masked_fill(outside, -torch.inf).logsumexp(1) - logits[:, 0]
    answered, silent = batch.twins[:, 0], batch.twins[:, 1]
    return torch.nn.functional.softplus(wrong[silent] - right[answered] + TWIN_MARGIN).mean()


def compute_divergence(
    logits: tuple[torch.Tensor, torch.Tensor],
    targets: tuple[torch.Tensor, torch.Tensor],
    batch: Batch,
) -> torch.Tensor:
    """Mean divergence (KL, in nats) of start and end from what the targets give each token."""
    padding = batch.mask == 0
    loss = torch.zeros((), device=batch.mask.device)
    for own, told in zip(logits, targets, strict=True):
        # A large finite value: minus infinity on both sides would give no number.
        own_log = own.masked_fill(padding, PADDING_LOGIT).log_softmax(1)
        told_log = told.masked_fill(padding, PADDING_LOGIT).log_softmax(1)
        loss = loss + torch.nn.functional.kl_div(
            own_log, told_log, log_target=True, reduction="batchmean"
        )
    return loss / 2


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
