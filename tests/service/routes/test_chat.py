"""A conversation over HTTP: follow-ups are understood before they are asked."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from citewire.index.types import Filters

EARLIER = [
    {"role": "user", "content": "Who opened the harbour?"},
    {"role": "assistant", "content": "Mayor Ada Quill"},
]


def said(question: str, **fields: Any) -> dict[str, Any]:
    return {"messages": [*EARLIER, {"role": "user", "content": question}], **fields}


def test_follow_up_is_asked_as_it_was_understood(client: TestClient, answerer: Any) -> None:
    response = client.post("/v1/chat", json=said("when was she born?")).json()

    assert response["status"] == "answered"
    assert response["question"] == "when was she born?"
    assert response["asked_as"] == "When was Mayor Ada Quill born?"
    assert [question.text for question in answerer.asked] == ["When was Mayor Ada Quill born?"]


def test_filters_and_number_of_answers_hold_in_a_conversation(
    client: TestClient, answerer: Any
) -> None:
    client.post("/v1/chat", json=said("why?", max_answers=2, filters={"sources": ["Tideline"]}))

    assert answerer.asked[0].max_answers == 2
    assert answerer.asked[0].filters == Filters(sources=frozenset(["Tideline"]))


def test_follow_up_to_nothing_is_asked_back_and_not_searched(
    client: TestClient, answerer: Any
) -> None:
    body = {"messages": [{"role": "user", "content": "when did she resign?"}]}
    response = client.post("/v1/chat", json=body)

    assert response.status_code == 200
    assert response.json()["status"] == "unclear"
    assert response.json()["ask_back"] == "Whom do you mean by “she”? Name the person."
    assert response.headers["x-request-id"] == response.json()["request_id"]
    assert answerer.asked == []


def test_understanding_searches_nothing(client: TestClient, answerer: Any) -> None:
    response = client.post("/v1/understand", json=said("where?")).json()

    assert response == {
        "status": "understood",
        "question": "where?",
        "asked_as": "Where was it that Mayor Ada Quill opened the harbour?",
        "alternatives": [],
    }
    assert answerer.asked == []


def test_without_the_answer_the_person_is_described(client: TestClient) -> None:
    body = {"messages": [EARLIER[0], {"role": "user", "content": "when was she born?"}]}
    response = client.post("/v1/chat", json=body).json()

    assert response["asked_as"] == "When was the person who opened the harbour born?"


@pytest.mark.parametrize(
    "messages",
    [
        [],
        EARLIER,
        [{"role": "user", "content": "   "}],
        [{"role": "system", "content": "Who?"}],
        [{"role": "user", "content": "x" * 1001}],
        [{"role": "user", "content": "Who?"}] * 41,
    ],
    ids=["none", "ends with an answer", "blank", "unknown role", "too long", "too many"],
)
def test_body_that_is_no_conversation_is_refused(
    client: TestClient, messages: list[dict[str, str]]
) -> None:
    response = client.post("/v1/chat", json={"messages": messages})

    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"


def test_text_that_cannot_be_stored_is_refused(client: TestClient) -> None:
    body = {"messages": [{"role": "user", "content": "Who met \x00?"}]}

    assert client.post("/v1/chat", json=body).status_code == 422
