"""Logistic regression and Platt scaling: from judged candidates to the calibration's weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from citewire.rag.reading.calibration import FEATURE_NAMES

# Factor on the standardised features: L2 holds their few weights down a hundred times less than the
# many of the [CLS] vector.
FEATURE_SCALE = 10.0
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


@dataclass(frozen=True, slots=True)
class Regression:
    """A logistic regression over features and [CLS] vector."""

    bias: float
    weights: NDArray[np.float64]
    cls_weights: NDArray[np.float64]


def fit(questions: Sequence[JudgedQuestion]) -> Regression:
    """Fit the weights to most questions, then scale and bias to those held out (Platt 1999)."""
    rows, right = stack_candidates([each for each in questions if not each.is_held_out])
    mean, spread = rows.mean(0), rows.std(0) + 1e-6
    factors = np.where(np.arange(rows.shape[1]) < len(FEATURE_NAMES), FEATURE_SCALE, 1.0)
    model = LogisticRegression(C=C, max_iter=5000).fit((rows - mean) / spread * factors, right)
    weights = model.coef_[0] * factors / spread
    bias = float(model.intercept_[0]) - float(weights @ mean)

    rows, right = stack_candidates([each for each in questions if each.is_held_out])
    platt_bias, scale = fit_single(rows @ weights + bias, right)
    return Regression(
        scale * bias + platt_bias,
        scale * weights[: len(FEATURE_NAMES)],
        scale * weights[len(FEATURE_NAMES) :],
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
    """Return features and [CLS] vectors of all candidates, a row each, and which are right."""
    return (
        np.array(
            [
                (*features, *cls_vector)
                for each in questions
                for features, cls_vector in zip(each.features, each.cls_vectors, strict=True)
            ]
        ),
        np.array([value for each in questions for value in each.right]),
    )
