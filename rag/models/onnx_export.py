"""Export a PyTorch encoder or reader to one int8 ONNX file; run as a program, in its own process.

Usage: `python -m citewire.rag.models.onnx_export encoder|reader SOURCE TARGET`. This is the only
module outside training that imports torch.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import torch
from onnxruntime.quantization import QuantType, quantize_dynamic

from citewire.index.system.files import sha256
from citewire.rag.models.model_files import (
    MANIFEST_FILE,
    ONNX_FILE,
    TOKENIZER_FILE,
    Kind,
    hash_sources,
)

# Version of the ONNX operator set.
OPSET = 17


class EncoderGraph(torch.nn.Module):
    """A sentence-transformers model as a function of token ids."""

    def __init__(self, source: Path) -> None:
        super().__init__()
        # Imported here, since it takes seconds and the export of a reader does not need it.
        from sentence_transformers import SentenceTransformer

        self.model = SentenceTransformer(
            str(source), device="cpu", model_kwargs={"attn_implementation": "eager"}
        ).eval()

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
        """Return one unit vector a text, shape (batch, dimension)."""
        features = {"input_ids": input_ids, "attention_mask": attention_mask}
        return torch.nn.functional.normalize(self.model(features)["sentence_embedding"])


class ReaderGraph(torch.nn.Module):
    """A question-answering model as a function of token ids and, where it has them, token types."""

    def __init__(self, source: Path) -> None:
        super().__init__()
        from transformers import AutoModelForQuestionAnswering

        self.model = AutoModelForQuestionAnswering.from_pretrained(
            source, attn_implementation="eager", dtype=torch.float32
        ).eval()

    def forward(
        self,
        input_ids: torch.Tensor,
        attention_mask: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return start and end logits, (batch, tokens) each, and [CLS] vectors, (batch, width)."""
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        output = self.model(
            input_ids=input_ids, attention_mask=attention_mask, output_hidden_states=True, **types
        )
        return output.start_logits, output.end_logits, output.hidden_states[-1][:, 0]


def export_encoder(source: Path, target: Path) -> dict[str, object]:
    """Write the encoder's network and tokenizer; return its manifest's facts."""
    graph = EncoderGraph(source)
    write_int8(graph, target, ["input_ids", "attention_mask"], ["vector"])
    graph.model.tokenizer.backend_tokenizer.save(str(target / TOKENIZER_FILE))
    prompts = graph.model.prompts
    return {
        "dimension": graph.model.get_embedding_dimension(),
        "max_tokens": graph.model.max_seq_length,
        "question_prompt": prompts.get("query", ""),
        "passage_prompt": prompts.get("document", prompts.get("passage", "")),
    }


def export_reader(source: Path, target: Path) -> dict[str, object]:
    """Write the reader's network and tokenizer; return its manifest's facts."""
    from transformers import AutoTokenizer

    graph = ReaderGraph(source)
    inputs = ["input_ids", "attention_mask"]
    if getattr(graph.model.config, "type_vocab_size", 0) > 1:
        inputs.append("token_type_ids")
    write_int8(graph, target, inputs, ["start_logits", "end_logits", "first_state"])
    tokenizer = AutoTokenizer.from_pretrained(source)
    tokenizer.backend_tokenizer.save(str(target / TOKENIZER_FILE))
    shutil.copyfile(source / "config.json", target / "config.json")
    positions = int(graph.model.config.max_position_embeddings)
    return {
        "max_tokens": min(384, positions),
        # Written by our training; other readers are not trained on titles.
        "reads_titles": getattr(graph.model.config, "reads_titles", False) is True,
    }


def write_int8(graph: torch.nn.Module, target: Path, inputs: list[str], outputs: list[str]) -> None:
    """Trace the graph and write it with int8 weights, as a single file."""
    sample = torch.ones(2, 8, dtype=torch.long)
    axes = {name: {0: "batch", 1: "tokens"} for name in inputs}
    axes |= {
        name: {0: "batch"} if name in ("vector", "first_state") else axes[inputs[0]]
        for name in outputs
    }
    with tempfile.TemporaryDirectory(dir=target) as aside:
        exact = Path(aside) / "model.onnx"
        torch.onnx.export(
            graph,
            tuple(sample for _ in inputs),
            str(exact),
            input_names=inputs,
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=OPSET,
            # The newer exporter takes three times as long and writes a graph of equal speed.
            dynamo=False,
        )
        quantize_dynamic(
            exact,
            target / ONNX_FILE,
            weight_type=QuantType.QInt8,
            per_channel=True,
            # Seven bits: with eight, CPUs without VNNI overflow and give other answers.
            reduce_range=True,
        )


def main(kind: Kind, source: Path, target: Path) -> None:
    """Export and write the manifest last, so that a folder with one is complete."""
    facts = (export_encoder if kind == "encoder" else export_reader)(source, target)
    facts |= {
        "identity": f"{kind}:{hash_sources(source)}",
        "sha256": {file: sha256(target / file) for file in (ONNX_FILE, TOKENIZER_FILE)},
    }
    (target / MANIFEST_FILE).write_text(json.dumps(facts, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    main("encoder" if sys.argv[1] == "encoder" else "reader", Path(sys.argv[2]), Path(sys.argv[3]))
