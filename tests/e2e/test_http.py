"""The HTTP API for a client on this machine: the real service, the real models."""

import hashlib
import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
import pytest

from citewire.service.wire.answers import AskResponse, Problem

GOLDEN = [
    json.loads(line)
    for line in (Path(__file__).parent / "golden.jsonl").read_text("utf-8").splitlines()
]
ANSWERED = "who met Park Jin?"
# Answers that are not close calls, and a word of each.
CERTAIN = {
    "who met Park Jin?": "Blinken",
    "What does DPRK stand for?": "Democratic People",
    "Who flew across the Channel?": "Franky Zapata",
    "When was Blinken's previous visit to South Korea?": "March 2021",
}


@pytest.fixture(scope="module")
def client(service_url: str) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=service_url, timeout=60, trust_env=False) as opened:
        yield opened


def ask(client: httpx2.Client, question: str, **more: object) -> AskResponse:
    response = client.post("/v1/ask", json={"question": question} | more)
    assert response.status_code == 200, response.text
    return AskResponse.model_validate_json(response.content)


# Answers


def test_answer_cites_several_articles(client: httpx2.Client) -> None:
    best = ask(client, ANSWERED).answers[0]

    assert "Blinken" in best.text
    assert best.support.articles == len({citation.article_id for citation in best.citations}) >= 2


def test_every_quote_is_its_articles_text_at_its_offsets(client: httpx2.Client) -> None:
    texts: dict[str, str] = {}
    checked = {"answers": 0, "closest": 0}
    for entry in GOLDEN:
        response = ask(client, entry["question"])
        cited = [citation for answer in response.answers for citation in answer.citations]
        for citation in [*cited, *response.closest]:
            if citation.article_id not in texts:
                article = client.get(f"/v1/articles/{citation.article_id}").json()
                texts[citation.article_id] = article["text"]
            text = texts[citation.article_id]
            context = citation.context_start, citation.context_start + len(citation.context)
            assert text[citation.start : citation.end] == citation.quote
            assert text[slice(*context)] == citation.context
            assert context[0] <= citation.start < citation.end <= context[1]
            assert hashlib.sha256(text.encode()).hexdigest() == citation.article_sha256
        checked["answers"] += len(cited)
        checked["closest"] += len(response.closest)

    assert checked["answers"] >= 23
    assert checked["closest"] >= 3


def test_every_citation_leads_to_its_evidence_and_is_verified(client: httpx2.Client) -> None:
    citations = [each for answer in ask(client, ANSWERED).answers for each in answer.citations]

    for citation in citations:
        page = client.get(citation.evidence)
        assert page.status_code == 200
        assert f'<mark id="quote">{citation.quote}</mark>' in page.text
        body = {"quote": citation.context, "article_id": citation.article_id}
        assert client.post("/v1/verify", json=body).json()["status"] == "exact"


def test_answer_text_is_one_of_its_quotes(client: httpx2.Client) -> None:
    for question in CERTAIN:
        for answer in ask(client, question).answers:
            assert answer.text in [citation.quote for citation in answer.citations]


def test_no_more_answers_than_wanted_are_given(client: httpx2.Client) -> None:
    several = ask(client, ANSWERED)
    one = ask(client, ANSWERED, max_answers=1)

    assert len(several.answers) >= 1
    assert one.answers == several.answers[:1]


def test_source_filter_leaves_only_that_source(client: httpx2.Client) -> None:
    response = ask(client, ANSWERED, filters={"sources": ["Harbour Wire"]})
    cited = [citation for answer in response.answers for citation in answer.citations]

    assert {citation.source for citation in cited} == {"Harbour Wire"}


def test_date_filter_leaves_only_those_days(client: httpx2.Client) -> None:
    days = {"published_from": "2023-11-10", "published_to": "2023-11-10"}
    response = ask(client, ANSWERED, filters=days)
    cited = [citation for answer in response.answers for citation in answer.citations]

    assert {str(citation.published_at) for citation in [*cited, *response.closest]} == {
        "2023-11-10"
    }


def test_filter_that_nothing_passes_leaves_no_answer(client: httpx2.Client) -> None:
    response = ask(client, ANSWERED, filters={"published_to": "1900-01-01"})

    assert (response.status, response.reason) == ("no_answer", "nothing_relevant")
    assert response.closest == []


@pytest.mark.parametrize(
    "question",
    [
        '"quoted" AND (NEAR/2 *)',
        "'; DROP TABLE articles; --",
        "🎉",
        "?",
        "who " * 249,
        "\u202ewho?",
    ],
)
def test_any_question_is_answered_or_not_but_never_breaks(
    client: httpx2.Client, question: str
) -> None:
    assert ask(client, question).question == question


def test_same_question_has_the_same_answer(client: httpx2.Client) -> None:
    first, second = (ask(client, ANSWERED) for _ in range(2))
    own = {"timing_ms", "cached", "request_id"}

    assert first.model_dump(exclude=own) == second.model_dump(exclude=own)


def test_parallel_questions_are_all_answered_while_the_service_stays_alive(
    client: httpx2.Client, service_url: str
) -> None:
    questions = [*CERTAIN] * 4
    slowest = 0.0
    with ThreadPoolExecutor(16) as crowd:
        asked = [crowd.submit(ask, client, question) for question in questions]
        with httpx2.Client(base_url=service_url, timeout=10, trust_env=False) as watcher:
            watcher.get("/health/live")
            while not all(answer.done() for answer in asked):
                started = time.monotonic()
                assert watcher.get("/health/live").status_code == 200
                slowest = max(slowest, time.monotonic() - started)
                time.sleep(0.01)
        texts = [answer.result().answers[0].text for answer in asked]

    assert [CERTAIN[question] in text for question, text in zip(questions, texts, strict=True)] == (
        [True] * 16
    )
    assert slowest < 0.2


# Articles, health


def test_every_article_is_listed_once_over_all_pages(client: httpx2.Client) -> None:
    ids: list[str] = []
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        page = client.get("/v1/articles", params={"limit": 5, "cursor": cursor}).json()
        ids += [article["id"] for article in page["articles"]]
        cursor = page["next_cursor"]
        pages += 1

    assert (pages, len(ids)) == (4, 18)
    assert ids == sorted(set(ids))
    assert ids[0] == "seeds/blinken-itinerary-tokyo-seoul-delhi.md"


@pytest.mark.parametrize("slash", ["/", "%2F"])
def test_article_is_read_by_an_id_with_a_slash(client: httpx2.Client, slash: str) -> None:
    article = client.get(f"/v1/articles/seeds{slash}blinken-park-seoul-talks.md").json()

    assert article["id"] == "seeds/blinken-park-seoul-talks.md"
    assert article["source"] == "Harbour Wire"
    assert article["published_at"] == "2023-11-09"
    assert article["text"].startswith("SEOUL — US Secretary of State Antony Blinken met")


def test_service_is_alive_and_ready(client: httpx2.Client) -> None:
    ready = client.get("/health/ready").json()

    assert client.get("/health/live").json() == {"status": "alive"}
    assert (ready["status"], ready["articles"]) == ("ready", 18)
    assert ready["passages"] > 18


# Documentation and errors


def test_documented_routes_exist(client: httpx2.Client) -> None:
    document: dict[str, Any] = client.get("/openapi.json").json()
    documented = {path: set(methods) for path, methods in document["paths"].items()}
    # No route is patched: the refusal names what the path is there for.
    refusals = {path: client.patch(re.sub(r"\{\w+\}", "any", path), json={}) for path in documented}
    allowed = {
        path: set(refusal.headers["Allow"].lower().split(", "))
        for path, refusal in refusals.items()
    }
    missing = {path: documented[path] - allowed[path] for path in documented}
    assert missing == {path: set() for path in documented}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/ask", {"question": "Who?"}),
        ("POST", "/v1/search", {"question": "Who?"}),
        ("POST", "/v1/verify", {"quote": "Park Jin"}),
        ("GET", "/v1/articles", None),
        ("GET", "/v1/articles/seeds/calicut-runway-crash.md", None),
        ("GET", "/health/live", None),
        ("GET", "/health/ready", None),
    ],
)
def test_routes_that_change_nothing_answer(
    client: httpx2.Client, method: str, path: str, body: dict[str, str] | None
) -> None:
    assert client.request(method, path, json=body).status_code == 200


def test_documented_examples_are_questions_that_are_answered(client: httpx2.Client) -> None:
    document = client.get("/openapi.json").json()
    examples = document["components"]["schemas"]["AskRequest"]["examples"]

    assert [ask(client, **example).status for example in examples] == ["answered"] * 2


@pytest.mark.parametrize(
    ("method", "path", "options", "status"),
    [
        (
            "POST",
            "/v1/ask",
            {"content": b"{", "headers": {"Content-Type": "application/json"}},
            400,
        ),
        ("POST", "/v1/ask", {"headers": {"Origin": "https://evil.example"}}, 403),
        ("GET", "/v1/articles/absent", {}, 404),
        ("GET", "/v1/ask", {}, 405),
        ("POST", "/v1/ask", {"json": {"question": "x" * 70_000}}, 413),
        ("POST", "/v1/ask", {"content": b"{}"}, 415),
        ("GET", "/", {"headers": {"Host": "evil.example"}}, 421),
        ("POST", "/v1/ask", {"json": {"question": "Who?", "k": 1}}, 422),
    ],
)
def test_errors_are_problems(
    client: httpx2.Client, method: str, path: str, options: dict[str, Any], status: int
) -> None:
    response = client.request(method, path, **options)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert Problem.model_validate_json(response.content).status == status
    assert "server" not in response.headers


def test_endless_body_is_refused_before_it_ends(service_url: str) -> None:
    host, port = service_url.removeprefix("http://").split(":")
    chunk = b"2000\r\n" + b" " * 0x2000 + b"\r\n"
    head = b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(head + b"Transfer-Encoding: chunked\r\n\r\n")
        sender = threading.Thread(target=send_until_refused, args=(connection, chunk))
        sender.start()
        status = connection.recv(100).split(b" ")[1]
        connection.shutdown(socket.SHUT_RDWR)
        sender.join()

    assert status == b"413"


def send_until_refused(connection: socket.socket, chunk: bytes) -> None:
    try:
        for _ in range(10_000):
            connection.sendall(chunk)
    except OSError:
        return


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n",
        b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: -1\r\n\r\n",
    ],
    ids=["nonsense", "no host", "long header", "long length", "negative length"],
)
def test_malformed_request_is_the_clients_fault(service_url: str, request_bytes: bytes) -> None:
    host, port = service_url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request_bytes)
        status = connection.recv(100).split(b" ")[1]

    assert status[:1] == b"4"
