import json
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForQuestionAnswering

from citewire.rag.training import train
from citewire.rag.training.finetuning.config import Config, QuestionSource, read_config
from citewire.rag.training.finetuning.mix import Batch, Position, read_mix
from citewire.rag.training.finetuning.run import Run
from citewire.rag.training.finetuning.schedule import Cooldown, compute_learning_rate
from citewire.rag.training.finetuning.step import (
    compute_divergence,
    compute_span_loss,
    compute_twin_loss,
)
from citewire.rag.training.train import load_model

CONFIGS = sorted(Path(train.__file__).parent.glob("finetuning/configs/*.toml"))


@pytest.fixture
def new_run(
    start: Path, data: Path, tokenizer: Tokenizer, tmp_path: Path
) -> Callable[[Config, str], Run]:
    def build(config: Config, name: str) -> Run:
        (tmp_path / name).mkdir(exist_ok=True)
        torch.manual_seed(config.seed)
        return Run(
            config, load_model(start, config), read_mix(config, data, tokenizer), tmp_path / name
        )

    return build


def weights(run: Run) -> list[torch.Tensor]:
    return [parameter.detach().clone() for parameter in run.model.parameters()]


def train_until(run: Run, step: int) -> None:
    """Ask the run to stop after the step, as SIGTERM would in the middle of it."""
    draw_batches = run.mix.draw_batches

    def draw_until_stop(position: Position) -> Iterator[tuple[Batch, Position]]:
        for batch, following in draw_batches(position):
            if run.progress.step == step - 1:
                run.request_stop()
            yield batch, following

    run.mix.draw_batches = draw_until_stop
    run.train()


def test_run_with_twins_and_an_anchor_resumes_as_well(
    new_run: Callable, with_changes: Callable
) -> None:
    source = QuestionSource(("town",), 1, deleted_share=0.3, anchored=True)
    config = with_changes(
        sources=(source,),
        anchor_weight=1.0,
        twin_weight=0.5,
        rounded_weights=True,
        vary_forms=True,
        header_share=0.5,
        cropped_share=0.5,
    )
    test_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(new_run, config, cut_at=4)


@pytest.mark.parametrize("cut_at", [1, 4, 7], ids=["warm-up", "stable", "cool-down"])
def test_resumed_run_ends_with_the_weights_of_an_uninterrupted_one(
    new_run: Callable, config: Config, cut_at: int
) -> None:
    whole = new_run(config, "whole")
    assert whole.train()
    first = new_run(config, "parts")
    train_until(first, cut_at)
    second = new_run(config, "parts")
    second.resume(first.checkpoint)
    assert (second.progress.step, second.train()) == (cut_at, True)
    assert second.progress.questions == whole.progress.questions
    assert all(torch.equal(a, b) for a, b in zip(weights(second), weights(whole), strict=True))


def test_cooldown_takes_its_share_and_keeps_the_stable_state(
    new_run: Callable, config: Config
) -> None:
    run = new_run(config, "run")
    run.train()
    assert run.progress.cooldown == Cooldown(start=6, steps=2)
    stable = new_run(config, "other")
    stable.resume(run.out / "stable.pt")
    assert (stable.progress.step, stable.progress.cooldown) == (6, None)


def test_minutes_end_the_stable_phase_before_its_steps(
    new_run: Callable, with_changes: Callable
) -> None:
    run = new_run(with_changes(stable_steps=1_000_000, stable_minutes=0.001), "run")
    run.train()
    assert run.progress.seconds >= 0.06
    assert run.progress.cooldown.start < 1_000


def test_rate_warms_up_stays_and_cools_down_to_zero(with_changes: Callable) -> None:
    config = with_changes(learning_rate=1.0, warmup_steps=2)
    rates = [compute_learning_rate(config, step, Cooldown(start=4, steps=4)) for step in range(8)]
    assert rates == [0.5, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]


def test_cooldown_is_its_share_of_all_steps() -> None:
    assert Cooldown.from_share(300, 0.25) == Cooldown(start=300, steps=100)


def test_certain_and_right_logits_have_no_loss_even_with_padding() -> None:
    ones = torch.ones(1, 4, dtype=torch.long)
    mask = torch.tensor([[1, 1, 1, 0]])
    batch = Batch(ones, ones, mask, starts=torch.tensor([1]), ends=torch.tensor([2]))
    starts, ends = torch.tensor([[0.0, 90.0, 0.0, 200.0]]), torch.tensor([[0.0, 0.0, 90.0, 200.0]])
    assert compute_span_loss(starts, ends, batch).item() == pytest.approx(0.0)


def test_twin_loss_falls_as_the_answered_window_leads() -> None:
    ids = torch.ones(2, 4, dtype=torch.long)
    types = torch.tensor([[0, 1, 1, 1], [0, 1, 1, 1]])
    batch = Batch(
        ids,
        types,
        ids,
        starts=torch.tensor([2, 0]),
        ends=torch.tensor([2, 0]),
        twins=torch.tensor([[0, 1]]),
    )
    silent = torch.tensor([9.0, 0.0, 0.0, 0.0])

    def loss(lead: float) -> float:
        logits = torch.stack([torch.tensor([0.0, 0.0, lead, 0.0]), silent])
        return compute_twin_loss(logits, logits, batch).item()

    assert loss(9.0) < loss(0.0) < loss(-9.0)
    assert loss(30.0) == pytest.approx(0.0, abs=1e-6)


def test_divergence_from_itself_is_nothing() -> None:
    ids = torch.ones(1, 4, dtype=torch.long)
    mask = torch.tensor([[1, 1, 1, 0]])
    batch = Batch(ids, ids, mask, starts=torch.tensor([1]), ends=torch.tensor([2]))
    # Padding has no share, whatever its logits.
    own, other = torch.tensor([[0.0, 0.0, 0.0, 9.0]]), torch.tensor([[5.0, 0.0, 0.0, 70.0]])
    assert compute_divergence((own, own), (own, own), batch).item() == pytest.approx(0.0)
    # From a certain target, log 3 is lost; the other way round it would be far more.
    sure = torch.tensor([[50.0, 0.0, 0.0, 0.0]])
    lost = compute_divergence((own, own), (sure, sure), batch).item()
    assert lost == pytest.approx(math.log(3))
    assert compute_divergence((sure, sure), (own, own), batch).item() > 30
    assert compute_divergence((own, own), (other, other), batch).item() > 0.1


def test_anchored_windows_hold_the_reader_to_its_start(
    new_run: Callable, with_changes: Callable
) -> None:
    source = QuestionSource(("town",), 1, anchored=True)

    def moved(anchor_weight: float) -> float:
        config = with_changes(
            sources=(replace(source, anchored=anchor_weight > 0),),
            anchor_weight=anchor_weight,
            hidden_dropout=0.0,
            attention_dropout=0.0,
        )
        run = new_run(config, f"anchored-{anchor_weight}")
        before = weights(run)
        run.train()
        return sum((a - b).norm().item() for a, b in zip(before, weights(run), strict=True))

    assert moved(1000.0) < moved(0.0)


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_is_readable(path: Path) -> None:
    assert read_config(path).sources


def test_unknown_key_in_a_config_is_named(config: Config, tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text(f"learning_rat = 1\n{format_toml(config)}")
    with pytest.raises(TypeError, match="learning_rat'"):
        read_config(tmp_path / "run.toml")


def format_toml(config: Config) -> str:
    names = [name for name in config.__dataclass_fields__ if name != "sources"]
    lines = [f"{name} = {json.dumps(getattr(config, name))}" for name in names]
    return "\n".join([*lines, "[[source]]", 'files = ["town"]', "weight = 1"])


def test_command_cools_down_and_writes_a_reader(
    config: Config,
    start: Path,
    data: Path,
    tmp_path: Path,
    new_run: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = new_run(config, "run")
    train_until(run, 3)
    (tmp_path / "run.toml").write_text(format_toml(config))
    folders = ["--data", str(data), "--start", str(start), "--out", str(run.out)]
    command = [
        "train",
        str(tmp_path / "run.toml"),
        *folders,
        "--cooldown-now",
        "--cooldown-steps",
        "2",
    ]
    monkeypatch.setattr(sys, "argv", command)
    train.main()
    run.resume(run.checkpoint)
    written = AutoModelForQuestionAnswering.from_pretrained(run.out / "model", dtype=torch.float16)
    assert run.progress.cooldown == Cooldown(start=3, steps=2)
    assert all(
        torch.equal(a.half(), b) for a, b in zip(weights(run), written.parameters(), strict=True)
    )


def test_second_run_in_the_same_folder_is_refused(tmp_path: Path) -> None:
    with train.lock(tmp_path), pytest.raises(SystemExit, match="another run writes here"):
        train.lock(tmp_path)
