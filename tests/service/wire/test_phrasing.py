"""Texts about answers are the same everywhere, and never claim certainty."""

import pytest

from citewire.rag.types import Answers, NoAnswer, Reason
from citewire.service.wire.answers import AnswerOut, ClosestOut
from citewire.service.wire.convert import convert_result
from citewire.service.wire.phrasing import count, explain, format_percentage, name_likelihood


@pytest.mark.parametrize(
    ("probability", "words"),
    [
        (1.0, "very likely, over 99 %"),
        (0.9, "very likely, 90 %"),
        (0.8999, "likely, 90 %"),
        (0.66, "likely, 66 %"),
        (0.33, "possible, 33 %"),
        (0.1, "doubtful, 10 %"),
        (0.0, "doubtful, under 1 %"),
    ],
)
def test_probability_in_words(probability: float, words: str) -> None:
    assert f"{name_likelihood(probability)}, {format_percentage(probability)}" == words


def test_certainty_is_never_claimed() -> None:
    assert (format_percentage(0.9999), format_percentage(0.0001)) == ("over 99 %", "under 1 %")


def test_plural() -> None:
    assert [count(number, "article") for number in (0, 1, 1200)] == [
        "0 articles",
        "1 article",
        "1,200 articles",
    ]


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_is_explained_in_a_sentence(reason: Reason) -> None:
    assert (explain(reason) or "").endswith(".")


def test_answer_carries_its_texts(answered: Answers) -> None:
    (answer,) = convert_result(answered, "r").answers

    assert (answer.likelihood, answer.percentage) == ("very likely", "91 %")
    assert answer.support.text == "said by 2 articles"


def test_texts_of_another_service_are_kept(answered: Answers) -> None:
    (answer,) = convert_result(answered, "r").answers
    told = answer.model_dump() | {"percentage": "about 90 %"}

    assert AnswerOut.model_validate(told).percentage == "about 90 %"


def test_closest_passage_has_its_confidence_under_both_names(not_answered: NoAnswer) -> None:
    response = convert_result(not_answered, "r")
    (closest,) = response.closest

    assert response.explanation == (
        "Some articles come near the subject, but none states an answer."
    )
    assert (closest.confidence, closest.score, closest.percentage) == (0.1235, 0.1235, "12 %")
    assert ClosestOut.model_json_schema()["properties"]["score"]["deprecated"] is True
