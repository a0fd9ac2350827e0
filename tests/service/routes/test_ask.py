"""Questions over HTTP."""

import hashlib
from datetime import date
from typing import Any

from starlette.testclient import TestClient

from citewire.index.types import Filters
from citewire.rag.types import Question


def test_question_reaches_the_library_as_it_was_asked(client: TestClient, answerer: Any) -> None:
    filters = {
        "published_from": "2023-11-01",
        "published_to": "2023-11-30",
        "sources": ["Tideline", "Harbour Wire"],
    }
    body = {"question": " who met Park Jin? ", "max_answers": 3, "filters": filters}
    response = client.post("/v1/ask", json=body)

    assert response.status_code == 200
    assert answerer.asked == [
        Question(
            " who met Park Jin? ",
            Filters(date(2023, 11, 1), date(2023, 11, 30), frozenset(["Tideline", "Harbour Wire"])),
            max_answers=3,
        )
    ]


def test_omitted_fields_have_defaults(client: TestClient, answerer: Any) -> None:
    client.post("/v1/ask", json={"question": "Who?"})

    assert answerer.asked == [Question("Who?", Filters(), max_answers=5)]


def test_quotes_can_be_checked_against_the_articles(client: TestClient) -> None:
    (answer,) = client.post("/v1/ask", json={"question": "Who?"}).json()["answers"]

    for citation in answer["citations"]:
        article = client.get("/v1/articles/" + citation["article_id"]).json()
        assert article["text"][citation["start"] : citation["end"]] == citation["quote"]
        assert article["sha256"] == citation["article_sha256"]
        assert hashlib.sha256(article["text"].encode()).hexdigest() == article["sha256"]
