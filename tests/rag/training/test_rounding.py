"""Quantisation-aware training computes as the shipped int8 network does."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from transformers import AutoModelForQuestionAnswering

from citewire.rag.models.model_files import ONNX_FILE
from citewire.rag.training.dequantize import read_weights
from citewire.rag.training.rounding import (
    RoundedLinear,
    round_input,
    round_matrices,
    round_weight,
)


@pytest.fixture
def shipped(start: Path, tmp_path: Path) -> Path:
    target = tmp_path / "shipped"
    target.mkdir()
    command = [
        sys.executable,
        "-m",
        "citewire.rag.models.onnx_export",
        "reader",
        str(start),
        str(target),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return target


def test_rounded_matrices_compute_as_the_shipped_network(start: Path, shipped: Path) -> None:
    model = AutoModelForQuestionAnswering.from_pretrained(start, dtype=torch.float32).eval()
    # Rounded weights, since the file's embedding is rounded as well, and only matrices are tested.
    stored = read_weights(onnx.load(shipped / ONNX_FILE))
    tensors = {name: torch.from_numpy(array) for name, array in stored.items()}
    # Not strict: equal vectors of zeros or ones are stored once, under one of their names.
    model.load_state_dict(tensors, strict=False)
    ids = torch.tensor([[2, 7, 9, 30, 3, 12, 41, 8, 22, 5, 3]])
    inputs = {
        "input_ids": ids,
        "attention_mask": torch.ones_like(ids),
        "token_type_ids": (torch.arange(11) > 4).long()[None],
    }
    session = onnxruntime.InferenceSession(str(shipped / ONNX_FILE))
    start_logits, *_ = session.run(None, {name: t.numpy() for name, t in inputs.items()})
    with torch.no_grad():
        exact = model(**inputs).start_logits.numpy()
        round_matrices(model)
        rounded = model(**inputs).start_logits.numpy()
    assert np.abs(rounded - start_logits).max() < 0.1 * np.abs(exact - start_logits).max()


def test_rounding_lets_gradients_through_and_keeps_parameters() -> None:
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(8, 4), torch.nn.Linear(4, 2))
    names = [name for name, _ in model.named_parameters()]
    round_matrices(model)
    assert all(type(layer) is RoundedLinear for layer in model)
    assert [name for name, _ in model.named_parameters()] == names
    states = torch.randn(3, 5, 8, requires_grad=True)
    model(states).sum().backward()
    assert states.grad.abs().sum() > 0
    assert all(parameter.grad.abs().sum() > 0 for parameter in model.parameters())


def test_rounded_values_are_few() -> None:
    torch.manual_seed(0)
    weight = torch.randn(4, 600)
    assert all(len(row.unique()) <= 129 for row in round_weight(weight))
    states = torch.randn(2, 40, 50)
    assert all(len(window.unique()) <= 256 for window in round_input(states))
    assert (round_input(torch.zeros(1, 2, 3)) == 0).all()
