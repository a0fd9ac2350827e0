"""Texts about answers are the same everywhere, and never claim certainty."""

import pytest
from starlette.testclient import TestClient

from citewire.rag.types import Answers, NoAnswer, Reason
from citewire.service.cli.render_answer import render_response
from citewire.service.cli.terminal import Style
from citewire.service.wire.answers import AnswerOut, AskResponse
from citewire.service.wire.convert import convert_result
from citewire.service.wire.phrasing import count, explain, format_percentage, name_likelihood

ASK = {"question": "Who opened it?"}


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


def test_every_way_in_shows_the_same_texts(client: TestClient) -> None:
    response = AskResponse.model_validate(client.post("/v1/ask", json=ASK).json())
    answer = response.answers[0]
    shown = f"({answer.likelihood}, {answer.percentage}, {answer.support.text})"
    stream = client.post("/v1/ask/stream", json=ASK).text
    body = {"model": "citewire", "messages": [{"role": "user", "content": ASK["question"]}]}
    message = client.post("/v1/chat/completions", json=body).json()["choices"][0]["message"]

    assert shown == "(very likely, 91 %, said by 2 articles)"
    assert shown in render_response(response, Style(colours=False))
    assert f"event: answer\ndata: {answer.model_dump_json()}\n" in stream
    assert shown in message["content"]
    assert message["citewire"]["answers"] == [answer.model_dump(mode="json")]


def test_description_of_the_api_marks_the_former_name(client: TestClient) -> None:
    schemas = client.get("/openapi.json").json()["components"]["schemas"]
    closest = schemas["ClosestOut"]["properties"]

    assert closest["score"]["deprecated"] is True
    assert "deprecated" not in closest["confidence"]


def test_texts_of_another_service_are_kept(answered: Answers) -> None:
    (answer,) = convert_result(answered, "r").answers
    received = answer.model_dump() | {"percentage": "about 90 %"}

    assert AnswerOut.model_validate(received).percentage == "about 90 %"


def test_closest_passage_has_its_confidence_under_both_names(not_answered: NoAnswer) -> None:
    response = convert_result(not_answered, "r")
    (closest,) = response.closest

    assert response.explanation == (
        "Some articles come near the subject, but none states an answer."
    )
    assert (closest.confidence, closest.score, closest.percentage) == (0.1235, 0.1235, "12 %")
