"""Passages over HTTP, from a stub of the retriever."""

from datetime import date
from typing import Any

import pytest
from starlette.testclient import TestClient

from citewire.index.types import Filters
from citewire.rag.types import Question
from citewire.service.cli.render_search import render_search
from citewire.service.cli.terminal import Style
from citewire.service.wire.search import SearchResponse

ASK = {"question": "Who opened the harbour?"}


def test_search_reaches_the_library_as_it_was_asked(client: TestClient, pipeline: Any) -> None:
    filters = {"published_from": "2023-11-01", "sources": ["Tideline"]}
    client.post("/v1/search", json={"question": "harbour", "limit": 3, "filters": filters})
    asked = Question("harbour", Filters(date(2023, 11, 1), None, frozenset({"Tideline"})))
    assert pipeline.retriever.asked == [(asked, 3)]


def test_passages_can_be_checked_against_the_articles(client: TestClient) -> None:
    found = client.post("/v1/search", json=ASK).json()["passages"]
    assert len(found) == 2
    for passage in found:
        article = client.get(f"/v1/articles/{passage['article_id']}").json()
        assert article["text"][passage["start"] : passage["end"]] == passage["quote"]
        assert article["sha256"] == passage["article_sha256"]


def test_scores_of_both_searches_are_given_on_request(client: TestClient) -> None:
    plain = client.post("/v1/search", json=ASK).json()["passages"][0]
    explained = client.post("/v1/search", json=ASK | {"explain": True}).json()["passages"][0]
    assert plain["legs"] is None
    legs = {"cosine": 0.5123, "bm25": 7.25, "dense_rank": 3, "lexical_rank": None}
    assert explained == plain | {"legs": legs}


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"question": " "},
        ASK | {"limit": 0},
        ASK | {"limit": 101},
        ASK | {"max_answers": 3},
        ASK | {"filters": {"published_from": "2024-01-02", "published_to": "2024-01-01"}},
    ],
)
def test_request_that_cannot_be_searched_is_refused(
    client: TestClient, body: dict[str, Any]
) -> None:
    response = client.post("/v1/search", json=body)
    assert response.status_code == 422
    assert response.headers["Content-Type"] == "application/problem+json"


def test_passages_are_shown_with_their_place_and_both_scores(client: TestClient) -> None:
    body = client.post("/v1/search", json=ASK | {"explain": True, "limit": 1}).text
    shown = render_search(SearchResponse.model_validate_json(body), Style(colours=False))
    assert "Mayor Ada Quill opened the harbour on Thursday." in shown
    assert "Harbour opens · Tideline · 2023-11-09" in shown
    assert "news/harbour.md [0:72]" in shown
    assert "dense no. 3, cosine 0.51; lexical not among its best, BM25 7.2" in shown


def test_nothing_found_is_said(client: TestClient) -> None:
    body = SearchResponse.model_validate_json(client.post("/v1/search", json=ASK).text)
    nothing = body.model_copy(update={"passages": []})
    assert "Nothing is found." in render_search(nothing, Style(colours=False))
