"""Measure answers against questions whose answers are known."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from citewire.index.types import Article, Passage, Span
from citewire.rag.conversation.rewriting import rewrite_last
from citewire.rag.conversation.types import Clarification
from citewire.rag.evaluation.metrics import (
    auroc,
    best_threshold_mean,
    calibration_error,
    calibration_error_by_chance,
    coverage_at,
    exact_match,
    f1,
)
from citewire.rag.evaluation.question_files import KnownQuestion
from citewire.rag.evaluation.squad import Example
from citewire.rag.reader_protocol import Reader
from citewire.rag.reading.calibration import Calibration
from citewire.rag.types import Answers, Citation, Extract, Hit, NoAnswer, Question

# An answer that shares this much with a known one is right; where it ends is a matter of taste.
RIGHT_F1 = 0.6
CALIBRATION_BINS = 15
SCORES = {
    "exact_match": "EM",
    "f1": "F1",
    "article_first": "article first",
    "answered": "answered",
    "refused": "refused",
    "best_f1": "best F1",
    "all_exact_match": "all EM",
    "all_f1": "all F1",
    "all_f1_best_threshold": "all F1 best",
}
WORTH = {
    "wrong_given": "wrong given",
    "auroc": "AUROC",
    "calibration_error": "ECE",
    "calibration_error_by_chance": "by chance",
    "coverage_80": "at 80 %",
    "coverage_90": "at 90 %",
    "coverage_80_exact": "at 80 % EM",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question: scores in [0, 1].

    `exact` and `f1` are those of the best candidate, whether it was given or not, 0 where there
    is nothing to say; `article_first` says whether the right article is cited first, None where
    there is no archive.
    """

    kind: str
    answerable: bool
    answered: bool
    exact: float
    f1: float
    article_first: bool | None
    confidence: float

    @property
    def is_right(self) -> bool:
        """Whether the best candidate says what a known answer says."""
        return self.f1 >= RIGHT_F1


@dataclass(frozen=True, slots=True)
class Row:
    """One kind's figures, in per cent; None where the kind has no such questions.

    `exact_match` and `f1` are over answerable questions, where a refusal counts as wrong, and
    `best_f1` is F1 if nothing were refused; the `all_` figures are SQuAD 2.0's, over all
    questions, where a refusal is right if there is no answer. `auroc` tells how well the
    confidence separates right from wrong, `calibration_error` how far it lies from the share of
    right ones (ECE over bins of equal mass; Naeini 2015), `…_by_chance` how far it would lie from
    it with so few questions if it were exactly right; `coverage_80` how many questions some
    threshold answers with four of five right; `…_exact` takes only exact matches for right.
    """

    kind: str
    questions: int
    exact_match: float | None
    f1: float | None
    article_first: float | None
    answered: float | None
    refused: float | None
    best_f1: float | None
    all_exact_match: float | None
    all_f1: float | None
    all_f1_best_threshold: float | None
    wrong_given: float | None
    auroc: float | None
    calibration_error: float | None
    calibration_error_by_chance: float | None
    coverage_80: float | None
    coverage_90: float | None
    coverage_80_exact: float | None


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A row of figures for each kind of question, then one for all; `outcomes` are behind it."""

    rows: tuple[Row, ...]
    outcomes: tuple[Outcome, ...]

    def json(self) -> str:
        """Return all figures as JSON."""
        return json.dumps({"rows": [asdict(row) for row in self.rows]}, indent=2)

    def table(self) -> str:
        """Return two tables for a terminal: the answers, and what the confidences are worth."""
        return f"{self._lines(SCORES)}\n\n{self._lines(WORTH)}"

    def _lines(self, columns: dict[str, str]) -> str:
        lines = [["kind", "questions", *columns.values()]]
        for row in self.rows:
            figures = (shown(getattr(row, name)) for name in columns)
            lines.append([row.kind, str(row.questions), *figures])
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(aligned(line, widths) for line in lines)


def shown(figure: float | None) -> str:
    """Return a percentage with one decimal, `-` where none applies."""
    return "-" if figure is None else f"{figure:.1f}"


def aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Return a table's line: the first cell to the left, figures to the right."""
    name, *figures = cells
    padded = [figure.rjust(width) for figure, width in zip(figures, widths[1:], strict=True)]
    return "  ".join([name.ljust(widths[0]), *padded])


def ask_all(
    answer: Callable[[Question], Answers | NoAnswer], questions: Iterable[KnownQuestion]
) -> list[Outcome]:
    """Ask an archive every question, a follow-up through its conversation."""
    return [judge(known, ask_through(answer, known)) for known in questions]


def ask_through(
    answer: Callable[[Question], Answers | NoAnswer], known: KnownQuestion
) -> Answers | NoAnswer | Clarification:
    """Ask a question in its conversation; what is asked back has no result."""
    if not known.history:
        return answer(Question(known.text))
    said: list[str] = []
    for earlier in range(len(known.history)):
        rewritten = rewrite_last(known.history[: earlier + 1], said)
        result = (
            None if isinstance(rewritten, Clarification) else answer(Question(rewritten.question))
        )
        said.append(result.answers[0].text if isinstance(result, Answers) else "")
    rewritten = rewrite_last([*known.history, known.text], said)
    return (
        rewritten if isinstance(rewritten, Clarification) else answer(Question(rewritten.question))
    )


def read_all(
    reader: Reader, calibration: Calibration, examples: Iterable[Example], kind: str
) -> list[Outcome]:
    """Read every question on its own paragraph, without an archive."""
    outcomes = []
    for example in examples:
        golds = [gold.text for gold in example.golds]
        best = read_alone(reader, example)
        confidence = 0.0 if best is None else calibration.probability_in_paragraph(best.margin)
        answered = confidence >= calibration.threshold
        scores = scored("" if best is None else best.text, golds)
        outcomes.append(Outcome(kind, bool(golds), answered, *scores, None, confidence))
    return outcomes


def read_alone(reader: Reader, example: Example) -> Extract | None:
    """Return the best span of the example's own paragraph, None when the reader finds none.

    Without a title: whoever reads a paragraph that was handed to him has only the paragraph.
    """
    article = Article("paragraph", "", example.context)
    passage = Passage(1, article, Span(0, len(example.context)))
    found = reader.read(example.question, [Hit(passage, score=1.0, similarity=1.0)])
    return found[0] if found else None


def judge(known: KnownQuestion, result: Answers | NoAnswer | Clarification) -> Outcome:
    """Compare the best candidate with the right answers, by SQuAD's rules."""
    answered = isinstance(result, Answers)
    candidates: list[tuple[Citation, float]]
    if isinstance(result, Clarification):
        candidates = []
    elif isinstance(result, Answers):
        candidates = [(given.citations[0], given.confidence) for given in result.answers]
    else:
        candidates = [(weak.citation, weak.confidence) for weak in result.closest]
    if not candidates:
        return Outcome(known.kind, bool(known.answers), answered, 0.0, 0.0, False, 0.0)
    citation, confidence = candidates[0]
    extract = citation.extract
    return Outcome(
        known.kind,
        bool(known.answers),
        answered,
        *scored(extract.text, known.answers),
        article_first=answered and extract.article.id == known.article_id,
        confidence=confidence,
    )


def scored(text: str, golds: Sequence[str]) -> tuple[float, float]:
    """Return exact match and F1; nothing is right where there is nothing to say."""
    return (exact_match(text, golds), f1(text, golds)) if golds else (0.0, 0.0)


def evaluation_of(outcomes: Sequence[Outcome]) -> Evaluation:
    """Return the figures of the outcomes, by kind and in all."""
    kinds = sorted({outcome.kind for outcome in outcomes})
    rows = [row(kind, [item for item in outcomes if item.kind == kind]) for kind in kinds]
    if len(kinds) > 1:
        rows.append(row("all", outcomes))
    return Evaluation(tuple(rows), tuple(outcomes))


def row(kind: str, outcomes: Sequence[Outcome]) -> Row:
    """Return the figures of some outcomes."""
    answerable = [item for item in outcomes if item.answerable]
    unanswerable = [item for item in outcomes if not item.answerable]
    silent = [float(not item.answerable) for item in outcomes]
    confidences = [item.confidence for item in outcomes]
    # The rules of SQuAD 2.0 apply where some questions have no answer.
    mixed = bool(answerable and unanswerable)
    return Row(
        kind,
        len(outcomes),
        exact_match=percentage([item.exact * item.answered for item in answerable]),
        f1=percentage([item.f1 * item.answered for item in answerable]),
        article_first=percentage(
            [item.article_first for item in answerable if item.article_first is not None]
        ),
        answered=percentage([item.answered for item in answerable]),
        refused=percentage([not item.answered for item in unanswerable]),
        best_f1=percentage([item.f1 for item in answerable]),
        all_exact_match=percentage([with_silence(i, i.exact) for i in outcomes if mixed]),
        all_f1=percentage([with_silence(item, item.f1) for item in outcomes if mixed]),
        all_f1_best_threshold=percentage(
            [best_threshold_mean(confidences, [i.f1 for i in outcomes], silent)] if mixed else []
        ),
        **worth(outcomes),
    )


def worth(outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """Return the figures that tell what the confidences are worth."""
    confidences = [item.confidence for item in outcomes]
    right = [item.is_right for item in outcomes]
    exact = [item.exact == 1 for item in outcomes]
    return {
        "wrong_given": percentage([not item.is_right for item in outcomes if item.answered]),
        "auroc": percentage([auroc(confidences, right)] if any(right) and not all(right) else []),
        "calibration_error": percentage([calibration_error(confidences, right, CALIBRATION_BINS)]),
        "calibration_error_by_chance": percentage(
            [calibration_error_by_chance(confidences, CALIBRATION_BINS)]
        ),
        "coverage_80": percentage([coverage_at(confidences, right, 0.8)]),
        "coverage_90": percentage([coverage_at(confidences, right, 0.9)]),
        "coverage_80_exact": percentage([coverage_at(confidences, exact, 0.8)]),
    }


def with_silence(outcome: Outcome, score: float) -> float:
    """Return the score of an answer, and of a refusal 1 if there is nothing to say."""
    return score if outcome.answered else float(not outcome.answerable)


def percentage(values: Sequence[float]) -> float | None:
    """Return the mean in per cent, None of nothing."""
    return round(100 * sum(values) / len(values), 1) if values else None
