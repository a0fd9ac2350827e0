"""The figures of an evaluation, computed from its outcomes by kind of question, and by cause."""

from collections.abc import Callable, Sequence
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
from citewire.rag.evaluation.near_misses import (
    Flip,
    FlipFigures,
    NearMissFigures,
    Thresholds,
    find_flips,
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
    """All figures of one kind of question, or of one cause of difficulty."""

    name: str
    questions: int
    answers: AnswerFigures
    squad: SquadFigures
    confidences: ConfidenceFigures
    near_misses: NearMissFigures
    flips: FlipFigures


@dataclass(frozen=True, slots=True)
class Asked:
    """All that was asked: the outcomes, the flips among them, and the thresholds they suggest."""

    outcomes: tuple[Outcome, ...]
    flips: tuple[Flip, ...]
    thresholds: Thresholds

    @classmethod
    def from_outcomes(cls, outcomes: Sequence[Outcome]) -> Self:
        """Find the flips and choose the thresholds."""
        flips = tuple(find_flips(outcomes))
        return cls(tuple(outcomes), flips, Thresholds.from_outcomes(outcomes, flips))

    def build_row(self, name: str, name_of: Callable[[Outcome], str]) -> Row:
        """Compute the figures of the outcomes of this name; a flip has its answerable one's."""
        outcomes = [outcome for outcome in self.outcomes if name_of(outcome) == name]
        flips = [flip for flip in self.flips if name_of(flip.answerable) == name]
        return Row(
            name,
            len(outcomes),
            AnswerFigures.from_outcomes(outcomes),
            SquadFigures.from_outcomes(outcomes),
            ConfidenceFigures.from_outcomes(outcomes),
            NearMissFigures.from_outcomes(outcomes, self.thresholds),
            FlipFigures.from_flips(flips, self.thresholds),
        )


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A row of figures for each kind of question, then one for all, and their outcomes.

    `causes` has a row for each cause of difficulty, "" where a question has none; it is empty where
    no question says its cause.
    """

    rows: tuple[Row, ...]
    causes: tuple[Row, ...]
    thresholds: Thresholds
    outcomes: tuple[Outcome, ...]

    @classmethod
    def from_outcomes(cls, outcomes: Sequence[Outcome]) -> Self:
        """Compute the figures of the outcomes, by kind, in all and by cause."""
        asked = Asked.from_outcomes(outcomes)
        rows = build_rows(asked, lambda outcome: outcome.kind)
        if len(rows) > 1:
            rows.append(asked.build_row("all", lambda _: "all"))
        has_causes = any(outcome.cause for outcome in outcomes)
        causes = build_rows(asked, lambda outcome: outcome.cause) if has_causes else []
        return cls(tuple(rows), tuple(causes), asked.thresholds, asked.outcomes)


def build_rows(asked: Asked, name_of: Callable[[Outcome], str]) -> list[Row]:
    """Build a row for each name that the outcomes have."""
    names = sorted({name_of(outcome) for outcome in asked.outcomes})
    return [asked.build_row(name, name_of) for name in names]


def score_2_0(outcome: Outcome, score: float) -> float:
    """Return SQuAD 2.0's score: `score` of an answer, 1 of a refusal that is right, else 0."""
    return score if outcome.answered else float(not outcome.answerable)
