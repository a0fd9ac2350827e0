import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewire.rag.errors import ModelRejected
from citewire.rag.models.model_files import prepare_model
from citewire.rag.reading.calibration import (
    CALIBRATION_FILE,
    FEATURE_NAMES,
    MAX_LEAD,
    UNCALIBRATED,
    Calibration,
    Features,
    KindWeights,
    read_calibration,
)
from citewire.rag.reading.question_kind import QuestionKind
from citewire.rag.settings import SHIPPED_READER

READER = "reader:made-up"
FIELDS = {
    "reader": READER,
    "bias": -1.0,
    "weights": dict.fromkeys(FEATURE_NAMES, 0.5),
    "threshold": 0.4,
    "relevance": 0.3,
    "paragraph": {"bias": 0.25, "margin": 0.75},
}
numbers = st.floats(-1e6, 1e6)


def margin_only(bias: float, weight: float) -> Calibration:
    return Calibration(bias, (weight, *[0.0] * (len(FEATURE_NAMES) - 1)), 0.5, 0.0)


@given(numbers, numbers, st.floats(0, 1), numbers)
def test_any_features_have_a_probability(
    margin: float, similarity: float, coverage: float, lead: float
) -> None:
    weights = (3.0,) * len(FEATURE_NAMES)
    features = Features(margin, similarity, coverage, lead)
    assert 0 <= Calibration(-2.0, weights, 0.5, 0.0).probability(features) <= 1


def test_a_probability_is_the_logistic_function_of_the_weighted_sum() -> None:
    features = Features(margin=2.0, similarity=0.7, coverage=0.5, lead=1.0)
    assert margin_only(-3.0, 1.0).probability(features) == pytest.approx(0.2689414)


@given(st.floats(-30, 30), st.floats(-30, 30))
def test_a_larger_margin_is_never_less_probable(one: float, other: float) -> None:
    small, large = (
        margin_only(0.0, 0.5).probability(
            Features(margin=margin, similarity=0.5, coverage=0.5, lead=0.0)
        )
        for margin in sorted((one, other))
    )
    assert small <= large


def test_a_lead_beyond_the_greatest_says_no_more() -> None:
    calibration = Calibration(0.0, (0.0,) * (len(FEATURE_NAMES) - 1) + (1.0,), 0.5, 0.0)
    great, greater = (
        calibration.probability(Features(margin=0.0, similarity=0.0, coverage=0.0, lead=lead))
        for lead in (MAX_LEAD, MAX_LEAD + 100)
    )
    assert great == greater


def test_a_span_of_a_given_paragraph_is_judged_only_by_its_margin() -> None:
    calibration = Calibration(
        5.0, (1.0,) * len(FEATURE_NAMES), threshold=0.5, relevance=0.2, paragraph=(-1.0, 0.5)
    )
    assert calibration.probability_in_paragraph(2.0) == 0.5
    assert calibration.probability_in_paragraph(4.0) == pytest.approx(0.7310586)


def test_kind_of_question_changes_bias_and_weight_of_the_margin() -> None:
    features = Features(margin=2.0, similarity=0.0, coverage=0.0, lead=0.0, kind=QuestionKind.WHO)
    calibration = replace(
        margin_only(0.0, 1.0), kinds={QuestionKind.WHO: KindWeights(bias=-1.0, margin=-0.5)}
    )
    assert calibration.probability(features) == 0.5
    other = replace(features, kind=QuestionKind.WHEN)
    assert calibration.probability(other) == margin_only(0.0, 1.0).probability(other)


def test_kinds_and_the_possible_are_read_from_the_file(tmp_path: Path) -> None:
    own = {
        "kinds": {"who": {"bias": -1, "margin": 0.25}},
        "possible": 0.2,
        "who_threshold": 0.7,
        "risk": {"wanted": 0.2, "bound": 0.19},
    }
    (tmp_path / CALIBRATION_FILE).write_text(json.dumps(FIELDS | own), "utf-8")
    calibration = read_calibration(tmp_path, READER)
    assert calibration.kinds == {QuestionKind.WHO: KindWeights(-1.0, 0.25)}
    assert (calibration.possible, calibration.risk) == (0.2, 0.19)
    assert calibration.threshold_for(QuestionKind.WHO) == 0.7
    assert calibration.threshold_for(QuestionKind.WHEN) == calibration.threshold == 0.4
    (tmp_path / CALIBRATION_FILE).write_text(json.dumps(FIELDS), "utf-8")
    assert read_calibration(tmp_path, READER).possible == 1.0


def test_the_readers_cls_vector_counts_where_its_weights_are_known() -> None:
    judging = Calibration(
        0.0, (0.0,) * len(FEATURE_NAMES), threshold=0.5, relevance=0.2, cls_weights=(1.0, -2.0)
    )
    features = Features(margin=0.0, similarity=0.0, coverage=0.0, lead=0.0, cls_vector=(3.0, 1.0))

    assert judging.probability(features) == pytest.approx(0.7310586)
    assert UNCALIBRATED.probability(features) == 0.5
    # A reader that gives no vector is judged by the rest.
    assert judging.probability(replace(features, cls_vector=())) == 0.5


def test_a_calibration_of_other_features_is_rejected() -> None:
    with pytest.raises(ModelRejected, match="weights"):
        Calibration(0.0, (1.0,), 0.5, 0.0)


def test_a_reader_without_a_calibration_is_uncalibrated(tmp_path: Path) -> None:
    assert read_calibration(tmp_path, READER) == UNCALIBRATED


def test_a_calibration_is_read(tmp_path: Path) -> None:
    fields = FIELDS | {"state_weights": [0.5, -0.25]}
    (tmp_path / CALIBRATION_FILE).write_text(json.dumps(fields))
    expected = Calibration(
        -1.0,
        (0.5,) * len(FEATURE_NAMES),
        threshold=0.4,
        relevance=0.3,
        paragraph=(0.25, 0.75),
        cls_weights=(0.5, -0.25),
    )
    assert read_calibration(tmp_path, READER) == expected


def test_the_calibration_of_another_reader_is_rejected(tmp_path: Path) -> None:
    (tmp_path / CALIBRATION_FILE).write_text(json.dumps(FIELDS))
    with pytest.raises(ModelRejected, match="fitted to another reader"):
        read_calibration(tmp_path, "reader:other")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        json.dumps(FIELDS | {"weights": {}}),
        json.dumps(FIELDS | {"bias": "much"}),
        json.dumps(FIELDS | {"threshold": None}),
        json.dumps(FIELDS | {"paragraph": {"bias": 0.0}}),
        json.dumps(FIELDS | {"state_weights": ["much"]}),
    ],
)
def test_a_broken_calibration_is_rejected(tmp_path: Path, text: str) -> None:
    (tmp_path / CALIBRATION_FILE).write_text(text)
    with pytest.raises(ModelRejected, match="no usable calibration"):
        read_calibration(tmp_path, READER)


def test_the_shipped_calibration_belongs_to_the_shipped_reader() -> None:
    model = prepare_model("reader", str(SHIPPED_READER), Path("unused"))
    assert 0 < read_calibration(model.folder, model.identity).threshold < 1
