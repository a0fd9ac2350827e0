"""Changes over HTTP: articles are stored, replaced and removed while the archive is served."""

import threading
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from citewire.index.archive.embedded import EmbeddedArchive
from citewire.index.data_directory import RESERVED_BYTES
from citewire.index.embedding import Vectors
from citewire.index.errors import ArchiveDamaged
from citewire.service.auth.keys import Keyring
from citewire.service.wire.articles import MAX_ARTICLES_BYTES

HARBOUR = {"text": "The harbour opened.", "title": "Harbour", "published_at": "2023-11-09"}
KEY = "a-key-of-sixteen-characters"


def read_text(client: TestClient, article_id: str) -> str:
    text: str = client.get(f"/v1/articles/{article_id}").json()["text"]
    return text


def version(pipeline: Any) -> str:
    return str(pipeline.archive.catalogue.state())


# One article


def test_new_article_is_there_once_it_is_stored(client: TestClient) -> None:
    response = client.put("/v1/articles/new/harbour.md", json=HARBOUR)
    article = client.get("/v1/articles/new/harbour.md").json()

    assert (response.status_code, response.json()["result"]) == (201, "added")
    assert response.json()["sha256"] == article["sha256"]
    assert (article["text"], article["title"], article["published_at"], article["language"]) == (
        "The harbour opened.",
        "Harbour",
        "2023-11-09",
        "en",
    )


def test_same_id_replaces_the_article(client: TestClient, pipeline: Any) -> None:
    client.put("/v1/articles/x", json=HARBOUR)
    response = client.put("/v1/articles/x", json=HARBOUR | {"text": "It closed."})

    assert (response.status_code, response.json()["result"]) == (200, "replaced")
    assert read_text(client, "x") == "It closed."
    assert pipeline.archive.catalogue.counts() == (6, 6)


def test_unchanged_article_leaves_the_archive_as_it_is(client: TestClient, pipeline: Any) -> None:
    client.put("/v1/articles/x", json=HARBOUR)
    before = version(pipeline)
    response = client.put("/v1/articles/x", json=HARBOUR)

    assert (response.status_code, response.json()["result"]) == (200, "unchanged")
    assert version(pipeline) == before


def test_text_is_stored_in_its_canonical_form(client: TestClient) -> None:
    client.put("/v1/articles/x", json={"text": "\ufeffA  cafe\u0301.\r\n\r\n\r\nB. \u200b"})
    article = client.get("/v1/articles/x").json()

    assert (article["text"], article["title"]) == ("A café.\n\nB.", "A café.")


@pytest.mark.parametrize("article_id", ["news%2Fü%20%26%20%3F%23%25", "a..b/%2E%2E/c", "🎉"])
def test_article_has_the_id_of_its_address(client: TestClient, article_id: str) -> None:
    stored = client.put(f"/v1/articles/{article_id}", json=HARBOUR).json()["id"]

    assert client.get(f"/v1/articles/{article_id}").json()["id"] == stored
    assert client.delete(f"/v1/articles/{article_id}").status_code == 204


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"text": ""},
        {"text": " \n "},
        {"text": 7},
        {"text": "x", "title": "t" * 1001},
        {"text": "x", "author": "t" * 2001},
        {"text": "x", "published_at": "yesterday"},
        {"text": "x", "more": 1},
    ],
)
def test_content_that_is_no_article_is_refused(
    client: TestClient, pipeline: Any, body: Any
) -> None:
    before = version(pipeline)

    assert client.put("/v1/articles/x", json=body).status_code == 422
    assert version(pipeline) == before


@pytest.mark.parametrize("article_id", ["", "%20", "x" * 401, "a%00"])
def test_id_that_is_none_is_refused(client: TestClient, article_id: str) -> None:
    assert client.put(f"/v1/articles/{article_id}", json=HARBOUR).status_code == 422


def test_text_that_utf8_cannot_say_is_refused(client: TestClient) -> None:
    headers = {"Content-Type": "application/json"}
    for body in (b'{"text": "\\ud800"}', b'{"text": "x", "\\ud800": 1}'):
        assert client.put("/v1/articles/x", content=body, headers=headers).status_code == 422


# Removing


def test_removed_article_is_gone_at_once(client: TestClient) -> None:
    response = client.delete("/v1/articles/news/harbour.md")

    assert (response.status_code, response.content) == (204, b"")
    assert client.get("/v1/articles/news/harbour.md").status_code == 404
    assert client.post("/v1/verify", json={"quote": "harbour"}).json()["status"] == "not_found"


def test_article_that_is_not_there_cannot_be_removed(client: TestClient) -> None:
    assert client.delete("/v1/articles/absent").status_code == 404


# Many


def test_one_bad_article_does_not_lose_the_others(client: TestClient) -> None:
    articles = [
        {"id": "one", "text": "One."},
        {"id": "bare", "text": "Ada Quill spoke.", "title": "Bare"},
        {"id": "bare", "text": "Again."},
        {"text": "No id."},
        {"id": "two", "text": "\0"},
        7,
        {"id": "news/a.md", "text": "Another text."},
        {"id": "three", "text": "Three.", "published_at": "2023-13-01"},
    ]
    response = client.post("/v1/articles", json={"articles": articles})
    body = response.json()

    assert response.status_code == 207
    assert [each.get("result") for each in body["results"]] == [
        "added", "unchanged", None, None, None, None, "replaced", None,
    ]  # fmt: skip
    assert [each.get("id") for each in body["results"]] == [
        "one", "bare", "bare", None, "two", None, "news/a.md", "three",
    ]  # fmt: skip
    counts = [body[name] for name in ("added", "replaced", "unchanged", "failed")]
    assert counts == [1, 1, 1, 5]
    assert read_text(client, "news/a.md") == "Another text."


def test_problem_of_an_article_names_the_field(client: TestClient) -> None:
    articles = [{"id": "a", "text": "x", "published_at": "soon"}, {"id": "b", "text": "\0"}]
    first, second = client.post("/v1/articles", json={"articles": articles}).json()["results"]

    assert first["problem"]["status"] == second["problem"]["status"] == 422
    assert [each["field"] for each in first["problem"]["errors"]] == ["published_at"]
    assert second["problem"]["detail"].startswith("b: ")


def test_batch_without_a_bad_article_is_plainly_done(client: TestClient) -> None:
    articles = [{"id": f"n-{number}", "text": f"Text {number}."} for number in range(50)]
    response = client.post("/v1/articles", json={"articles": articles})

    assert (response.status_code, response.json()["added"]) == (200, 50)
    assert read_text(client, "n-49") == "Text 49."


@pytest.mark.parametrize("articles", [[], "x", [{"id": "a", "text": "b"}] * 1001])
def test_body_that_is_no_batch_is_refused(client: TestClient, articles: Any) -> None:
    assert client.post("/v1/articles", json={"articles": articles}).status_code == 422


def test_names_without_a_utf8_form_are_replaced_in_problems(client: TestClient) -> None:
    body = b'{"articles": [{"id": "\\ud800", "text": "x"}, {"id": "b", "\\udfff": 1}]}'
    response = client.post(
        "/v1/articles", content=body, headers={"Content-Type": "application/json"}
    )

    assert (response.status_code, response.json()["failed"]) == (207, 2)


def test_articles_may_be_longer_than_questions(client: TestClient) -> None:
    assert client.put("/v1/articles/x", json={"text": "long. " * 50_000}).status_code == 201


def test_bodies_are_bounded(client: TestClient) -> None:
    body = b" " * (MAX_ARTICLES_BYTES + 1)
    headers = {"Content-Type": "application/json"}

    assert client.put("/v1/articles/x", content=body, headers=headers).status_code == 413


# Rights, room, turns


def test_writing_needs_a_key_where_there_are_keys(serve: Callable[..., TestClient]) -> None:
    client = serve(keys=Keyring(api_key=KEY))

    assert client.put("/v1/articles/x", json=HARBOUR).status_code == 401
    assert client.delete("/v1/articles/bare").status_code == 401
    assert client.post("/v1/articles/known", json={}).status_code == 401


def test_pages_of_other_origins_cannot_write(client: TestClient) -> None:
    headers = {"Origin": "https://evil.example"}

    assert client.put("/v1/articles/x", json=HARBOUR, headers=headers).status_code == 403
    assert client.delete("/v1/articles/bare", headers=headers).status_code == 403


def test_nearly_full_disk_stores_nothing_and_still_removes(
    serve: Callable[..., TestClient], pipeline: Any
) -> None:
    pipeline.archive = EmbeddedArchive(
        pipeline.archive.catalogue, pipeline.archive.vectors, lambda folder: RESERVED_BYTES - 1
    )
    client = serve()
    response = client.put("/v1/articles/x", json=HARBOUR)

    assert response.status_code == 507
    assert response.json()["type"] == "/problems/insufficient-storage"
    assert client.put("/v1/articles/bare", json={"text": "Ada Quill spoke.", "title": "Bare"})
    assert client.delete("/v1/articles/bare").status_code == 204


def test_full_disk_is_not_reported_as_damage(client: TestClient, pipeline: Any) -> None:
    def bound() -> None:
        """Limit the files of the encoding thread to their present size."""
        with pipeline.archive.catalogue._file.reading() as connection:
            pages = connection.execute("PRAGMA page_count").fetchone()[0]
            connection.execute(f"PRAGMA max_page_count = {pages}")

    pipeline.encoder.before = bound
    response = client.put("/v1/articles/x", json={"text": "A long text. " * 20_000})

    assert response.status_code == 507
    assert client.get("/v1/articles/x").status_code == 404


class SlowEncoder:
    """An encoder that waits for permission, text by text."""

    identity = "none"

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def encode_question(self, text: str) -> Vectors:
        return self.encode_passages([text])[0]

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        self.begun.set()
        assert self.go_on.wait(60)
        return np.ones((len(texts), 4), np.float32)


def test_service_answers_while_articles_are_encoded(
    serve: Callable[..., TestClient], pipeline: SimpleNamespace
) -> None:
    encoder = pipeline.encoder = SlowEncoder()
    client = serve()
    outcome: list[int] = []
    storing = threading.Thread(
        target=lambda: outcome.append(client.put("/v1/articles/x", json=HARBOUR).status_code)
    )
    storing.start()
    try:
        assert encoder.begun.wait(60)
        assert client.post("/v1/ask", json={"question": "Who?"}).status_code == 200
        assert client.get("/v1/articles/x").status_code == 404
        assert client.delete("/v1/articles/bare").status_code == 204
    finally:
        encoder.go_on.set()
        storing.join(60)

    assert outcome == [201]
    assert read_text(client, "x") == "The harbour opened."


def test_damaged_archive_is_not_written(client: TestClient, pipeline: Any) -> None:
    def raise_damage() -> None:
        raise ArchiveDamaged("broken")

    pipeline.encoder.before = raise_damage

    assert client.put("/v1/articles/x", json=HARBOUR).status_code == 503
