"""Verifying quotes and following evidence links over HTTP."""

import json
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from citewire.index.catalogue.records import EncodedArticle
from citewire.index.types import Article, Span
from citewire.rag.quotes.permalink import EvidenceId
from citewire.service.auth.keys import Keyring

PAYLOAD = "<script>alert(1)</script> \"'>& <img src=x onerror=alert(1)> </mark></div>"


def put(pipeline: Any, article: Article) -> None:
    spans = (Span(0, len(article.text)),)
    vectors = np.ones((1, 4), np.float32)
    pipeline.archive.catalogue.put([EncodedArticle(article, "nowhere", spans, vectors)])


def harbour(pipeline: Any) -> Article:
    article: Article = pipeline.archive.catalogue.article("news/harbour.md")
    return article


def build_link(pipeline: Any, quote: str) -> str:
    article = harbour(pipeline)
    start = article.text.index(quote)
    return str(EvidenceId.from_span(article, Span(start, start + len(quote))))


class Page(HTMLParser):
    """The elements of a page, and the text of its article and its mark."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.marked = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        if "div" in self.open:
            self.text += data
        if "mark" in self.open:
            self.marked += data


# Verifying


def test_exact_quote_is_returned_with_its_place(client: TestClient, pipeline: Any) -> None:
    response = client.post("/v1/verify", json={"quote": "opened the harbour"})
    body = response.json()
    (match,) = body["matches"]

    assert (response.status_code, body["status"], body["more"]) == (200, "exact", False)
    assert harbour(pipeline).text[match["start"] : match["end"]] == "opened the harbour"
    assert match["context"] == "Mayor Ada Quill opened the harbour on Thursday."
    assert body["searched"] == {"articles": 5, "passages": 5}
    assert body["index_version"] == str(pipeline.archive.catalogue.state())


@pytest.mark.parametrize(
    ("quote", "article", "status"),
    [
        ("Ada Quill", None, "exact"),
        ("Ada  Quill", None, "whitespace_only"),
        ("opened the harbour", "bare", "misattributed"),
        ("opened the harbor", None, "not_found"),
    ],
)
def test_quote_is_given_its_status(
    client: TestClient, quote: str, article: str | None, status: str
) -> None:
    body = client.post("/v1/verify", json={"quote": quote, "article_id": article}).json()

    assert body["status"] == status
    assert (body["matches"] == []) == (status == "not_found")


def test_quote_in_other_letters_is_hinted_at(client: TestClient) -> None:
    body = client.post("/v1/verify", json={"quote": "Opened The harbour On Thursday"}).json()

    assert body["status"] == "not_found"
    assert body["closest"]["quote"] == "opened the harbour on Thursday"


@pytest.mark.parametrize("quote", ["", " ", "a" * 2001, "a\0", 7])
def test_a_text_that_is_no_quote_is_refused(client: TestClient, quote: Any) -> None:
    assert client.post("/v1/verify", json={"quote": quote}).status_code == 422


# Following links


def test_citations_link_to_their_evidence(client: TestClient) -> None:
    (answer,) = client.post("/v1/ask", json={"question": "Who?"}).json()["answers"]

    for citation in answer["citations"]:
        found = client.get("/v1" + citation["evidence"]).json()
        assert (found["state"], found["citation"]) == ("ok", citation)


def test_evidence_is_json_for_clients_that_accept_it(client: TestClient, pipeline: Any) -> None:
    link = build_link(pipeline, "Ada Quill")
    shown = client.get(f"/evidence/{link}", headers={"Accept": "application/json"})

    assert shown.headers["content-type"] == "application/json"
    assert shown.json() == client.get(f"/v1/evidence/{link}").json()


def test_page_shows_the_quote_marked_in_its_article(client: TestClient, pipeline: Any) -> None:
    response = client.get(f"/evidence/{build_link(pipeline, 'Ada Quill')}")
    page = Page(response.text)

    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert "script" not in page.tags
    assert "<strong>Verified.</strong>" in response.text
    assert (page.text, page.marked) == (harbour(pipeline).text, "Ada Quill")


def test_page_needs_no_more_than_the_policy_allows(client: TestClient, pipeline: Any) -> None:
    response = client.get(f"/evidence/{build_link(pipeline, 'Ada Quill')}")

    assert "default-src 'none'" in response.headers["content-security-policy"]
    assert "style" not in {*Page(response.text).tags, *Page(response.text).attributes}
    assert client.get("/static/evidence.css").status_code == 200


@pytest.mark.parametrize(
    ("text", "state"),
    [
        ("New. Mayor Ada Quill opened the harbour.", "moved"),
        ("Another text.", "changed"),
    ],
)
def test_replaced_article_is_distinguished_from_the_cited_one(
    client: TestClient, pipeline: Any, text: str, state: str
) -> None:
    link = build_link(pipeline, "Ada Quill")
    put(pipeline, replace(harbour(pipeline), text=text))
    found = client.get(f"/v1/evidence/{link}").json()
    page = Page(client.get(f"/evidence/{link}").text)

    assert found["state"] == state
    assert page.marked == ("Ada Quill" if state == "moved" else "")


def test_removed_article_leaves_nothing_to_be_seen(client: TestClient, pipeline: Any) -> None:
    link = build_link(pipeline, "Ada Quill")
    pipeline.archive.catalogue.remove(["news/harbour.md"])
    response = client.get(f"/evidence/{link}")

    assert client.get(f"/v1/evidence/{link}").json()["state"] == "removed"
    assert response.status_code == 200
    assert "Quill" not in response.text
    assert "harbour" not in response.text


def test_markup_in_an_article_is_text_on_the_page(client: TestClient, pipeline: Any) -> None:
    article = Article(
        f"x/{PAYLOAD}",
        PAYLOAD,
        f"Before {PAYLOAD} after\n\n& more",
        source=PAYLOAD,
        author=PAYLOAD,
        url=f"https://example.org/{PAYLOAD}",
    )
    put(pipeline, article)
    html = client.get(f"/evidence/{EvidenceId.from_span(article, Span(7, 7 + len(PAYLOAD)))}").text
    page = Page(html)

    assert (page.text, page.marked) == (article.text, PAYLOAD)
    assert not {"script", "img"} & {*page.tags}
    assert "onerror" not in page.attributes


def test_address_that_would_run_is_no_link(client: TestClient, pipeline: Any) -> None:
    article = Article("x", "X", "Some text.", url="javascript:alert(1)")
    put(pipeline, article)

    assert (
        "javascript:"
        not in client.get(f"/evidence/{EvidenceId.from_span(article, Span(0, 4))}").text
    )


@pytest.mark.parametrize("link", ["x", "WyJh", "%00", "a" * 3000])
def test_address_that_is_no_link_is_not_found(client: TestClient, link: str) -> None:
    page = client.get(f"/evidence/{link}")

    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert client.get(f"/v1/evidence/{link}").status_code == 404


def test_forged_link_does_not_put_words_on_the_page(client: TestClient, pipeline: Any) -> None:
    article = replace(harbour(pipeline), text="Mayor Quill is a thief and a liar.")
    forged = str(EvidenceId.from_span(article, Span(0, 20)))
    html = client.get(f"/evidence/{forged}").text

    assert "thief" not in html
    assert "thief" not in json.dumps(client.get(f"/v1/evidence/{forged}").json())


def test_evidence_needs_the_key(serve: Callable[..., TestClient], pipeline: Any) -> None:
    client = serve(keys=Keyring(api_key="a-key-of-sixteen-characters"))

    assert client.get(f"/evidence/{build_link(pipeline, 'Ada Quill')}").status_code == 401
