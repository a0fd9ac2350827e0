"""A larger model that reads what the student reads: the same word pieces, at the same places."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import AutoModelForQuestionAnswering, PreTrainedModel
from transformers.models.mpnet.modeling_mpnet import MPNetSelfAttention

# Stands for minus infinity where half precision would overflow.
CLOSED = -1e4
# The special tokens of the student, and what the teacher's configuration calls its own.
SPECIAL = {"[PAD]": "pad_token_id", "[CLS]": "bos_token_id", "[SEP]": "eos_token_id"}


class Teacher(torch.nn.Module):
    """A question-answering model behind the student's vocabulary; it knows no token types."""

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
    """MPNet's attention in one kernel; the position bias is a mask."""

    def forward(
        self,
        hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        position_bias: torch.Tensor | None = None,
        output_attentions: bool = False,  # noqa: ARG002 - one kernel has none to show
        **_: Any,
    ) -> tuple[torch.Tensor]:
        """Attend; states have shape (windows, tokens, width), and are the only element."""
        shape = (*hidden_states.shape[:-1], -1, self.attention_head_size)
        query, key, value = (
            project(hidden_states).view(shape).transpose(1, 2)
            for project in (self.q, self.k, self.v)
        )
        assert position_bias is not None
        # There is no mask where no window is padded, and the bias is then the same for all.
        mask = position_bias[:1] if attention_mask is None else position_bias + attention_mask
        attended = functional.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=mask.clamp(min=CLOSED).to(query.dtype),
            dropout_p=self.dropout.p if self.training else 0.0,
        )
        return (self.o(attended.transpose(1, 2).flatten(2)),)


def load_teacher(
    folder: Path, student_tokenizer: Path, *, attention_dropout: float, hidden_dropout: float
) -> Teacher:
    """Load a model of Hugging Face layout, with a new head where it has none.

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
    return Teacher(model, piece_ids(student_tokenizer, folder, model.config))


def piece_ids(student_tokenizer: Path, teacher: Path, config: Any) -> torch.Tensor:
    """The teacher's id of each of the student's word pieces, shape (the student's vocabulary,)."""
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
