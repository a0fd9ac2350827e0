"""The figures of an evaluation, computed from its outcomes by kind of question."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from citewire.rag.evaluation.metrics import (
    auroc,
    best_threshold_mean,
    compute_percentage,
    coverage_at_accuracy,
    expected_calibration_error,
    expected_calibration_error_by_chance,
)
from citewire.rag.evaluation.outcomes import Outcome

CALIBRATION_BINS = 15


@dataclass(frozen=True, slots=True)
class AnswerFigures:
    """Figures of the answers in per cent; None where there are no such questions.

    `exact_match` and `f1` are over answerable questions, where a refusal counts as wrong;
    `best_f1` is F1 if no question were refused. `refused` is over unanswerable questions.
    """

    exact_match: float | None
    f1: float | None
    article_first: float | None
    answered: float | None
    refused: float | None
    best_f1: float | None

    @classmethod
    def from_outcomes(cls, outcomes: Sequence[Outcome]) -> Self:
        """Compute the figures of some outcomes."""
        answerable = [item for item in outcomes if item.answerable]
        unanswerable = [item for item in outcomes if not item.answerable]
        return cls(
            exact_match=compute_percentage([item.exact * item.answered for item in answerable]),
            f1=compute_percentage([item.f1 * item.answered for item in answerable]),
            article_first=compute_percentage(
                [item.article_first for item in answerable if item.article_first is not None]
            ),
            answered=compute_percentage([item.answered for item in answerable]),
            refused=compute_percentage([not item.answered for item in unanswerable]),
            best_f1=compute_percentage([item.f1 for item in answerable]),
        )


@dataclass(frozen=True, slots=True)
class SquadFigures:
    """SQuAD 2.0's figures in per cent, over all questions: a refusal may be right.

    None where not both answerable and unanswerable questions were asked.
    """

    all_exact_match: float | None
    all_f1: float | None
    all_f1_best_threshold: float | None

    @classmethod
    def from_outcomes(cls, outcomes: Sequence[Outcome]) -> Self:
        """Compute the figures of some outcomes."""
        if len({item.answerable for item in outcomes}) < 2:
            return cls(None, None, None)
        confidences = [item.confidence for item in outcomes]
        if_answered = [item.f1 for item in outcomes]
        if_silent = [float(not item.answerable) for item in outcomes]
        return cls(
            all_exact_match=compute_percentage([score_2_0(i, i.exact) for i in outcomes]),
            all_f1=compute_percentage([score_2_0(item, item.f1) for item in outcomes]),
            all_f1_best_threshold=compute_percentage(
                [best_threshold_mean(confidences, if_answered, if_silent)]
            ),
        )


@dataclass(frozen=True, slots=True)
class ConfidenceFigures:
    """Figures of the confidences in per cent; None where there are no such questions.

    `wrong_given` is the share of wrong answers among those given; `auroc` measures how well the
    confidence separates right from wrong; `calibration_error` is its distance from the share of
    right ones (ECE over bins of equal mass; Naeini 2015), `…_by_chance` the distance that perfect
    confidences would have with as few questions; `coverage_80` is the share of questions that
    some threshold answers with four of five right; `…_exact` counts only exact matches as right.
    """

    wrong_given: float | None
    auroc: float | None
    calibration_error: float | None
    calibration_error_by_chance: float | None
    coverage_80: float | None
    coverage_90: float | None
    coverage_80_exact: float | None

    @classmethod
    def from_outcomes(cls, outcomes: Sequence[Outcome]) -> Self:
        """Compute the figures of some outcomes."""
        confidences = [item.confidence for item in outcomes]
        right = [item.is_right for item in outcomes]
        exact = [item.exact == 1 for item in outcomes]
        can_separate = any(right) and not all(right)
        return cls(
            wrong_given=compute_percentage(
                [not item.is_right for item in outcomes if item.answered]
            ),
            auroc=compute_percentage([auroc(confidences, right)] if can_separate else []),
            calibration_error=compute_percentage(
                [expected_calibration_error(confidences, right, CALIBRATION_BINS)]
            ),
            calibration_error_by_chance=compute_percentage(
                [expected_calibration_error_by_chance(confidences, CALIBRATION_BINS)]
            ),
            coverage_80=compute_percentage([coverage_at_accuracy(confidences, right, 0.8)]),
            coverage_90=compute_percentage([coverage_at_accuracy(confidences, right, 0.9)]),
            coverage_80_exact=compute_percentage([coverage_at_accuracy(confidences, exact, 0.8)]),
        )


@dataclass(frozen=True, slots=True)
class Row:
    """All figures of one kind of question."""

    kind: str
    questions: int
    answers: AnswerFigures
    squad: SquadFigures
    confidences: ConfidenceFigures

    @classmethod
    def from_outcomes(cls, kind: str, outcomes: Sequence[Outcome]) -> Self:
        """Compute the figures of a kind's outcomes."""
        return cls(
            kind,
            len(outcomes),
            AnswerFigures.from_outcomes(outcomes),
            SquadFigures.from_outcomes(outcomes),
            ConfidenceFigures.from_outcomes(outcomes),
        )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A row of figures for each kind of question, then one for all, and their outcomes."""

    rows: tuple[Row, ...]
    outcomes: tuple[Outcome, ...]

    @classmethod
    def from_outcomes(cls, outcomes: Sequence[Outcome]) -> Self:
        """Compute the figures of the outcomes, by kind and in all."""
        kinds = sorted({outcome.kind for outcome in outcomes})
        rows = [
            Row.from_outcomes(kind, [item for item in outcomes if item.kind == kind])
            for kind in kinds
        ]
        if len(kinds) > 1:
            rows.append(Row.from_outcomes("all", outcomes))
        return cls(tuple(rows), tuple(outcomes))


def score_2_0(outcome: Outcome, score: float) -> float:
    """Return SQuAD 2.0's score: `score` of an answer, 1 of a refusal that is right, else 0."""
    return score if outcome.answered else float(not outcome.answerable)
