"""Get trainable weights back from a shipped reader.

    python -m citewire.rag.training.dequantize READER OUT

The int8 network is what a repository keeps; a further fine-tuning can start from it, since what
rounding took from the weights is little beside what training changes.
"""

import argparse
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file
from transformers import AutoConfig, AutoModelForQuestionAnswering

from citewire.rag.models.model_files import ONNX_FILE
from citewire.rag.training.train import MODEL_FILES, copy_existing

QUANTIZED = "_quantized"
MODULE = "model."  # what the exported graph calls the network inside it


def weights_of(network: onnx.ModelProto) -> dict[str, npt.NDArray[np.float32]]:
    """All weights of an exported int8 reader, under their Hugging Face names, in fp32.

    Matrices of `MatMulInteger` nodes carry no name of their own; the node's says which they are:
    `/model/bert/encoder/layer.0/output/dense/MatMul_quant`.
    """
    stored = {t.name: numpy_helper.to_array(t) for t in network.graph.initializer}
    weights = {
        name.removeprefix(MODULE): array.astype(np.float32)
        for name, array in stored.items()
        if name.startswith(MODULE) and array.dtype == np.float32 and not name.endswith("_scale")
    }
    for name in stored:
        if name.startswith(MODULE) and name.endswith(QUANTIZED):
            plain = name.removesuffix(QUANTIZED)
            weights[plain.removeprefix(MODULE)] = dequantized(stored, plain)
    for node in network.graph.node:
        if node.op_type == "MatMulInteger":
            module = ".".join(node.name.strip("/").split("/")[1:-1])
            matrix = dequantized(stored, node.input[1].removesuffix(QUANTIZED))
            weights[f"{module}.weight"] = np.ascontiguousarray(matrix.T)
    return weights


def dequantized(stored: dict[str, npt.NDArray[np.generic]], name: str) -> npt.NDArray[np.float32]:
    """The fp32 tensor behind an int8 one: scale times distance from the zero point, by column."""
    quantized = stored[name + QUANTIZED].astype(np.float32)
    zero = stored[name + "_zero_point"].astype(np.float32)
    scale = stored[name + "_scale"].astype(np.float32)
    values: npt.NDArray[np.float32] = (quantized - zero) * scale
    return values


def expected_names(reader: Path) -> set[str]:
    """The names of the weights that a reader of this configuration has."""
    config = AutoConfig.from_pretrained(reader)
    model = AutoModelForQuestionAnswering.from_config(config)  # type: ignore[no-untyped-call]
    return set(model.state_dict())


def main() -> None:
    """Write the weights beside the reader's configuration and tokenizer."""
    parser = argparse.ArgumentParser(description="Get trainable weights from a shipped reader.")
    parser.add_argument("reader", type=Path, help="folder with model_int8.onnx and config.json")
    parser.add_argument("out", type=Path, help="folder for the model, Hugging Face layout")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    weights = weights_of(onnx.load(arguments.reader / ONNX_FILE))
    missing = sorted(expected_names(arguments.reader) - weights.keys())
    if missing:
        raise SystemExit(f"{arguments.reader / ONNX_FILE}: holds no {', '.join(missing)}")
    save_file(weights, arguments.out / "model.safetensors", metadata={"format": "pt"})
    copy_existing(MODEL_FILES, arguments.reader, arguments.out)


if __name__ == "__main__":
    main()
