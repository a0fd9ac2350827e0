"""Calibrate a reader: fit its confidence to how often it is right.

    python -m citewire.rag.training.calibrate FILE.json.gz… --reader DIR --threshold 0.25

The files are in SQuAD's format; better ones that the reader was not trained on. Their paragraphs
become archives, without a third of them, so that the questions about these have no answer there;
those of a contrast file, whose questions have kinds, all but the twins. Each question is asked of
its archive. A logistic regression predicts whether a candidate is right, from its features, the
question's kind and the reader's [CLS] vector, whose many weights L2 keeps small. It is
overconfident on the questions that it was fitted to, so those about a quarter of the paragraphs are
held out: scale and bias are fitted to them (Platt scaling, Platt 1999), and the threshold of a
wanted risk is chosen by them. A second regression, over the margin only, is for questions read on a
given paragraph: the held-out ones, a third of them on another paragraph of the article that lacks
the answer, those of a contrast file on all its indexed paragraphs. Writes `confidence.json` into
the reader's folder.
"""

import argparse
import json
import math
import random
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from platformdirs import user_cache_path

from citewire.index.archive.opening import open_owned
from citewire.index.data_directory import DataDirectory
from citewire.index.errors import InvalidInput
from citewire.index.ingest.embed import encode_articles
from citewire.index.text.chunking import PassageSize
from citewire.rag.answerer import Answerer
from citewire.rag.evaluation.metrics import f1
from citewire.rag.evaluation.outcomes import RIGHT_F1, read_paragraph
from citewire.rag.evaluation.squad import SquadExample, read_examples
from citewire.rag.models.encoder import OnnxEncoder
from citewire.rag.models.model_files import ReadyModel, prepare_model
from citewire.rag.reading.calibration import CALIBRATION_FILE, FEATURE_NAMES, UNCALIBRATED
from citewire.rag.reading.question_kind import QuestionKind, find_kind
from citewire.rag.reading.reader import OnnxReader
from citewire.rag.retrieval.retriever import HybridRetriever
from citewire.rag.settings import DEFAULT_ENCODER
from citewire.rag.training.regression import (
    JudgedQuestion,
    Regression,
    bound_risk,
    choose_threshold,
    fit,
    fit_single,
)
from citewire.rag.training.samples import ArchiveSample, AskedQuestion, draw_sample
from citewire.rag.types import Extract, Question

# The best candidates of a question; the rest is noise.
CANDIDATES_PER_QUESTION = 8
# Percentile of the answerable questions' similarities to their nearest passages; a question below
# it counts as foreign to the archive.
FOREIGN_PERCENT = 5.0


@dataclass(frozen=True, slots=True)
class ParagraphAnswer:
    """The margin of a given paragraph's best span, and whether the span is right."""

    margin: float
    is_right: bool


def parse_arguments() -> argparse.Namespace:
    """Read the command line; `questions` becomes a list with a number for each file."""
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
    wanted = parser.add_mutually_exclusive_group(required=True)
    wanted.add_argument("--threshold", type=float, help="least confidence to answer")
    wanted.add_argument(
        "--risk",
        type=float,
        help="share of wrong answers among those given: the least threshold whose 95 %% bound on"
        " the held-out questions is not above it",
    )
    parser.add_argument(
        "--who-threshold",
        type=float,
        help="the same for questions that ask who did it, whose wrong answers accuse somebody",
    )
    parser.add_argument(
        "--possible", type=float, default=0.33, help="least confidence to name an answer possible"
    )
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    try:
        options.questions = expand_counts(options.questions, len(options.files))
    except ValueError as error:
        parser.error(f"argument --questions: {error}")
    return options


def main() -> None:
    """Fit and write the calibration."""
    options = parse_arguments()
    cache = user_cache_path("citewire")
    reader_model = prepare_model("reader", str(options.reader), cache)
    encoder = OnnxEncoder(prepare_model("encoder", DEFAULT_ENCODER, cache))
    reader = OnnxReader(reader_model)
    try:
        write_calibration(reader_model, *ask_files(options, encoder, reader), options)
    except ValueError as error:
        print(f"citewire.rag.training.calibrate: {error}; give more questions", file=sys.stderr)
        raise SystemExit(1) from error
    except InvalidInput as error:
        print(f"citewire.rag.training.calibrate: {error}", file=sys.stderr)
        raise SystemExit(1) from error


def ask_files(
    options: argparse.Namespace, encoder: OnnxEncoder, reader: OnnxReader
) -> tuple[list[JudgedQuestion], list[ParagraphAnswer]]:
    """Ask the questions of all files, of an archive of each, and those on given paragraphs.

    Raises:
        ValueError: there are too few questions to fit to.
        InvalidInput: a file is not in SQuAD's format.
    """
    judged: list[JudgedQuestion] = []
    paragraph_answers: list[ParagraphAnswer] = []
    for file, count in zip(options.files, options.questions, strict=True):
        rng = random.Random(options.seed)
        sample = draw_sample(list(read_examples(file)), options.paragraphs, count, rng)
        judged += judge_all(sample, encoder, reader)
        paragraph_answers += read_paragraphs(sample.given, reader)
        print(f"{file.name}: {len(judged)} questions asked in all", flush=True)
    check_outcomes(judged, paragraph_answers)
    return judged, paragraph_answers


def expand_counts(counts: Sequence[int], files: int) -> list[int]:
    """Return a count for each file; a single one applies to every file.

    Raises:
        ValueError: there is neither one count nor one for each file.
    """
    if len(counts) not in (1, files):
        raise ValueError(f"{len(counts)} numbers for {files} files; give one, or one for each")
    return list(counts) * (files // len(counts))


def read_paragraphs(examples: Sequence[SquadExample], reader: OnnxReader) -> list[ParagraphAnswer]:
    """Read each question on its own paragraph."""
    found = [(example, read_paragraph(reader, example)) for example in examples]
    return [
        ParagraphAnswer(best.margin, is_right(best, [gold.text for gold in example.golds]))
        for example, best in found
        if best is not None
    ]


def judge_all(
    sample: ArchiveSample, encoder: OnnxEncoder, reader: OnnxReader
) -> list[JudgedQuestion]:
    """Build an archive of the sample's paragraphs and ask it all questions."""
    with (
        tempfile.TemporaryDirectory() as folder,
        open_owned(
            DataDirectory(Path(folder), command="calibrate"), encoder.identity, None, create=True
        ) as archive,
    ):
        archive.put(encode_articles(dict.fromkeys(sample.indexed, ""), encoder, PassageSize()))
        answerer = Answerer(HybridRetriever(encoder, archive), reader, UNCALIBRATED)
        return [judge_question(asked, answerer) for asked in sample.questions]


def judge_question(asked: AskedQuestion, answerer: Answerer) -> JudgedQuestion:
    """Ask one question; if the archive does not answer it, no candidate is right."""
    candidates = answerer.find_candidates(Question(asked.text))[:CANDIDATES_PER_QUESTION]
    return JudgedQuestion(
        features=tuple(candidate.features.vector() for candidate in candidates),
        cls_vectors=tuple(candidate.features.cls_vector for candidate in candidates),
        right=tuple(is_right(candidate.extracts[0], asked.golds) for candidate in candidates),
        is_answerable=bool(asked.golds),
        similarity=candidates[0].features.similarity if candidates else 0.0,
        is_held_out=asked.is_held_out,
        kind=find_kind(asked.text),
    )


def is_right(extract: Extract, golds: Sequence[str]) -> bool:
    """Return whether the extract agrees with a gold: F1 of at least RIGHT_F1."""
    return bool(golds) and f1(extract.text, golds) >= RIGHT_F1


def check_outcomes(
    judged: Sequence[JudgedQuestion], paragraph_answers: Sequence[ParagraphAnswer]
) -> None:
    """Check that each regression has both right and wrong candidates to fit.

    Raises:
        ValueError: a regression's candidates are all right or all wrong.
    """
    outcomes = {
        "the questions' candidates": [r for q in judged if not q.is_held_out for r in q.right],
        "the held-out questions' candidates": [r for q in judged if q.is_held_out for r in q.right],
        "the paragraphs' best spans": [each.is_right for each in paragraph_answers],
    }
    for name, right in outcomes.items():
        if len(set(right)) < 2:
            raise ValueError(f"of {name}, {sum(right)} of {len(right)} are right")


def write_calibration(
    reader: ReadyModel,
    judged: Sequence[JudgedQuestion],
    paragraph_answers: Sequence[ParagraphAnswer],
    options: argparse.Namespace,
) -> None:
    """Fit the regressions and write them into the reader's folder, one field a line.

    Raises:
        ValueError: no threshold has the wanted risk.
    """
    fields = build_fields(reader, judged, paragraph_answers, options)
    lines = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items()
    )
    (reader.folder / CALIBRATION_FILE).write_text(f"{{\n{lines}\n}}\n", "utf-8")
    print(lines)


def build_fields(
    reader: ReadyModel,
    judged: Sequence[JudgedQuestion],
    paragraph_answers: Sequence[ParagraphAnswer],
    options: argparse.Namespace,
) -> dict[str, object]:
    """Fit the regressions; return the calibration's fields, rounded as they are written.

    Raises:
        ValueError: no threshold has the wanted risk.
    """
    model = fit(judged)
    bias, weight = fit_single(
        np.array([each.margin for each in paragraph_answers]),
        [each.is_right for each in paragraph_answers],
    )
    similarities = [each.similarity for each in judged if each.is_answerable]
    return {
        "reader": reader.identity,
        "bias": round(model.bias, 4),
        "weights": {
            name: round(float(own), 4)
            for name, own in zip(FEATURE_NAMES, model.weights, strict=True)
        },
        "kinds": {
            kind: {"bias": round(own.bias, 4), "margin": round(own.margin, 4)}
            for kind, own in model.kinds.items()
        },
        "paragraph": {"bias": round(bias, 4), "margin": round(weight, 4)},
        **decide_threshold(model, judged, options),
        "possible": options.possible,
        "relevance": round(float(np.percentile(similarities, FOREIGN_PERCENT)), 4),
        "questions": len(judged),
        "state_weights": [round(float(own), 4) for own in model.cls_weights],
    }


def decide_threshold(
    model: Regression, judged: Sequence[JudgedQuestion], options: argparse.Namespace
) -> dict[str, object]:
    """Return the thresholds as given, or by their risk, and that risk on the held-out questions."""
    asked = [each for each in judged if each.is_held_out and each.features]
    found = [model.judge_best(each) for each in asked]
    # Rounded as it is written, and down: what was counted as given is given.
    best = [(math.floor(1000 * probability) / 1000, right) for probability, right in found]
    # A threshold of 0 is one as well: it answers everything.
    if options.threshold is None:
        threshold = choose_threshold(best, options.risk)
    else:
        threshold = options.threshold
    who = max(threshold, options.who_threshold or threshold)
    given = [
        right
        for (probability, right), question in zip(best, asked, strict=True)
        if probability >= (who if question.kind is QuestionKind.WHO else threshold)
    ]
    wrong = given.count(False)
    return {
        "threshold": threshold,
        "who_threshold": who,
        "risk": {
            "bound": round(bound_risk(wrong, len(given)), 4),
            "asked": len(asked),
            "given": len(given),
            "wrong": wrong,
        },
    }


if __name__ == "__main__":
    main()
