import random

import pytest

from citewire.rag.reading.calibration import FEATURE_NAMES, Calibration, Features
from citewire.rag.training.regression import Asked, fitted

WIDTH = 12


def asked(rng: random.Random, is_kept_back: bool) -> Asked:
    """One candidate, right as often as half its margin and the first number of its state say."""
    margin = rng.gauss(0, 2)
    state = tuple(rng.gauss(0, 1) for _ in range(WIDTH))
    logit = 0.5 * margin + 2 * state[0] - 0.5
    features = Features(margin, rng.random(), rng.random(), rng.gauss(0, 1), state)
    return Asked(
        features=(features.vector(),),
        states=(state,),
        right=(
            rng.random()
            < Calibration(logit, (0.0,) * len(FEATURE_NAMES), 0.5, 0.0).probability(features),
        ),
        answerable=True,
        similarity=features.similarity,
        is_kept_back=is_kept_back,
    )


def test_a_state_that_tells_right_from_wrong_is_weighed_beside_the_evidence() -> None:
    rng = random.Random(1)

    model = fitted([asked(rng, is_kept_back=number % 4 == 0) for number in range(6000)])

    assert model.weights[FEATURE_NAMES.index("margin")] == pytest.approx(0.5, rel=0.4)
    # The many weights of a state are held down, the few of the evidence make up for it.
    assert model.state_weights[0] == pytest.approx(2.0, rel=0.4)
    assert abs(model.state_weights[1:]).max() < 0.2
    assert model.bias == pytest.approx(-0.5, abs=0.3)


def test_scale_and_bias_are_those_of_what_was_kept_back() -> None:
    rng = random.Random(2)
    seen = [asked(rng, is_kept_back=False) for _ in range(2000)]
    # Where it was not fitted, nothing is right.
    kept_back = [
        Asked(each.features, each.states, (number % 50 == 0,), True, 0.5, True)
        for number, each in enumerate(asked(rng, is_kept_back=True) for _ in range(1000))
    ]

    model = fitted([*seen, *kept_back])

    found = [
        Calibration(
            model.bias, tuple(model.weights), 0.5, 0.0, cls_weights=tuple(model.state_weights)
        ).probability(Features(*each.features[0], each.states[0]))
        for each in kept_back
    ]
    assert sum(found) / len(found) == pytest.approx(0.02, abs=0.005)
