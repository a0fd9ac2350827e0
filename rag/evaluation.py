"""Measure answers against questions whose answers are known.

A question file has one JSON object a line: `question`, `answers` (verbatim texts; none when
the archive does not say), `article_id` where the answer stands, and `kind`, which groups the
rows of the table.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

from rag.errors import InvalidInput
from rag.scoring import calibration_error, exact_match, f1
from rag.types import Answers, NoAnswer, Question

COLUMNS = ("kind", "questions", "EM", "F1", "article first", "answered", "refused", "best F1")
# An answer that shares this much with a known one is right; where it ends is a matter of taste.
RIGHT_F1 = 0.6
CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True)
class KnownQuestion:
    """A question with its right answers; without any, the archive does not say."""

    text: str
    answers: tuple[str, ...]
    article_id: str | None
    kind: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question: scores in [0, 1], 0 for a refusal.

    `best_f1` and `confidence` are those of the best candidate, whether it was given or not.
    """

    kind: str
    answerable: bool
    answered: bool
    exact: float
    f1: float
    article_first: bool
    best_f1: float
    confidence: float


@dataclass(frozen=True, slots=True)
class Row:
    """One kind's figures, in per cent; None where the kind has no such questions."""

    kind: str
    questions: int
    exact_match: float | None
    f1: float | None
    article_first: float | None
    answered: float | None
    refused: float | None
    best_f1: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A table: a row for each kind, then one for all; and what the confidences are worth.

    `wrong_given` is the share of wrong ones among the answers given, in per cent;
    `calibration_error` the mean distance of confidence and share of right answers, over
    bins of equal mass (ECE, Naeini 2015).
    """

    rows: tuple[Row, ...]
    wrong_given: float | None
    calibration_error: float

    def json(self) -> str:
        """Return all figures as JSON."""
        return json.dumps(asdict(self), indent=2)

    def table(self) -> str:
        """Return the rows as a table for a terminal; percentages, `-` where none applies."""
        lines = [[*COLUMNS]]
        for row in self.rows:
            _, _, *figures = astuple(row)
            lines.append([row.kind, str(row.questions), *map(shown, figures)])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        confidence = (
            f"wrong among the answers given: {shown(self.wrong_given)}; calibration error:"
            f" {self.calibration_error:.3f}"
        )
        return "\n".join([*(aligned(line, widths) for line in lines), confidence])


def shown(figure: float | None) -> str:
    """Return a percentage with one decimal, `-` where none applies."""
    return "-" if figure is None else f"{figure:.1f}"


def aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return a table's line: the first cell to the left, figures to the right."""
    name, *figures = cells
    padded = [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
    return "  ".join([name.ljust(widths[0]), *padded])


def read_questions(file: Path) -> list[KnownQuestion]:
    """Read a question file; raise InvalidInput naming the first line that is not as it should."""
    try:
        lines = file.read_text("utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInput(f"{file}: cannot be read: {error}") from error
    questions = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
            questions.append(known_question(fields))
        except (InvalidInput, ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidInput(f"{file}:{number}: not a question: {error!r}") from error
    if not questions:
        raise InvalidInput(f"{file}: holds no questions")
    return questions


def known_question(fields: dict[str, Any]) -> KnownQuestion:
    """Return the question that a line's fields describe; raise TypeError for wrong ones."""
    text, answers = fields["question"], fields["answers"]
    if not isinstance(text, str):
        raise TypeError(f"`question` is {text!r}, not a text")
    Question(text)
    if not isinstance(answers, list) or not all(isinstance(item, str) for item in answers):
        raise TypeError(f"`answers` is {answers!r}, not a list of texts")
    return KnownQuestion(
        text, tuple(answers), fields.get("article_id"), str(fields.get("kind", "all"))
    )


def evaluate(
    answer: Callable[[Question], Answers | NoAnswer], questions: Sequence[KnownQuestion]
) -> Evaluation:
    """Ask every question and return the figures, by kind and in all."""
    outcomes = [judge(known, answer(Question(known.text))) for known in questions]
    kinds = sorted({outcome.kind for outcome in outcomes})
    rows = [row(kind, [item for item in outcomes if item.kind == kind]) for kind in kinds]
    wrong = [outcome.best_f1 < RIGHT_F1 for outcome in outcomes if outcome.answered]
    error = calibration_error(
        [outcome.confidence for outcome in outcomes],
        [outcome.best_f1 >= RIGHT_F1 for outcome in outcomes],
        CALIBRATION_BINS,
    )
    return Evaluation((*rows, row("all", outcomes)), percentage(wrong), error)


def judge(known: KnownQuestion, result: Answers | NoAnswer) -> Outcome:
    """Compare the first answer with the right ones, by SQuAD's rules."""
    answerable = bool(known.answers)
    if isinstance(result, NoAnswer):
        confidence = result.closest[0].confidence if result.closest else 0.0
        best = result.closest[0].citation.extract.text if result.closest else ""
        best_f1 = f1(best, known.answers) if answerable else 0.0
        return Outcome(known.kind, answerable, False, 0.0, 0.0, False, best_f1, confidence)
    first = result.answers[0]
    # Nothing is right where there is nothing to say.
    first_f1 = f1(first.text, known.answers) if answerable else 0.0
    return Outcome(
        known.kind,
        answerable,
        answered=True,
        exact=exact_match(first.text, known.answers) if answerable else 0.0,
        f1=first_f1,
        article_first=first.citations[0].extract.article.id == known.article_id,
        best_f1=first_f1,
        confidence=first.confidence,
    )


def row(kind: str, outcomes: Sequence[Outcome]) -> Row:
    """Return the figures of some outcomes."""
    answerable = [outcome for outcome in outcomes if outcome.answerable]
    others = [outcome for outcome in outcomes if not outcome.answerable]
    return Row(
        kind,
        len(outcomes),
        exact_match=percentage([outcome.exact for outcome in answerable]),
        f1=percentage([outcome.f1 for outcome in answerable]),
        article_first=percentage([outcome.article_first for outcome in answerable]),
        answered=percentage([outcome.answered for outcome in answerable]),
        refused=percentage([not outcome.answered for outcome in others]),
        best_f1=percentage([outcome.best_f1 for outcome in answerable]),
    )


def percentage(values: Sequence[float]) -> float | None:
    """Return the mean in per cent, None of nothing."""
    return round(100 * sum(values) / len(values), 1) if values else None
