"""The figures of near misses: questions that the text is about, and does not answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from citewire.rag.evaluation.metrics import (
    compute_percentage,
    threshold_between_most,
    threshold_keeping,
)
from citewire.rag.evaluation.outcomes import Outcome

# The kind of the questions that ask who did it, whose wrong answers accuse somebody.
WHO = "who"


@dataclass(frozen=True, slots=True)
class Flip:
    """A question that one twin answers and another does not."""

    answerable: Outcome
    unanswerable: Outcome

    @property
    def is_in_order(self) -> bool:
        """Whether the confidence is higher where there is an answer."""
        return self.answerable.confidence > self.unanswerable.confidence

    @property
    def is_right(self) -> bool:
        """Whether the right answer was given on the one twin, and none on the other."""
        given = self.answerable.is_right and self.answerable.answered
        return given and not self.unanswerable.answered

    def is_right_at(self, threshold: float) -> bool:
        """Say whether it would be right if confidences from the threshold on were answered."""
        separated = self.answerable.confidence >= threshold > self.unanswerable.confidence
        return self.answerable.is_right and separated


def find_flips(outcomes: Sequence[Outcome]) -> list[Flip]:
    """Return every pair of twins of which one answers a question and the other does not."""
    groups: dict[tuple[str, ...], list[Outcome]] = {}
    for outcome in outcomes:
        if outcome.twins:
            groups.setdefault(outcome.twins, []).append(outcome)
    return [
        Flip(one, other)
        for twins in groups.values()
        for one in twins
        for other in twins
        if one.answerable and not other.answerable
    ]


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Confidences from which on questions might be answered, each chosen over all questions.

    `keep_90` and `keep_95` are the highest that answer so many per cent of the questions whose
    best candidate is right; `flips` gets most flips right. None where there are no such questions
    or none to refuse.
    """

    keep_90: float | None
    keep_95: float | None
    flips: float | None

    @classmethod
    def from_outcomes(cls, outcomes: Sequence[Outcome], flips: Sequence[Flip]) -> Self:
        """Choose the thresholds for all outcomes of an evaluation, and the flips among them."""
        right = [item.confidence for item in outcomes if item.is_right]
        can_refuse = bool(right) and any(not item.answerable for item in outcomes)
        pairs = [
            (flip.unanswerable.confidence, flip.answerable.confidence)
            for flip in flips
            if flip.answerable.is_right
        ]
        return cls(
            keep_90=threshold_keeping(right, 90) if can_refuse else None,
            keep_95=threshold_keeping(right, 95) if can_refuse else None,
            flips=threshold_between_most(pairs) if pairs else None,
        )


@dataclass(frozen=True, slots=True)
class NearMissFigures:
    """Figures of refusals in per cent; None where there are no such questions.

    At the threshold that keeps 90 per cent of all right answers, `kept_90` is the share of these
    questions' right answers that are given, and `refused_90` the share of their unanswerable ones
    that are refused. `false_namings` is the number of wrong answers given to a hundred of the
    `who_questions`, be they answerable or not.
    """

    kept_90: float | None
    refused_90: float | None
    kept_95: float | None
    refused_95: float | None
    who_questions: int
    false_namings: float | None

    @classmethod
    def from_outcomes(cls, outcomes: Sequence[Outcome], thresholds: Thresholds) -> Self:
        """Compute the figures of some outcomes, at thresholds chosen over all."""
        who = [item for item in outcomes if item.kind == WHO]
        return cls(
            kept_90=measure_kept(outcomes, thresholds.keep_90),
            refused_90=measure_refused(outcomes, thresholds.keep_90),
            kept_95=measure_kept(outcomes, thresholds.keep_95),
            refused_95=measure_refused(outcomes, thresholds.keep_95),
            who_questions=len(who),
            false_namings=compute_percentage([item.answered and not item.is_right for item in who]),
        )


def measure_kept(outcomes: Sequence[Outcome], threshold: float | None) -> float | None:
    """Return the share of right answers that a threshold gives, None without a threshold."""
    if threshold is None:
        return None
    return compute_percentage([item.confidence >= threshold for item in outcomes if item.is_right])


def measure_refused(outcomes: Sequence[Outcome], threshold: float | None) -> float | None:
    """Return the share of unanswerable questions that a threshold refuses, None without one."""
    if threshold is None:
        return None
    return compute_percentage(
        [item.confidence < threshold for item in outcomes if not item.answerable]
    )


@dataclass(frozen=True, slots=True)
class FlipFigures:
    """Figures of the questions that one twin answers and another does not, in per cent.

    `flips_in_order` is the share whose confidence is higher where there is an answer;
    `flips_both_right` the share where it was given and the other twin refused;
    `…_best_threshold` the same at the one threshold that is best for all flips. None without flips.
    """

    flips: int
    flips_in_order: float | None
    flips_both_right: float | None
    flips_both_right_best_threshold: float | None

    @classmethod
    def from_flips(cls, flips: Sequence[Flip], thresholds: Thresholds) -> Self:
        """Compute the figures of some flips, at the threshold chosen over all."""
        best = thresholds.flips
        return cls(
            flips=len(flips),
            flips_in_order=compute_percentage([flip.is_in_order for flip in flips]),
            flips_both_right=compute_percentage([flip.is_right for flip in flips]),
            flips_both_right_best_threshold=compute_percentage(
                [best is not None and flip.is_right_at(best) for flip in flips]
            ),
        )
