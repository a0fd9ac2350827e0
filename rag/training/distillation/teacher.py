"""The teacher: a larger model that takes the student's token ids, so that their logits align."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import AutoModelForQuestionAnswering, PreTrainedModel
from transformers.models.mpnet.modeling_mpnet import MPNetSelfAttention

# Logit of a masked place: finite, since minus infinity gives NaN, and half precision can hold it.
MASKED_LOGIT = -1e4
# Special tokens of the student, and the fields of the teacher's configuration that name its own.
SPECIAL = {"[PAD]": "pad_token_id", "[CLS]": "bos_token_id", "[SEP]": "eos_token_id"}


class Teacher(torch.nn.Module):
    """A question-answering model that takes ids of the student's vocabulary and no token types."""

    def __init__(self, model: PreTrainedModel, pieces: torch.Tensor) -> None:
        super().__init__()
        self.model = model
        self.pieces: torch.Tensor
        self.register_buffer("pieces", pieces, persistent=False)

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor | None,
        output_hidden_states: bool = False,
        **_: torch.Tensor,
    ) -> Any:
        """Return the model's output; the mask, if any, has shape (windows, 1, 1, tokens)."""
        return self.model(
            input_ids=self.pieces[input_ids],
            attention_mask=None if attention_mask is None else attention_mask[:, 0, 0].long(),
            output_hidden_states=output_hidden_states,
        )


class FusedAttention(MPNetSelfAttention):
    """MPNet's attention as fused scaled dot-product attention; the position bias is its mask."""

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_bias: torch.Tensor | None = None,
        output_attentions: bool = False,  # noqa: ARG002 - the fused kernel returns none
        **_: Any,
    ) -> tuple[torch.Tensor]:
        """Return the attended states, of shape (windows, tokens, width), as the only element."""
        shape = (*hidden_states.shape[:-1], -1, self.attention_head_size)
        query, key, value = (
            project(hidden_states).view(shape).transpose(1, 2)
            for project in (self.q, self.k, self.v)
        )
        if position_bias is None:
            raise ValueError("the fused attention needs the layer's position bias")
        # Without padding there is no mask, and the bias is the same for all windows.
        mask = position_bias[:1] if attention_mask is None else position_bias + attention_mask
        attended = functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=mask.clamp(min=MASKED_LOGIT).to(query.dtype),
            dropout_p=self.dropout.p if self.training else 0.0,
        )
        return (self.o(attended.transpose(1, 2).flatten(2)),)


def load_teacher(
    folder: Path, student_tokenizer: Path, *, attention_dropout: float, hidden_dropout: float
) -> Teacher:
    """Load a model in Hugging Face layout; without a question-answering head it gets a new one.

    Raises:
        SystemExit: its vocabulary lacks word pieces of the student's.
    """
    model = AutoModelForQuestionAnswering.from_pretrained(
        folder,
        dtype=torch.float32,
        attention_probs_dropout_prob=attention_dropout,
        hidden_dropout_prob=hidden_dropout,
    )
    if model.config.model_type == "mpnet":
        model.mpnet.encoder.relative_attention_bias.requires_grad_(requires_grad=False)
        for layer in model.mpnet.encoder.layer:
            layer.attention.attn.__class__ = FusedAttention
    return Teacher(model, map_pieces(student_tokenizer, folder, model.config))


def map_pieces(student_tokenizer: Path, teacher: Path, config: Any) -> torch.Tensor:
    """Map each id of the student's word pieces to the teacher's, shape (student's vocabulary,).

    Raises:
        SystemExit: the teacher's vocabulary lacks a piece.
    """
    own = Tokenizer.from_file(str(student_tokenizer)).get_vocab()
    other = Tokenizer.from_file(str(teacher / "tokenizer.json")).get_vocab()
    missing = sorted(own.keys() - other.keys() - SPECIAL.keys())
    if missing:
        raise SystemExit(
            f"{teacher}: cannot teach this student, its vocabulary lacks {len(missing)} word"
            f" pieces, {missing[0]!r} among them"
        )
    ids = torch.zeros(max(own.values()) + 1, dtype=torch.long)
    for piece, number in own.items():
        ids[number] = getattr(config, SPECIAL[piece]) if piece in SPECIAL else other[piece]
    return ids
