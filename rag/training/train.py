"""Fine-tune an extractive reader: `python -m citewire.rag.training.train CONFIG.toml`.

The run keeps `checkpoint.pt` and `log.jsonl` in the output folder and goes on from the checkpoint
when started again; SIGTERM makes it write one and stop. `stable.pt` is the checkpoint before the
cool-down, `model/` the finished reader.
"""

import argparse
import fcntl
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO, cast

import torch
from transformers import AutoModelForQuestionAnswering, PreTrainedModel

from citewire.rag.training.finetuning.config import Config, read_config
from citewire.rag.training.finetuning.data import window_tokenizer
from citewire.rag.training.finetuning.mix import read_mix
from citewire.rag.training.finetuning.run import Run
from citewire.rag.training.finetuning.schedule import Cooldown, cooldown_from

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
# What a model in Hugging Face layout has besides its weights.
MODEL_FILES = ("config.json", *TOKENIZER_FILES)


def load_model(start: Path, config: Config) -> PreTrainedModel:
    """Load a BERT-like reader in fp32, with the config's dropout in place of its own."""
    model = AutoModelForQuestionAnswering.from_pretrained(
        start,
        dtype=torch.float32,
        attention_probs_dropout_prob=config.attention_dropout,
        hidden_dropout_prob=config.hidden_dropout,
    )
    return cast(PreTrainedModel, model)


def write_model(model: PreTrainedModel, start: Path, out: Path) -> None:
    """Write the reader in Hugging Face layout: fp16 weights, the start model's tokenizer."""
    aside = out.with_name(out.name + ".partial")
    model.to(torch.float16).save_pretrained(aside)  # type: ignore[arg-type]
    copy_existing(TOKENIZER_FILES, start, aside)
    shutil.rmtree(out, ignore_errors=True)
    aside.replace(out)


def copy_existing(names: Sequence[str], source: Path, target: Path) -> None:
    """Copy those of the files that the source folder has.

    A shipped reader has no tokenizer_config.json, and its tokenizer.json says all.
    """
    for name in names:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)


def lock(out: Path) -> TextIO:
    """Keep other runs out of the folder for as long as the returned file stays open."""
    file = (out / "lock").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise SystemExit(
            f"{out}: another run writes here; stop it first (SIGTERM), it saves its state"
        ) from error
    return file


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Fine-tune an extractive reader.")
    parser.add_argument("config", type=Path, help="the run's TOML file")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder of the config's NAME.json.gz files"
    )
    parser.add_argument(
        "--start", type=Path, required=True, help="model to start from, Hugging Face layout"
    )
    parser.add_argument(
        "--out", type=Path, required=True, help="folder for checkpoints, log and model"
    )
    parser.add_argument(
        "--checkpoint", type=Path, help="go on from this file, not from OUT/checkpoint.pt"
    )
    parser.add_argument(
        "--cooldown-now", action="store_true", help="only cool down, from the checkpoint on"
    )
    parser.add_argument(
        "--cooldown-steps", type=int, help="length of --cooldown-now (default: the config's share)"
    )
    return parser.parse_args()


def prepared_run(arguments: argparse.Namespace) -> Run:
    """Build the run and bring it to where its checkpoint, if any, left off."""
    config = read_config(arguments.config)
    torch.manual_seed(config.seed)
    tokenizer = window_tokenizer(
        arguments.start / "tokenizer.json",
        max_tokens=config.max_tokens,
        stride_tokens=config.stride_tokens,
    )
    mix = read_mix(config, arguments.data, tokenizer)
    run = Run(config, load_model(arguments.start, config), mix, arguments.out)
    if arguments.checkpoint is not None:
        run.resume(arguments.checkpoint)
    elif arguments.cooldown_now or run.checkpoint.exists():
        run.resume(run.checkpoint)
    if arguments.cooldown_now and run.progress.cooldown is None:
        step, steps = run.progress.step, arguments.cooldown_steps
        run.begin_cooldown(
            cooldown_from(step, config.cooldown_share) if steps is None else Cooldown(step, steps)
        )
    return run


def main() -> None:
    """Train, and write the reader unless stopped before the end."""
    arguments = parse_arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with lock(arguments.out):
        run = prepared_run(arguments)
        signal.signal(signal.SIGTERM, run.ask_stop)
        if run.train():
            write_model(run.model, arguments.start, arguments.out / "model")


if __name__ == "__main__":
    main()
