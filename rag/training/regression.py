"""Logistic regression and Platt scaling: from judged candidates to the calibration's weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta
from sklearn.linear_model import LogisticRegression

from citewire.rag.reading.calibration import FEATURE_NAMES, KindWeights, sigmoid
from citewire.rag.reading.question_kind import QuestionKind

# Factor on the standardised features: L2 holds their few weights down a hundred times less than the
# many of the [CLS] vector.
FEATURE_SCALE = 10.0
# The same for the kinds of question: their few numbers are shrunk towards those of all questions.
KIND_SCALE = 3.0
KINDS = tuple(QuestionKind)
# Confidence of the bound of a risk.
CONFIDENCE = 0.95
# Inverse L2 strength of the regression, and of those with one feature, which need nearly none.
C, SINGLE_FEATURE_C = 0.003, 10.0


@dataclass(frozen=True, slots=True)
class JudgedQuestion:
    """The candidates that one question got: features, [CLS] vectors, and which are right."""

    features: tuple[tuple[float, ...], ...]
    cls_vectors: tuple[tuple[float, ...], ...]
    right: tuple[bool, ...]
    is_answerable: bool
    similarity: float
    is_held_out: bool
    kind: QuestionKind


@dataclass(frozen=True, slots=True)
class Regression:
    """A logistic regression over features and [CLS] vector."""

    bias: float
    weights: NDArray[np.float64]
    cls_weights: NDArray[np.float64]
    kinds: dict[QuestionKind, KindWeights]

    def judge_best(self, question: JudgedQuestion) -> tuple[float, bool]:
        """Return the probability of the question's best candidate, and whether it is right."""
        own = self.kinds[question.kind]
        logits = [
            self.bias
            + float(self.weights @ features)
            + float(self.cls_weights @ cls_vector)
            + own.bias
            + own.margin * features[0]
            for features, cls_vector in zip(question.features, question.cls_vectors, strict=True)
        ]
        best = int(np.argmax(logits))
        return sigmoid(logits[best]), question.right[best]


def fit(questions: Sequence[JudgedQuestion]) -> Regression:
    """Fit the weights to most questions, then scale and bias to those held out (Platt 1999)."""
    rows, right = stack_candidates([each for each in questions if not each.is_held_out])
    mean, spread = rows.mean(0), rows.std(0) + 1e-6
    # Not their own spread: a rare kind, whose columns vary little, is to be shrunk the more.
    spread[-2 * len(KINDS) : -len(KINDS)] = 1.0
    spread[-len(KINDS) :] = spread[0]
    factors = np.ones(rows.shape[1])
    factors[: len(FEATURE_NAMES)] = FEATURE_SCALE
    factors[-2 * len(KINDS) :] = KIND_SCALE
    model = LogisticRegression(C=C, max_iter=5000).fit((rows - mean) / spread * factors, right)
    weights = model.coef_[0] * factors / spread
    bias = float(model.intercept_[0]) - float(weights @ mean)

    rows, right = stack_candidates([each for each in questions if each.is_held_out])
    platt_bias, scale = fit_single(rows @ weights + bias, right)
    first, last = len(FEATURE_NAMES), len(weights) - 2 * len(KINDS)
    own_bias, own_margin = (scale * weights[last:]).reshape(2, -1)
    return Regression(
        scale * bias + platt_bias,
        scale * weights[:first],
        scale * weights[first:last],
        {
            kind: KindWeights(float(own_bias[place]), float(own_margin[place]))
            for place, kind in enumerate(KINDS)
        },
    )


def fit_single(
    values: NDArray[np.float64], right: Sequence[bool] | NDArray[np.bool_]
) -> tuple[float, float]:
    """Fit a logistic regression to one feature; return its bias and weight."""
    model = LogisticRegression(C=SINGLE_FEATURE_C).fit(values[:, None], right)
    return float(model.intercept_[0]), float(model.coef_[0][0])


def stack_candidates(
    questions: Sequence[JudgedQuestion],
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return features, [CLS] vectors and kinds of all candidates, a row each; and which are right.

    A kind has two columns: whether it is the question's, and then the margin.
    """
    return (
        np.array(
            [
                (
                    *features,
                    *cls_vector,
                    *mark_kind(each.kind, 1.0),
                    *mark_kind(each.kind, features[0]),
                )
                for each in questions
                for features, cls_vector in zip(each.features, each.cls_vectors, strict=True)
            ]
        ),
        np.array([value for each in questions for value in each.right]),
    )


def mark_kind(kind: QuestionKind, value: float) -> list[float]:
    """Return the value in the kind's place, 0 in those of the other kinds."""
    return [value if each is kind else 0.0 for each in KINDS]


def bound_risk(wrong: int, given: int) -> float:
    """Return the upper bound of the share of wrong answers at 95 % confidence (Clopper 1934)."""
    return 1.0 if wrong == given else float(beta.ppf(CONFIDENCE, wrong + 1, given - wrong))


def choose_threshold(judged: Sequence[tuple[float, bool]], risk: float) -> float:
    """Return the lowest threshold whose answers are wrong at most as often as `risk`, by its bound.

    `judged` are probabilities, and whether the answers are right. The bound is that of one
    threshold chosen beforehand; choosing it on the same questions makes it a little optimistic.

    Raises:
        ValueError: no threshold has so small a risk.
    """
    ranked = sorted(judged, key=lambda each: -each[0])
    wrong, best = 0, None
    for given, (probability, is_right) in enumerate(ranked, 1):
        wrong += not is_right
        # No threshold separates equal probabilities.
        is_last = given == len(ranked) or ranked[given][0] != probability
        if is_last and bound_risk(wrong, given) <= risk:
            best = probability
    if best is None:
        raise ValueError(f"no threshold has a risk of {risk} or less on {len(judged)} questions")
    return best
