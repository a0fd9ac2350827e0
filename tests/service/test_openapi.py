"""The OpenAPI document describes the service completely, and nothing else."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from citewire.index.errors import ArchiveDamaged, StorageFull
from citewire.index.types import Article, Span
from citewire.rag.quotes.permalink import EvidenceId
from citewire.rag.types import Answers, Question
from citewire.service.app import build_app
from citewire.service.auth.keys import Keyring
from citewire.service.wire.answers import AskRequest, AskResponse, Problem
from citewire.service.work.executor import MAX_QUESTIONS, WORKERS, DeadlinePassed, Overloaded

LINK = EvidenceId.from_span(Article("bare", "Bare", "Ada Quill spoke."), Span(0, 3))
ARTICLE, BARE, KNOWN = "/v1/articles/{article_id}", "/v1/articles/bare", "/v1/articles/known"
BATCH = b'{"articles": [{"id": "x", "text": "X."}]}'
SESSION, KEY = "/v1/session", "a-key-of-sixteen-characters"
JSON = {"Content-Type": "application/json"}
ASK = {"question": "Who?"}
CHAT = {"messages": [{"role": "user", "content": "Who opened the harbour?"}]}
# The response of `/v1/ask` to a client that prefers a stream; see test_streaming.py.
EVENTS = "text/event-stream"


def broken(pipeline: Any) -> None:
    """Overwrite the catalogue with bytes that are no database."""
    catalogue = pipeline.archive.catalogue
    catalogue.close()
    with catalogue.path.open("r+b") as file:
        file.write(b"not a database, " * 1000)


def failing(pipeline: Any, error: Exception) -> None:
    def reply(question: Question) -> Answers:
        raise error

    pipeline.answerer.reply = reply


Call = Callable[[TestClient, Any], httpx2.Response]


def getting(path: str, *, damaged: bool = False) -> Call:
    def call(client: TestClient, pipeline: Any) -> httpx2.Response:
        if damaged:
            broken(pipeline)
        return client.get(path)

    return call


def asking(content: bytes, media_type: str = "application/json") -> Call:
    return lambda client, pipeline: client.post(
        "/v1/ask", content=content, headers={"Content-Type": media_type}
    )


def posting(
    path: str, content: bytes, media_type: str = "application/json", *, damaged: bool = False
) -> Call:
    def call(client: TestClient, pipeline: Any) -> httpx2.Response:
        if damaged:
            broken(pipeline)
        return client.post(path, content=content, headers={"Content-Type": media_type})

    return call


def writing(
    method: str,
    path: str,
    content: bytes,
    media_type: str = "application/json",
    *,
    damaged: bool = False,
    full: bool = False,
) -> Call:
    def call(client: TestClient, pipeline: Any) -> httpx2.Response:
        def no_room() -> None:
            raise StorageFull("full")

        if full:
            pipeline.encoder.before = no_room
        if damaged:
            broken(pipeline)
        headers = {"Content-Type": media_type}
        return client.request(method, path, content=content, headers=headers)

    return call


def signing_in(key: str) -> Call:
    """Sign in where a key is needed, from outside a page."""

    def call(client: TestClient, pipeline: Any) -> httpx2.Response:
        guarded = TestClient(build_app(pipeline, keys=Keyring(api_key=KEY)), client.base_url)
        return guarded.post(SESSION, json={}, headers={"Authorization": f"Bearer {key}"})

    return call


def failing_with(error: Exception, path: str = "/v1/ask") -> Call:
    def call(client: TestClient, pipeline: Any) -> httpx2.Response:
        failing(pipeline, error)
        return client.post(path, json=CHAT if path == "/v1/chat" else ASK)

    return call


def search_failing_with(error: Exception) -> Call:
    def call(client: TestClient, pipeline: Any) -> httpx2.Response:
        def reply(question: Question, limit: int) -> Answers:
            raise error

        pipeline.retriever.reply = reply
        return client.post("/v1/search", json=ASK)

    return call


def ask_while_full(client: TestClient, pipeline: Any) -> httpx2.Response:
    """Ask for a stream while the queue of questions is full."""
    release = threading.Event()

    def wait(question: Question) -> Answers:
        release.wait(60)
        raise DeadlinePassed("late")

    pipeline.answerer.reply = wait
    with ThreadPoolExecutor(MAX_QUESTIONS) as crowd:
        for _ in range(MAX_QUESTIONS):
            crowd.submit(client.post, "/v1/ask", json=ASK)
        waiting = f"citewire_questions_waiting {MAX_QUESTIONS - WORKERS:.1f}"
        while waiting not in client.get("/metrics").text:
            time.sleep(0.01)
        response = client.post("/v1/ask/stream", json=ASK)
        release.set()
    return response


# How each documented response comes about.
CALLS: dict[tuple[str, str, str], Call] = {
    ("post", "/v1/chat", "200"): posting("/v1/chat", json.dumps(CHAT).encode()),
    ("post", "/v1/chat", "400"): posting("/v1/chat", b"{"),
    ("post", "/v1/chat", "413"): posting("/v1/chat", b" " * 70_000),
    ("post", "/v1/chat", "415"): posting("/v1/chat", b"{}", "text/plain"),
    ("post", "/v1/chat", "422"): posting("/v1/chat", b"{}"),
    ("post", "/v1/chat", "429"): failing_with(Overloaded("full"), "/v1/chat"),
    ("post", "/v1/chat", "503"): failing_with(ArchiveDamaged("broken"), "/v1/chat"),
    ("post", "/v1/chat", "504"): failing_with(DeadlinePassed("late"), "/v1/chat"),
    ("post", "/v1/understand", "200"): posting("/v1/understand", json.dumps(CHAT).encode()),
    ("post", "/v1/understand", "400"): posting("/v1/understand", b"{"),
    ("post", "/v1/understand", "413"): posting("/v1/understand", b" " * 70_000),
    ("post", "/v1/understand", "415"): posting("/v1/understand", b"{}", "text/plain"),
    ("post", "/v1/understand", "422"): posting("/v1/understand", b"{}"),
    ("post", "/v1/ask", "200"): asking(b'{"question": "Who?"}'),
    ("post", "/v1/ask", "400"): asking(b"{"),
    ("post", "/v1/ask", "413"): asking(b" " * 70_000),
    ("post", "/v1/ask", "415"): asking(b"{}", "text/plain"),
    ("post", "/v1/ask", "422"): asking(b"{}"),
    ("post", "/v1/ask", "429"): failing_with(Overloaded("full")),
    ("post", "/v1/ask", "503"): failing_with(ArchiveDamaged("broken")),
    ("post", "/v1/ask", "504"): failing_with(DeadlinePassed("late")),
    ("post", "/v1/search", "200"): posting("/v1/search", b'{"question": "harbour"}'),
    ("post", "/v1/search", "400"): posting("/v1/search", b"{"),
    ("post", "/v1/search", "413"): posting("/v1/search", b" " * 70_000),
    ("post", "/v1/search", "415"): posting("/v1/search", b"{}", "text/plain"),
    ("post", "/v1/search", "422"): posting("/v1/search", b'{"question": "x", "limit": 101}'),
    ("post", "/v1/search", "429"): search_failing_with(Overloaded("full")),
    ("post", "/v1/search", "503"): search_failing_with(ArchiveDamaged("broken")),
    ("post", "/v1/search", "504"): search_failing_with(DeadlinePassed("late")),
    ("post", "/v1/ask/stream", "200"): posting("/v1/ask/stream", b'{"question": "Who?"}'),
    ("post", "/v1/ask/stream", "400"): posting("/v1/ask/stream", b"{"),
    ("post", "/v1/ask/stream", "413"): posting("/v1/ask/stream", b" " * 70_000),
    ("post", "/v1/ask/stream", "415"): posting("/v1/ask/stream", b"{}", "text/plain"),
    ("post", "/v1/ask/stream", "422"): posting("/v1/ask/stream", b"{}"),
    ("post", "/v1/ask/stream", "429"): ask_while_full,
    ("get", "/v1/articles", "200"): getting("/v1/articles"),
    ("get", "/v1/articles", "422"): getting("/v1/articles?limit=0"),
    ("get", "/v1/articles", "503"): getting("/v1/articles", damaged=True),
    ("get", "/v1/articles/{article_id}", "200"): getting("/v1/articles/bare"),
    ("get", "/v1/articles/{article_id}", "404"): getting("/v1/articles/absent"),
    ("get", "/v1/articles/{article_id}", "503"): getting("/v1/articles/bare", damaged=True),
    ("post", "/v1/verify", "200"): posting("/v1/verify", b'{"quote": "Ada"}'),
    ("post", "/v1/verify", "400"): posting("/v1/verify", b"{"),
    ("post", "/v1/verify", "413"): posting("/v1/verify", b" " * 70_000),
    ("post", "/v1/verify", "415"): posting("/v1/verify", b"{}", "text/plain"),
    ("post", "/v1/verify", "422"): posting("/v1/verify", b"{}"),
    ("post", "/v1/verify", "503"): posting("/v1/verify", b'{"quote": "Ada"}', damaged=True),
    ("get", "/v1/evidence/{evidence_id}", "200"): getting(f"/v1/evidence/{LINK}"),
    ("get", "/v1/evidence/{evidence_id}", "404"): getting("/v1/evidence/none"),
    ("get", "/v1/evidence/{evidence_id}", "503"): getting(f"/v1/evidence/{LINK}", damaged=True),
    ("put", ARTICLE, "200"): writing("PUT", BARE, b'{"text": "Ada Quill spoke."}'),
    ("put", ARTICLE, "201"): writing("PUT", "/v1/articles/x", b'{"text": "X."}'),
    ("put", ARTICLE, "400"): writing("PUT", BARE, b"{"),
    ("put", ARTICLE, "413"): writing("PUT", BARE, b" " * 17_000_000),
    ("put", ARTICLE, "415"): writing("PUT", BARE, b"{}", "text/plain"),
    ("put", ARTICLE, "422"): writing("PUT", BARE, b"{}"),
    ("put", ARTICLE, "503"): writing("PUT", BARE, b'{"text": "X."}', damaged=True),
    ("put", ARTICLE, "507"): writing("PUT", BARE, b'{"text": "X."}', full=True),
    ("delete", ARTICLE, "204"): writing("DELETE", BARE, b""),
    ("delete", ARTICLE, "404"): writing("DELETE", "/v1/articles/absent", b""),
    ("delete", ARTICLE, "503"): writing("DELETE", BARE, b"", damaged=True),
    ("post", "/v1/articles", "200"): writing("POST", "/v1/articles", BATCH),
    ("post", "/v1/articles", "207"): writing("POST", "/v1/articles", b'{"articles": [7]}'),
    ("post", "/v1/articles", "400"): writing("POST", "/v1/articles", b"{"),
    ("post", "/v1/articles", "413"): writing("POST", "/v1/articles", b" " * 17_000_000),
    ("post", "/v1/articles", "415"): writing("POST", "/v1/articles", b"{}", "text/plain"),
    ("post", "/v1/articles", "422"): writing("POST", "/v1/articles", b"{}"),
    ("post", "/v1/articles", "503"): writing("POST", "/v1/articles", BATCH, damaged=True),
    ("post", "/v1/articles", "507"): writing("POST", "/v1/articles", BATCH, full=True),
    ("post", KNOWN, "200"): writing("POST", KNOWN, b"{}"),
    ("post", KNOWN, "400"): writing("POST", KNOWN, b"{"),
    ("post", KNOWN, "413"): writing("POST", KNOWN, b" " * 17_000_000),
    ("post", KNOWN, "415"): writing("POST", KNOWN, b"{}", "text/plain"),
    ("post", KNOWN, "422"): writing("POST", KNOWN, b'{"cursor": "?"}'),
    ("post", KNOWN, "503"): writing("POST", KNOWN, b"{}", damaged=True),
    ("get", SESSION, "200"): getting(SESSION),
    ("post", SESSION, "200"): posting(SESSION, b"{}"),
    ("post", SESSION, "400"): posting(SESSION, b"{"),
    ("post", SESSION, "401"): signing_in("another"),
    ("post", SESSION, "403"): signing_in(KEY),
    ("post", SESSION, "413"): posting(SESSION, b" " * 70_000),
    ("post", SESSION, "415"): posting(SESSION, b"{}", "text/plain"),
    ("post", SESSION, "422"): posting(SESSION, b'{"key": "no"}'),
    ("delete", SESSION, "204"): writing("DELETE", SESSION, b""),
    ("get", "/v1/sources", "200"): getting("/v1/sources"),
    ("get", "/v1/sources", "503"): getting("/v1/sources", damaged=True),
    ("get", "/health/live", "200"): getting("/health/live"),
    ("get", "/health/ready", "200"): getting("/health/ready"),
    ("get", "/health/ready", "503"): getting("/health/ready", damaged=True),
}


@pytest.fixture(scope="module")
def shared() -> dict[str, Any]:
    """The document, once a test has asked for it: making it takes longer than most tests."""
    return {}


@pytest.fixture
def document(client: TestClient, shared: dict[str, Any]) -> dict[str, Any]:
    if not shared:
        shared |= client.get("/openapi.json").json()
    return shared


def responses(document: dict[str, Any]) -> dict[tuple[str, str, str], dict[str, Any]]:
    return {
        (method, path, status): response
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        for status, response in operation["responses"].items()
    }


def test_documented_responses_are_those_that_are_shown_to_exist(document: dict[str, Any]) -> None:
    documented = {key for key in responses(document) if key[2] != "default"}

    assert documented == CALLS.keys()


@pytest.mark.parametrize("key", CALLS, ids=" ".join)
def test_documented_response_exists_in_its_media_type(
    client: TestClient, pipeline: Any, document: dict[str, Any], key: tuple[str, str, str]
) -> None:
    response = CALLS[key](client, pipeline)

    assert str(response.status_code) == key[2]
    described = list(responses(document)[key].get("content", []))
    media_types = [response.headers["content-type"].split(";")[0]] if response.content else []
    assert [kind for kind in described if kind in media_types or kind != EVENTS] == media_types


def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    errors = [
        response for key, response in responses(document).items() if not key[2].startswith("2")
    ]
    expected = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}

    assert [response["content"] for response in errors] == [expected] * len(errors)


def test_every_route_says_that_any_other_error_is_a_problem(document: dict[str, Any]) -> None:
    routes = {key[:2] for key in responses(document)}

    assert {(*route, "default") for route in routes} <= responses(document).keys()


def test_nothing_unused_is_described(document: dict[str, Any]) -> None:
    assert "HTTPValidationError" not in document["components"]["schemas"]


def test_examples_of_requests_are_requests(document: dict[str, Any]) -> None:
    examples = document["components"]["schemas"]["AskRequest"]["examples"]

    assert [AskRequest.model_validate(example).question for example in examples] == [
        "who met Park Jin?",
        "who met Park Jin?",
    ]


def test_examples_of_responses_are_responses(document: dict[str, Any]) -> None:
    examples = document["components"]["schemas"]["AskResponse"]["examples"]
    answered, refused = [AskResponse.model_validate(example) for example in examples]
    citation = answered.answers[0].citations[0]
    start = citation.start - citation.context_start

    assert citation.context[start : citation.end - citation.context_start] == citation.quote
    assert refused.closest[0].quote == citation.quote


def test_example_of_a_problem_type_is_one_that_occurs(
    client: TestClient, document: dict[str, Any]
) -> None:
    (example,) = document["components"]["schemas"]["Problem"]["properties"]["type"]["examples"]

    assert client.post("/v1/ask", json={}).json()["type"] == example


def test_every_field_of_a_response_is_documented(
    client: TestClient, document: dict[str, Any]
) -> None:
    schemas = document["components"]["schemas"]
    response = client.post("/v1/ask", json=ASK).json()
    citation = response["answers"][0]["citations"][0]

    assert response.keys() == schemas["AskResponse"]["properties"].keys()
    assert response["answers"][0].keys() == schemas["AnswerOut"]["properties"].keys()
    assert citation.keys() == schemas["CitationOut"]["properties"].keys()
    assert client.get("/v1/articles/bare").json().keys() == (
        schemas["ArticleOut"]["properties"].keys()
    )


def test_offsets_are_documented_as_code_points(document: dict[str, Any]) -> None:
    start = document["components"]["schemas"]["CitationOut"]["properties"]["start"]

    assert "Unicode code points" in start["description"]
    assert start["minimum"] == 0


def test_document_is_the_same_at_the_second_request(
    client: TestClient, document: dict[str, Any]
) -> None:
    assert client.get("/openapi.json").json() == document


def test_problem_has_the_members_of_rfc_9457(document: dict[str, Any]) -> None:
    members = document["components"]["schemas"]["Problem"]["required"]

    assert members == ["type", "title", "status", "detail", "instance"]
    assert list(Problem.model_fields) == [*members, "errors", "retry_after_s"]
