"""A small teacher trains a small student, on questions small enough to read."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForQuestionAnswering

from citewire.rag.training import distill
from citewire.rag.training.distill import compute_distillation_loss
from citewire.rag.training.distillation.phase import Phase


def test_divergence_is_zero_between_equals_and_ignores_padding() -> None:
    mask = torch.tensor([[1, 1, 1, 0]])
    own_logits = torch.tensor([[[1.0, 2.0, 0.5, 9.0]], [[0.0, 1.0, 0.0, -9.0]]])
    same = own_logits.clone()
    same[..., 3] = 100.0
    assert float(compute_distillation_loss(own_logits, same, mask, 2.0)) == pytest.approx(
        0.0, abs=1e-6
    )
    assert float(compute_distillation_loss(own_logits, own_logits.flip(0), mask, 2.0)) > 0.01


def test_distillation_ends_with_a_reader_and_trains_no_teacher_twice(
    recipe: Path, pairs_file: Path, large: Path, start: Path, tmp_path: Path, run: Callable
) -> None:
    out = tmp_path / "out"
    arguments = (recipe, pairs_file, "--teacher", large, "--student", start, "--out", out)
    run(distill.main, *arguments)
    reader = AutoModelForQuestionAnswering.from_pretrained(out / "model", dtype=torch.float32)
    before = AutoModelForQuestionAnswering.from_pretrained(start, dtype=torch.float32)
    assert not torch.equal(reader.qa_outputs.weight, before.qa_outputs.weight)
    assert (out / "model" / "tokenizer.json").exists()
    records = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert [(r["phase"], r["step"] == r["steps"]) for r in records] == [
        ("teacher", True),
        ("student", True),
    ]
    taught = (out / "teacher" / "model.safetensors").read_bytes()
    run(distill.main, *arguments)
    assert (out / "teacher" / "model.safetensors").read_bytes() == taught
    assert [json.loads(x)["phase"] for x in (out / "log.jsonl").read_text().splitlines()][2:] == [
        "student"
    ]


def terminate_in_third_step(patch: pytest.MonkeyPatch) -> None:
    take = Phase._take_step

    def taken(phase: Phase, *given: object) -> torch.Tensor:
        if phase.name == "student" and phase.step == 2:
            signal.raise_signal(signal.SIGTERM)
        return take(phase, *given)

    patch.setattr(Phase, "_take_step", taken)


def reader_weights(folder: Path) -> list[torch.Tensor]:
    reader = AutoModelForQuestionAnswering.from_pretrained(folder, dtype=torch.float32)
    return list(reader.parameters())


def test_resumed_phase_ends_with_the_weights_of_an_uninterrupted_one(
    recipe: Path,
    pairs_file: Path,
    large: Path,
    start: Path,
    tmp_path: Path,
    run: Callable,
) -> None:
    models_from = (recipe, pairs_file, "--teacher", large, "--student", start, "--out")
    run(distill.main, *models_from, tmp_path / "whole")
    with pytest.MonkeyPatch.context() as patch:
        terminate_in_third_step(patch)
        with pytest.raises(SystemExit, match="stopped at step 3"):
            run(distill.main, *models_from, tmp_path / "parts")
    run(distill.main, *models_from, tmp_path / "parts")
    whole, parts = (
        reader_weights(tmp_path / "whole/model"),
        reader_weights(tmp_path / "parts/model"),
    )
    assert all(torch.equal(one, other) for one, other in zip(whole, parts, strict=True))
