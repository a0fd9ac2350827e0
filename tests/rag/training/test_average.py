"""The average of two fine-tunings of one model."""

import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForQuestionAnswering

from citewire.rag.training import average


def run(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> None:
    monkeypatch.setattr(sys, "argv", ["program", *map(str, arguments)])
    average.main()


@pytest.fixture
def moved(start: Path, tmp_path: Path) -> Path:
    """The starting model with every weight raised by 4."""
    out = tmp_path / "moved"
    out.mkdir()
    tensors = {name: t + 4 for name, t in load_file(start / "model.safetensors").items()}
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    for name in ("config.json", "tokenizer.json"):
        (out / name).write_bytes((start / name).read_bytes())
    return out


def test_the_average_is_between_the_two_and_loads(
    start: Path, moved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(monkeypatch, start, moved, tmp_path / "out", "--share", "0.25")
    first = AutoModelForQuestionAnswering.from_pretrained(start).qa_outputs.weight
    between = AutoModelForQuestionAnswering.from_pretrained(tmp_path / "out").qa_outputs.weight
    assert torch.allclose(between - first, torch.tensor(3.0), atol=1e-6)
    assert (tmp_path / "out" / "tokenizer.json").exists()


def test_models_of_other_shapes_are_refused_by_name(
    start: Path, moved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tensors = load_file(moved / "model.safetensors")
    tensors["qa_outputs.bias"] = torch.zeros(3)
    save_file(tensors, moved / "model.safetensors")
    with pytest.raises(SystemExit, match=r"qa_outputs\.bias"):
        run(monkeypatch, start, moved, tmp_path / "out")
    with pytest.raises(SystemExit):
        run(monkeypatch, start, moved, tmp_path / "out", "--share", "2")
