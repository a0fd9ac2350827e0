"""The routes of questions and articles, over a real catalogue."""

import hashlib
from datetime import date
from typing import Any

import pytest
from starlette.testclient import TestClient

from citewire.index.types import Filters
from citewire.rag.types import Question
from citewire.service.routes.cursors import read_cursor, write_cursor

IN_ORDER = ["bare", "news/a.md", "news/b.md", "news/harbour.md", "news/ü & ?#%.md"]


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


# Lists


def test_articles_are_listed_in_the_order_of_their_ids(client: TestClient) -> None:
    page = client.get("/v1/articles").json()

    assert [article["id"] for article in page["articles"]] == IN_ORDER
    assert page["next_cursor"] is None


def test_summary_has_everything_but_the_text(client: TestClient) -> None:
    summary = client.get("/v1/articles").json()["articles"][3]

    assert summary == {
        "id": "news/harbour.md",
        "title": "Harbour opens",
        "source": "Tideline",
        "url": "https://example.org/harbour",
        "published_at": "2023-11-09",
        "author": "Ines Calloway",
        "language": "en",
        "sha256": "2a09b836241e4f3bae94e27a597ec4f08dee9c3303d4f7d0137cc6b8b658e397",
        "characters": 72,
    }


@pytest.mark.parametrize(("limit", "sizes"), [(1, [1] * 5), (2, [2, 2, 1]), (4, [4, 1]), (5, [5])])
def test_pages_together_list_every_article_once(
    client: TestClient, limit: int, sizes: list[int]
) -> None:
    pages = [client.get("/v1/articles", params={"limit": limit}).json()]
    while cursor := pages[-1]["next_cursor"]:
        pages.append(client.get("/v1/articles", params={"limit": limit, "cursor": cursor}).json())

    assert [len(page["articles"]) for page in pages] == sizes
    assert [article["id"] for page in pages for article in page["articles"]] == IN_ORDER


def test_page_goes_on_behind_an_article_that_was_removed_meanwhile(
    client: TestClient, pipeline: Any
) -> None:
    page = client.get("/v1/articles", params={"limit": 2}).json()
    pipeline.archive.catalogue.remove(["news/a.md"])
    rest = client.get("/v1/articles", params={"cursor": page["next_cursor"]}).json()

    assert [article["id"] for article in rest["articles"]] == IN_ORDER[2:]


@pytest.mark.parametrize("article_id", ["a", "news/ü & ?#%.md", "🎉", "a\nb"])
def test_cursor_is_read_as_it_was_written(article_id: str) -> None:
    assert read_cursor(write_cursor(article_id)) == article_id


def test_no_cursor_begins_at_the_beginning() -> None:
    assert read_cursor("") == ""


# Sources


def test_sources_are_listed_with_the_number_of_their_articles_largest_first(
    client: TestClient,
) -> None:
    for name, source in [("x", "Harbour Wire"), ("y", "Harbour Wire"), ("z", None)]:
        client.put(f"/v1/articles/{name}", json={"text": "It rained.", "source": source})

    assert client.get("/v1/sources").json() == {
        "sources": [
            {"name": "Harbour Wire", "articles": 2},
            {"name": "Tideline", "articles": 1},
        ],
        "more": False,
    }


def test_list_of_sources_ends_somewhere_and_says_so(client: TestClient) -> None:
    articles = [{"id": f"{n}", "text": "It rained.", "source": f"{n:03}"} for n in range(500)]
    client.post("/v1/articles", json={"articles": articles})
    listed = client.get("/v1/sources").json()

    assert (len(listed["sources"]), listed["more"]) == (500, True)


# Articles, health, page


@pytest.mark.parametrize(
    "path",
    ["news/%C3%BC%20%26%20%3F%23%25.md", "news%2F%C3%BC%20%26%20%3F%23%25.md"],
)
def test_article_is_read_by_its_id_in_a_url(client: TestClient, path: str) -> None:
    response = client.get(f"/v1/articles/{path}")

    assert (response.status_code, response.json().get("id")) == (200, "news/ü & ?#%.md")


def test_ready_says_how_large_the_archive_is(client: TestClient, pipeline: Any) -> None:
    assert client.get("/health/ready").json() == {
        "status": "ready",
        "articles": 5,
        "passages": 5,
        "index_version": str(pipeline.archive.catalogue.state()),
    }


def test_page_is_served_and_always_asked_for_anew(client: TestClient) -> None:
    response = client.get("/")

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["cache-control"] == "no-cache"
    assert "<title>Citewire</title>" in response.text


@pytest.mark.parametrize(
    ("name", "kind"),
    [("app.js", "text/javascript"), ("app.css", "text/css"), ("favicon.svg", "image/svg+xml")],
)
def test_static_files_come_in_their_media_types(client: TestClient, name: str, kind: str) -> None:
    assert client.get(f"/static/{name}").headers["content-type"].split(";")[0] == kind
