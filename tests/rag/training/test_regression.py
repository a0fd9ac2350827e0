import random
from dataclasses import replace

import pytest

from citewire.rag.reading.calibration import FEATURE_NAMES, Calibration, Features
from citewire.rag.reading.question_kind import QuestionKind
from citewire.rag.training.regression import (
    JudgedQuestion,
    bound_risk,
    choose_threshold,
    fit,
)

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
        kind=rng.choice(list(QuestionKind)),
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
        JudgedQuestion(
            each.features, each.cls_vectors, (number % 50 == 0,), True, 0.5, True, each.kind
        )
        for number, each in enumerate(judge_drawn(rng, is_held_out=True) for _ in range(1000))
    ]

    model = fit([*seen, *held_out])

    found = [
        Calibration(
            model.bias,
            tuple(model.weights),
            0.5,
            0.0,
            cls_weights=tuple(model.cls_weights),
            kinds=model.kinds,
        ).probability(Features(*each.features[0], cls_vector=each.cls_vectors[0], kind=each.kind))
        for each in held_out
    ]
    assert sum(found) / len(found) == pytest.approx(0.02, abs=0.005)
    assert found == pytest.approx([model.judge_best(each)[0] for each in held_out])


def test_kind_whose_candidates_are_seldom_right_has_a_lower_probability() -> None:
    rng = random.Random(3)
    drawn = [judge_drawn(rng, is_held_out=number % 4 == 0) for number in range(6000)]
    # Whatever its margin, no candidate of a question that asks who did it is right.
    judged = [
        replace(each, right=(each.right[0] and each.kind is not QuestionKind.WHO,))
        for each in drawn
    ]

    model = fit(judged)

    assert model.kinds[QuestionKind.WHO].bias < -2
    others = [own.bias for kind, own in model.kinds.items() if kind is not QuestionKind.WHO]
    assert max(map(abs, others)) < 1


def test_risk_is_bounded_from_above() -> None:
    # The "rule of three": none wrong in n gives a bound of about 3 / n.
    assert bound_risk(0, 300) == pytest.approx(0.01, abs=0.0005)
    assert bound_risk(5, 100) == pytest.approx(0.1023, abs=0.0005)
    assert bound_risk(4, 4) == 1.0


def test_threshold_is_the_lowest_with_the_wanted_risk() -> None:
    judged = [(1 - place / 1000, place < 500) for place in range(1000)]
    threshold = choose_threshold(judged, risk=0.1)
    given = sum(probability >= threshold for probability, _ in judged)
    wrong = given - 500
    assert bound_risk(wrong, given) <= 0.1 < bound_risk(wrong + 1, given + 1)
    # Equal probabilities are given together, or not at all.
    tied = [(0.9, True)] * 60 + [(0.5, True)] * 5 + [(0.5, False)] * 40
    assert choose_threshold(tied, risk=0.1) == 0.9
    with pytest.raises(ValueError, match="no threshold has a risk of"):
        choose_threshold([(0.9, True), (0.8, False), (0.7, True)], risk=0.1)
