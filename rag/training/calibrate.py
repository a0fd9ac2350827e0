"""Fit a reader's confidence to how often it is right.

    python -m citewire.rag.training.calibrate FILE.json.gz… --reader DIR

The files are in SQuAD's format, and better ones that the reader was not trained on. Their
paragraphs become archives; a third of them is left out, so that the questions about these
have no answer there. Every question is asked of its archive, and a logistic regression is
fitted to whether what came out is right: to its features, and to the reader's state, whose many
weights are kept small. The questions about one paragraph in four are kept back from that; to them
the regression's scale and bias are fitted (Platt 1999), since it trusts itself too much where it
learned. Another regression is fitted to the margin alone, for questions read on a given
paragraph; for a third of them that is another paragraph of the article, without their answer.
Writes `confidence.json` beside the reader.
"""

import argparse
import json
import random
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path
from sklearn.linear_model import LogisticRegression

from citewire.index.catalogue.opening import open_catalogue
from citewire.index.ingest.embed import encode_articles
from citewire.index.lexical.bm25 import LexicalIndex
from citewire.index.text.chunking import PassageSize
from citewire.index.types import Article
from citewire.index.vectors.vector_index import VectorIndex
from citewire.rag.answerer import Answerer
from citewire.rag.evaluation.metrics import f1
from citewire.rag.evaluation.report import RIGHT_F1, read_alone
from citewire.rag.evaluation.squad import Example, read_examples
from citewire.rag.models.encoder import OnnxEncoder
from citewire.rag.models.model_files import ReadyModel, ready_model
from citewire.rag.reading.calibration import CALIBRATION_FILE, FEATURE_NAMES, UNCALIBRATED
from citewire.rag.reading.reader import OnnxReader
from citewire.rag.retrieval.retriever import Retriever
from citewire.rag.settings import DEFAULT_ENCODER
from citewire.rag.training.finetuning.data import make_negative
from citewire.rag.training.regression import Asked, fitted
from citewire.rag.types import Extract, Question

LEFT_OUT_SHARE = 1 / 3
# Of the paragraphs, so that no paragraph's questions are on both sides.
KEPT_BACK_SHARE = 1 / 4
# Shorter paragraphs are not passages of an archive.
SHORTEST_PARAGRAPH = 200
# The rest of a question's candidates is noise.
CANDIDATES_PER_QUESTION = 8
# A question counts as foreign to the archive when its nearest passage is less similar than
# with all but this per cent of the questions that have an answer there.
FOREIGN_PERCENT = 5.0


@dataclass(frozen=True, slots=True)
class Read:
    """What came out of a given paragraph: its best span's margin, and whether it is right."""

    margin: float
    right: bool


@dataclass(frozen=True, slots=True)
class Sample:
    """The paragraphs to index, with their titles, and the questions that may be asked."""

    indexed: dict[str, str]
    pool: list[Example]


def main() -> None:
    """Fit and write the calibration."""
    parser = argparse.ArgumentParser(prog="citewire.rag.training.calibrate", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--reader", type=Path, required=True)
    parser.add_argument("--paragraphs", type=int, default=2000, help="of each file")
    parser.add_argument(
        "--questions",
        nargs="+",
        type=int,
        default=[6000],
        metavar="N",
        help="of each file: one number for all, or one for each",
    )
    parser.add_argument("--threshold", type=float, required=True, help="the least confidence")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    try:
        questions = one_each(options.questions, len(options.files))
    except ValueError as error:
        parser.error(f"argument --questions: {error}")
    cache = user_cache_path("citewire")
    reader_model = ready_model("reader", str(options.reader), cache)
    encoder = OnnxEncoder(ready_model("encoder", DEFAULT_ENCODER, cache))
    reader = OnnxReader(reader_model)
    asked: list[Asked] = []
    read: list[Read] = []
    for file, count in zip(options.files, questions, strict=True):
        rng = random.Random(options.seed)
        examples = list(read_examples(file))
        archive = sampled(examples, rng, options.paragraphs)
        chosen = rng.sample(archive.pool, min(count, len(archive.pool)))
        back = kept_back(archive, rng)
        asked += ask_all(chosen, archive.indexed, back, encoder, reader)
        read += read_paragraphs(moved([e for e in chosen if e.context in back], rng), reader)
        print(f"{file.name}: {len(asked)} questions asked in all", flush=True)
    try:
        check(asked, read)
    except ValueError as error:
        parser.exit(1, f"{parser.prog}: {error}; give more questions\n")
    write(reader_model, asked, read, options.threshold)


def one_each(numbers: Sequence[int], files: int) -> list[int]:
    """Return a number for each file; a single one is every file's.

    Raises:
        ValueError: there are neither one nor as many as files.
    """
    if len(numbers) not in (1, files):
        raise ValueError(f"{len(numbers)} numbers for {files} files; give one, or one for each")
    return list(numbers) * (files // len(numbers))


def sampled(examples: Sequence[Example], rng: random.Random, paragraphs: int) -> Sample:
    """Choose random paragraphs, and leave a share of them out of the archive."""
    titles = {example.context: example.title for example in examples}
    contexts = [context for context in titles if len(context) >= SHORTEST_PARAGRAPH]
    chosen = rng.sample(contexts, min(paragraphs, len(contexts)))
    kept = chosen[int(LEFT_OUT_SHARE * len(chosen)) :]
    pool = [example for example in examples if example.context in set(chosen)]
    return Sample({context: titles[context] for context in kept}, pool)


def kept_back(sample: Sample, rng: random.Random) -> set[str]:
    """Choose the paragraphs whose questions fit only scale and bias."""
    paragraphs = sorted({example.context for example in sample.pool})
    return set(rng.sample(paragraphs, int(KEPT_BACK_SHARE * len(paragraphs))))


def moved(examples: Sequence[Example], rng: random.Random) -> list[Example]:
    """Put a share of the questions on other paragraphs of their articles, where there are any."""
    return [
        (rng.random() < LEFT_OUT_SHARE and make_negative(example, rng)) or example
        for example in examples
    ]


def read_paragraphs(examples: Sequence[Example], reader: OnnxReader) -> list[Read]:
    """Read each question on its own paragraph."""
    found = [(example, read_alone(reader, example)) for example in examples]
    return [
        Read(best.margin, says(best, [gold.text for gold in example.golds]))
        for example, best in found
        if best is not None
    ]


def ask_all(
    examples: Sequence[Example],
    indexed: dict[str, str],
    back: set[str],
    encoder: OnnxEncoder,
    reader: OnnxReader,
) -> list[Asked]:
    """Build an archive of the indexed paragraphs and ask it all questions."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "catalogue.sqlite3")
        catalogue = open_catalogue(file, "create", encoder=encoder.identity)
        articles = {
            Article(f"{number}", title, text): file.name
            for number, (text, title) in enumerate(indexed.items())
        }
        catalogue.put(encode_articles(articles, encoder, PassageSize()))
        vectors = VectorIndex(Path(folder, "vectors"), catalogue)
        retriever = Retriever(encoder, vectors, LexicalIndex(catalogue), catalogue)
        answerer = Answerer(retriever, reader, UNCALIBRATED, catalogue)
        asked = [
            judged(
                example,
                answerer,
                is_indexed=example.context in indexed,
                is_kept_back=example.context in back,
            )
            for example in examples
        ]
        catalogue.close()
    return asked


def judged(example: Example, answerer: Answerer, *, is_indexed: bool, is_kept_back: bool) -> Asked:
    """Ask one question; without its paragraph in the archive nothing is right."""
    golds = [gold.text for gold in example.golds] if is_indexed else []
    candidates = answerer.candidates(Question(example.question))[:CANDIDATES_PER_QUESTION]
    return Asked(
        features=tuple(candidate.features.vector() for candidate in candidates),
        states=tuple(candidate.features.cls_vector for candidate in candidates),
        right=tuple(says(candidate.extracts[0], golds) for candidate in candidates),
        answerable=bool(golds),
        similarity=candidates[0].features.similarity if candidates else 0.0,
        is_kept_back=is_kept_back,
    )


def says(extract: Extract, golds: Sequence[str]) -> bool:
    """Say whether the extract says what a known answer says."""
    return bool(golds) and f1(extract.text, golds) >= RIGHT_F1


def check(asked: Sequence[Asked], read: Sequence[Read]) -> None:
    """Make sure that there is something to fit to.

    Raises:
        ValueError: of what a regression is fitted to, all is right or nothing is.
    """
    judged_right = {
        "the questions' candidates": [r for a in asked if not a.is_kept_back for r in a.right],
        "those of the questions kept back": [r for a in asked if a.is_kept_back for r in a.right],
        "the paragraphs' best spans": [each.right for each in read],
    }
    for what, right in judged_right.items():
        if len(set(right)) < 2:
            raise ValueError(f"of {what}, {sum(right)} of {len(right)} are right")


def write(
    reader: ReadyModel, asked: Sequence[Asked], read: Sequence[Read], threshold: float
) -> None:
    """Fit the regressions and write them beside the reader, a field a line."""
    model = fitted(asked)
    margins = np.array([[each.margin] for each in read])
    paragraph = LogisticRegression(C=10.0).fit(margins, [each.right for each in read])
    similarities = [each.similarity for each in asked if each.answerable]
    fields = {
        "reader": reader.identity,
        "bias": round(model.bias, 4),
        "weights": {
            name: round(float(weight), 4)
            for name, weight in zip(FEATURE_NAMES, model.weights, strict=True)
        },
        "paragraph": {
            "bias": round(float(paragraph.intercept_[0]), 4),
            "margin": round(float(paragraph.coef_[0][0]), 4),
        },
        "threshold": threshold,
        "relevance": round(float(np.percentile(similarities, FOREIGN_PERCENT)), 4),
        "questions": len(asked),
        "state_weights": [round(float(weight), 4) for weight in model.state_weights],
    }
    lines = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items()
    )
    (reader.folder / CALIBRATION_FILE).write_text(f"{{\n{lines}\n}}\n", "utf-8")
    print(lines)


if __name__ == "__main__":
    main()
