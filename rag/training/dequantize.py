"""Dequantise a shipped reader into trainable weights.

    python -m citewire.rag.training.dequantize READER OUT

Only the int8 network is kept; a further fine-tuning can start from it, since the rounding error of
the weights is small compared with the changes that training makes.
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

# Suffix of quantised tensors, and prefix of the network's modules, in the exported graph.
QUANTIZED = "_quantized"
MODULE = "model."


def read_weights(network: onnx.ModelProto) -> dict[str, npt.NDArray[np.float32]]:
    """Return all weights of an exported int8 reader in fp32, by their Hugging Face names.

    Matrices of `MatMulInteger` nodes have no names of their own; the node's name contains the
    module's: `/model/bert/encoder/layer.0/output/dense/MatMul_quant`.
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
            weights[plain.removeprefix(MODULE)] = dequantize_tensor(stored, plain)
    for node in network.graph.node:
        if node.op_type == "MatMulInteger":
            module = ".".join(node.name.strip("/").split("/")[1:-1])
            matrix = dequantize_tensor(stored, node.input[1].removesuffix(QUANTIZED))
            weights[f"{module}.weight"] = np.ascontiguousarray(matrix.T)
    return weights


def dequantize_tensor(
    stored: dict[str, npt.NDArray[np.generic]], name: str
) -> npt.NDArray[np.float32]:
    """Dequantise an int8 tensor to fp32: (value - zero point) · scale, by column."""
    quantized = stored[name + QUANTIZED].astype(np.float32)
    zero = stored[name + "_zero_point"].astype(np.float32)
    scale = stored[name + "_scale"].astype(np.float32)
    values: npt.NDArray[np.float32] = (quantized - zero) * scale
    return values


def list_weight_names(reader: Path) -> set[str]:
    """Return the names of all weights of a reader with this configuration."""
    config = AutoConfig.from_pretrained(reader)
    model = AutoModelForQuestionAnswering.from_config(config)  # type: ignore[no-untyped-call]
    return set(model.state_dict())


def main() -> None:
    """Write the weights, with configuration and tokenizer of the reader."""
    parser = argparse.ArgumentParser(
        description="Dequantise a shipped reader into trainable weights."
    )
    parser.add_argument("reader", type=Path, help="folder with model_int8.onnx and config.json")
    parser.add_argument("out", type=Path, help="folder for the model, Hugging Face layout")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    weights = read_weights(onnx.load(arguments.reader / ONNX_FILE))
    missing = sorted(list_weight_names(arguments.reader) - weights.keys())
    if missing:
        raise SystemExit(f"{arguments.reader / ONNX_FILE}: holds no {', '.join(missing)}")
    save_file(weights, arguments.out / "model.safetensors", metadata={"format": "pt"})
    copy_existing(MODEL_FILES, arguments.reader, arguments.out)


if __name__ == "__main__":
    main()
