import shutil
import sys
import warnings
from pathlib import Path

import pytest
import torch
from safetensors.numpy import load_file
from transformers import AutoModelForQuestionAnswering

from citewire.rag.models import onnx_export
from citewire.rag.training import dequantize


@pytest.fixture
def trained(start: Path, tmp_path: Path) -> Path:
    """The reader after a training, which makes all its biases and norms different."""
    model = AutoModelForQuestionAnswering.from_pretrained(start)
    torch.manual_seed(1)
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    model.save_pretrained(tmp_path / "trained")
    shutil.copyfile(start / "tokenizer.json", tmp_path / "trained" / "tokenizer.json")
    return tmp_path / "trained"


def export(source: Path, target: Path) -> None:
    target.mkdir()
    # In this process: a process of its own would import torch again.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        onnx_export.main("reader", source, target)


def test_exported_weights_come_back_within_a_rounding_step(
    trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped, back = tmp_path / "shipped", tmp_path / "back"
    export(trained, shipped)
    monkeypatch.setattr(sys, "argv", ["dequantize", str(shipped), str(back)])
    dequantize.main()

    original = load_file(trained / "model.safetensors")
    returned = load_file(back / "model.safetensors")
    assert returned.keys() == original.keys()
    for name, weights in original.items():
        # 64 steps from 0 to the largest weight.
        step = abs(weights).max() / 63
        assert abs(returned[name] - weights).max() <= step, name
    assert AutoModelForQuestionAnswering.from_pretrained(back).num_parameters() > 0
    assert (back / "tokenizer.json").exists()


def test_network_whose_weights_are_shared_is_refused_by_name(
    start: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = tmp_path / "shipped"
    export(start, shipped)
    monkeypatch.setattr(sys, "argv", ["dequantize", str(shipped), str(tmp_path / "back")])

    # Before any training all norms are ones, and the export stores them once.
    with pytest.raises(SystemExit, match=r"holds no .*LayerNorm"):
        dequantize.main()
