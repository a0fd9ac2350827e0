"""The regression behind the confidence: from answers known to be right or wrong to weights."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from citewire.rag.reading.calibration import FEATURE_NAMES

# How much less the few weights of the features are held down than those of the state.
EVIDENCE_FREEDOM = 10.0
STATE_C = 0.003


@dataclass(frozen=True, slots=True)
class Asked:
    """What came out of one question: its candidates' features, and which of them are right."""

    features: tuple[tuple[float, ...], ...]
    states: tuple[tuple[float, ...], ...]
    right: tuple[bool, ...]
    answerable: bool
    similarity: float
    is_kept_back: bool


@dataclass(frozen=True, slots=True)
class Fitted:
    """A logistic regression over features and state."""

    bias: float
    weights: NDArray[np.float64]
    state_weights: NDArray[np.float64]


def fitted(asked: Sequence[Asked]) -> Fitted:
    """Fit to the candidates of most questions, then scale and bias to those kept back."""
    rows, right = rows_of([each for each in asked if not each.is_kept_back])
    mean, spread = rows.mean(0), rows.std(0) + 1e-6
    freedom = np.where(np.arange(rows.shape[1]) < len(FEATURE_NAMES), EVIDENCE_FREEDOM, 1.0)
    model = LogisticRegression(C=STATE_C, max_iter=5000).fit(
        (rows - mean) / spread * freedom, right
    )
    weights = model.coef_[0] * freedom / spread
    bias = float(model.intercept_[0]) - float(weights @ mean)

    rows, right = rows_of([each for each in asked if each.is_kept_back])
    logits = rows @ weights + bias
    platt = LogisticRegression(C=10.0).fit(logits[:, None], right)
    scale = float(platt.coef_[0][0])
    return Fitted(
        scale * bias + float(platt.intercept_[0]),
        scale * weights[: len(FEATURE_NAMES)],
        scale * weights[len(FEATURE_NAMES) :],
    )


def rows_of(asked: Sequence[Asked]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return all candidates' features with their states, a row each, and whether they are right."""
    return (
        np.array(
            [
                (*features, *state)
                for each in asked
                for features, state in zip(each.features, each.states, strict=True)
            ]
        ),
        np.array([value for each in asked for value in each.right]),
    )
