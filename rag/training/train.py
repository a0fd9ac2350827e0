"""Fine-tune an extractive reader.

    python -m citewire.rag.training.train CONFIG.toml --data DIR --start MODEL --out DIR

The run writes `checkpoint.pt` and `log.jsonl` into the output folder. On SIGTERM it saves a
checkpoint and stops; started again, it resumes there. `stable.pt` is the checkpoint before the
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
from citewire.rag.training.finetuning.data import load_window_tokenizer
from citewire.rag.training.finetuning.mix import read_mix
from citewire.rag.training.finetuning.run import Run
from citewire.rag.training.finetuning.schedule import Cooldown

TOKENIZER_FILES = ("tokenizer.json", "tokenizer_config.json")
# Files of a model in Hugging Face layout, except its weights.
MODEL_FILES = ("config.json", *TOKENIZER_FILES)


def load_model(start: Path, config: Config) -> PreTrainedModel:
    """Load a BERT-like reader in fp32, with the config's dropout instead of its own."""
    model = AutoModelForQuestionAnswering.from_pretrained(
        start,
        dtype=torch.float32,
        # On a CPU the gradient of torch's fused attention takes as long as all matrices together.
        attn_implementation=None if torch.cuda.is_available() else "eager",
        attention_probs_dropout_prob=config.attention_dropout,
        hidden_dropout_prob=config.hidden_dropout,
    )
    return cast(PreTrainedModel, model)


def write_model(model: PreTrainedModel, start: Path, out: Path) -> None:
    """Write the reader in Hugging Face layout: fp16 weights, the tokenizer of the start model."""
    aside = out.with_name(out.name + ".partial")
    model.to(torch.float16).save_pretrained(aside)  # type: ignore[arg-type]
    copy_existing(TOKENIZER_FILES, start, aside)
    shutil.rmtree(out, ignore_errors=True)
    aside.replace(out)


def copy_existing(names: Sequence[str], source: Path, target: Path) -> None:
    """Copy the files that exist in the source folder.

    The shipped reader has no tokenizer_config.json; its tokenizer.json is enough.
    """
    for name in names:
        if (source / name).exists():
            shutil.copyfile(source / name, target / name)


def lock(out: Path) -> TextIO:
    """Lock the folder (flock) for as long as the returned file stays open.

    Raises:
        SystemExit: another run holds the lock.
    """
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
        "--checkpoint", type=Path, help="resume from this file, not from OUT/checkpoint.pt"
    )
    parser.add_argument(
        "--cooldown-now", action="store_true", help="cool down at once from the checkpoint"
    )
    parser.add_argument(
        "--cooldown-steps", type=int, help="length of --cooldown-now (default: the config's share)"
    )
    return parser.parse_args()


def prepare_run(arguments: argparse.Namespace) -> Run:
    """Build the run and resume it from its checkpoint, if there is one."""
    config = read_config(arguments.config)
    torch.manual_seed(config.seed)
    tokenizer = load_window_tokenizer(
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
        share = config.cooldown_share
        run.begin_cooldown(
            Cooldown.from_share(step, share) if steps is None else Cooldown(step, steps)
        )
    return run


def main() -> None:
    """Train, then write the reader unless the run was stopped."""
    arguments = parse_arguments()
    arguments.out.mkdir(parents=True, exist_ok=True)
    with lock(arguments.out):
        run = prepare_run(arguments)
        signal.signal(signal.SIGTERM, run.request_stop)
        if run.train():
            write_model(run.model, arguments.start, arguments.out / "model")


if __name__ == "__main__":
    main()
