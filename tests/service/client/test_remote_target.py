"""Articles handed to a running service arrive as they were loaded."""

import json
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from citewire.index.catalogue.records import Known, fingerprint
from citewire.index.errors import BadArticle, UnknownArticle
from citewire.index.ingest.fields import build_article
from citewire.index.ingest.loading import LoadedArticle
from citewire.service.client.remote_target import RemoteTarget, encode_batch
from citewire.service.routes.changes import convert_content
from citewire.service.wire.articles import (
    MAX_ARTICLES_BYTES,
    ArticlesIn,
    BatchOutcome,
    KnownArticles,
)

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


class Service:
    """A running service, reached without a network."""

    def __init__(self, client: TestClient) -> None:
        self._client = client
        self.bodies: list[bytes] = []

    def known(self, cursor: str) -> KnownArticles:
        response = self._client.post("/v1/articles/known", json={"cursor": cursor})
        return KnownArticles.model_validate_json(response.content)

    def store(self, body: bytes) -> BatchOutcome:
        self.bodies.append(body)
        headers = {"Content-Type": "application/json"}
        response = self._client.post("/v1/articles", content=body, headers=headers)
        return BatchOutcome.model_validate_json(response.content)

    def remove(self, article_id: str) -> None:
        if self._client.delete(f"/v1/articles/{article_id}").status_code == 404:
            raise UnknownArticle(article_id)


@pytest.fixture
def service(client: TestClient) -> Service:
    return Service(client)


@pytest.fixture
def store(service: Service) -> RemoteTarget:
    return RemoteTarget(service)  # type: ignore[arg-type]


def loaded(article_id: str, text: str, name: str | None = None) -> LoadedArticle:
    article = build_article(article_id, {}, text)
    return LoadedArticle(article, Path("/news", article_id), name or article_id, len(text))


@given(
    fields=st.fixed_dictionaries(
        {},
        optional={
            "title": TEXT,
            "source": TEXT | st.just("Wikinews https://example.org/x"),
            "url": TEXT,
            "author": TEXT,
            "language": st.sampled_from(["en", "DE", "ja"]),
            "date": st.dates().map(date.isoformat),
        },
    ),
    text=TEXT,
)
def test_article_arrives_as_it_was_loaded(fields: dict[str, str], text: str) -> None:
    try:
        article = build_article("news/a.md:7", fields, text)
    except BadArticle:
        return
    sent = encode_batch([LoadedArticle(article, Path("/news/a.md"), "a", 1)])
    (item,) = ArticlesIn.model_validate_json(sent).articles

    assert convert_content(item.id, item) == article
    assert item.origin == "/news/a.md"


def test_stored_article_is_known_by_the_fingerprint_it_was_loaded_with(store: RemoteTarget) -> None:
    one = loaded("new/one.md", "One is here.")
    stored = store.put([one, loaded("new/two.md", "Two is here.")])

    assert (stored.passages, stored.bad) == (2, ())
    assert store.known()["new/one.md"] == Known(fingerprint(one.article), "/news/new/one.md")


def test_removed_articles_are_gone_those_that_were_gone_too(store: RemoteTarget) -> None:
    store.remove(["bare", "absent", "news/a.md"])

    assert sorted(store.known()) == ["news/b.md", "news/harbour.md", "news/ü & ?#%.md"]


def test_what_the_service_refuses_is_named_as_it_was_loaded() -> None:
    refused = {"id": "b", "problem": {
        "type": "/problems/x", "title": "X", "status": 422, "detail": "too odd", "instance": "/r",
    }}  # fmt: skip
    body = {
        "results": [{"id": "a", "result": "added", "sha256": "", "passages": 1}, refused],
        "added": 1, "replaced": 0, "unchanged": 0, "failed": 1, "passages": 1,
    }  # fmt: skip
    outcome = BatchOutcome.model_validate_json(json.dumps(body))
    service: Any = SimpleNamespace(store=lambda _: outcome)
    stored = RemoteTarget(service).put([loaded("a", "A."), loaded("b", "B.", "file:2")])

    assert [str(bad) for bad in stored.bad] == ["file:2: too odd"]


def test_batch_too_long_for_one_request_goes_in_several(
    store: RemoteTarget, service: Service
) -> None:
    # Quotation marks take twice the room in JSON.
    half = '"' * (MAX_ARTICLES_BYTES // 4 + 1)
    stored = store.put([loaded("x", "short"), loaded("y", half * 2), loaded("z", "z")])

    assert [bad.name for bad in stored.bad] == ["y"]
    assert "takes" in str(stored.bad[0])
    assert len(service.bodies) == 2
    assert {"x", "z"} <= store.known().keys()
