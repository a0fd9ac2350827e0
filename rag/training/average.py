"""Average the weights of two fine-tunings of one model.

    python -m citewire.rag.training.average FIRST SECOND OUT

Linear interpolation of the weights (WiSE-FT, Wortsman 2022): if the second training started from
the first's weights, the average often scores better than either, most of all out of domain, and
is no slower to use.
"""

import argparse
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from citewire.rag.training.train import MODEL_FILES, copy_existing

WEIGHTS_FILE = "model.safetensors"


def average_weights(
    first: dict[str, torch.Tensor], second: dict[str, torch.Tensor], share: float
) -> dict[str, torch.Tensor]:
    """Average in fp32: `share` of each tensor of the first, the rest from the second.

    Raises:
        SystemExit: names or shapes of the tensors differ.
    """
    differing = sorted(first.keys() ^ second.keys())
    differing += [n for n in first.keys() & second.keys() if first[n].shape != second[n].shape]
    if differing:
        raise SystemExit(
            f"{differing[0]}: missing in one model, or of another shape; average two of one kind"
        )
    return {
        name: share * first[name].float() + (1 - share) * tensor.float()
        for name, tensor in second.items()
    }


def main() -> None:
    """Write the average, with configuration and tokenizer of the second."""
    parser = argparse.ArgumentParser(
        description="Average the weights of two fine-tunings of one model."
    )
    parser.add_argument("first", type=Path, help="model in Hugging Face layout")
    parser.add_argument("second", type=Path, help="another with the same shapes")
    parser.add_argument("out", type=Path, help="folder for their average")
    parser.add_argument(
        "--share",
        type=float,
        default=0.25,
        help="weight of the first, 0 to 1 (default: %(default)s)",
    )
    arguments = parser.parse_args()
    if not 0 <= arguments.share <= 1:
        parser.error(f"--share {arguments.share}: must be between 0 and 1")
    tensors = average_weights(
        load_file(arguments.first / WEIGHTS_FILE),
        load_file(arguments.second / WEIGHTS_FILE),
        arguments.share,
    )
    arguments.out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, arguments.out / WEIGHTS_FILE, metadata={"format": "pt"})
    copy_existing(MODEL_FILES, arguments.second, arguments.out)


if __name__ == "__main__":
    main()
