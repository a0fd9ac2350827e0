"""Articles over HTTP: lists, one article, sources, fingerprints."""

from typing import Any

import pytest
from starlette.testclient import TestClient

from citewire.index.catalogue.records import Known

IN_ORDER = ["bare", "news/a.md", "news/b.md", "news/harbour.md", "news/ü & ?#%.md"]


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


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("named=HARBOUR", ["news/harbour.md"]),
        ("named=.md&limit=2", ["news/a.md", "news/b.md"]),
        ("source=Tideline&source=Other", ["news/harbour.md"]),
        ("published_from=2023-11-09&published_to=2023-11-09", ["news/harbour.md"]),
        ("published_from=2023-11-10", []),
        ("named=%25", ["news/ü & ?#%.md"]),
    ],
)
def test_list_is_narrowed(client: TestClient, query: str, ids: list[str]) -> None:
    page = client.get(f"/v1/articles?{query}").json()

    assert [article["id"] for article in page["articles"]] == ids


@pytest.mark.parametrize(
    "query", ["published_from=x", "published_from=2024-01-02&published_to=2024-01-01", "named=%00"]
)
def test_filters_that_make_no_sense_are_refused(client: TestClient, query: str) -> None:
    assert client.get(f"/v1/articles?{query}").status_code == 422


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


# One article, fingerprints


@pytest.mark.parametrize(
    "path",
    ["news/%C3%BC%20%26%20%3F%23%25.md", "news%2F%C3%BC%20%26%20%3F%23%25.md"],
)
def test_article_is_read_by_its_id_in_a_url(client: TestClient, path: str) -> None:
    response = client.get(f"/v1/articles/{path}")

    assert (response.status_code, response.json().get("id")) == (200, "news/ü & ?#%.md")


def test_fingerprints_are_listed_for_comparison(client: TestClient, pipeline: Any) -> None:
    origin = {"id": "x", "text": "X.", "origin": "/news/x.md"}
    client.post("/v1/articles", json={"articles": [origin]})
    page = client.post("/v1/articles/known", json={}).json()

    assert page["next_cursor"] is None
    assert {
        each["id"]: Known(each["fingerprint"], each["origin"]) for each in page["articles"]
    } == pipeline.archive.catalogue.known_after("", 100)
    assert page["articles"][-1]["origin"] == "/news/x.md"
