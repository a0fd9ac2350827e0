"""Judge a reader in the form that is shipped: `python -m rag.training.judge FILE.json.gz …`.

The files are in SQuAD's format; every question is read on its own paragraph, by the int8
network that answers questions. Prints one line of scores in per cent for each file.
"""

import argparse
import json
import random
from collections.abc import Sequence
from pathlib import Path

from platformdirs import user_cache_path

from rag.model_files import ready_model
from rag.protocols import Reader
from rag.reader import OnnxReader
from rag.settings import SHIPPED_READER
from rag.training.data import Example, read_examples
from rag.training.quick_eval import Prediction, evaluate
from rag.types import Article, Hit, Passage, Span

# A score below any that a reader gives, for a paragraph in which it finds nothing at all.
NOTHING = -1e9


def main() -> None:
    """Judge one reader on all files."""
    parser = argparse.ArgumentParser(prog="rag.training.judge", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--reader", default=str(SHIPPED_READER), help="by name or path")
    parser.add_argument("--questions", type=int, default=1000, help="of each file, 0 for all")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    reader = OnnxReader(ready_model("reader", options.reader, user_cache_path("citewire")))
    for file in options.files:
        examples = list(read_examples(file))
        wanted = min(options.questions or len(examples), len(examples))
        chosen = random.Random(options.seed).sample(examples, wanted)
        scores = evaluate(chosen, predictions(reader, chosen))
        print(json.dumps({"file": file.name} | scores), flush=True)


def predictions(reader: Reader, examples: Sequence[Example]) -> list[Prediction]:
    """Return the reader's best span for each example."""
    found = []
    for example in examples:
        article = Article("paragraph", example.title, example.context)
        passage = Passage(1, article, Span(0, len(example.context)))
        extracts = reader.read(example.question, [Hit(passage, score=1.0, similarity=1.0)])
        best = Prediction(extracts[0].text, extracts[0].score) if extracts else None
        found.append(best or Prediction("", NOTHING))
    return found


if __name__ == "__main__":
    main()
