import random

import pytest

from citewire.rag.reading.calibration import FEATURE_NAMES, Calibration, Features
from citewire.rag.training.regression import JudgedQuestion, fit

WIDTH = 12


def judge_drawn(rng: random.Random, is_held_out: bool) -> JudgedQuestion:
    """One candidate, right as often as its margin and the first number of its [CLS] vector say."""
    margin = rng.gauss(0, 2)
    cls_vector = tuple(rng.gauss(0, 1) for _ in range(WIDTH))
    logit = 0.5 * margin + 2 * cls_vector[0] - 0.5
    features = Features(margin, rng.random(), rng.random(), rng.gauss(0, 1), cls_vector)
    return JudgedQuestion(
        features=(features.vector(),),
        cls_vectors=(cls_vector,),
        right=(
            rng.random()
            < Calibration(logit, (0.0,) * len(FEATURE_NAMES), 0.5, 0.0).probability(features),
        ),
        is_answerable=True,
        similarity=features.similarity,
        is_held_out=is_held_out,
    )


def test_a_cls_vector_that_separates_right_from_wrong_is_weighed_beside_the_features() -> None:
    rng = random.Random(1)

    model = fit([judge_drawn(rng, is_held_out=number % 4 == 0) for number in range(6000)])

    assert model.weights[FEATURE_NAMES.index("margin")] == pytest.approx(0.5, rel=0.4)
    # L2 holds the many weights of the [CLS] vector down; the few of the features make up for it.
    assert model.cls_weights[0] == pytest.approx(2.0, rel=0.4)
    assert abs(model.cls_weights[1:]).max() < 0.2
    assert model.bias == pytest.approx(-0.5, abs=0.3)


def test_scale_and_bias_are_fitted_to_the_held_out_questions() -> None:
    rng = random.Random(2)
    seen = [judge_drawn(rng, is_held_out=False) for _ in range(2000)]
    # Of the held-out candidates hardly any is right.
    held_out = [
        JudgedQuestion(each.features, each.cls_vectors, (number % 50 == 0,), True, 0.5, True)
        for number, each in enumerate(judge_drawn(rng, is_held_out=True) for _ in range(1000))
    ]

    model = fit([*seen, *held_out])

    found = [
        Calibration(
            model.bias, tuple(model.weights), 0.5, 0.0, cls_weights=tuple(model.cls_weights)
        ).probability(Features(*each.features[0], each.cls_vectors[0]))
        for each in held_out
    ]
    assert sum(found) / len(found) == pytest.approx(0.02, abs=0.005)
