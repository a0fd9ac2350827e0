"""Every error is problem details, wherever it was raised, and reveals no more than it should."""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import Any

import httpx2
import pytest
from starlette.testclient import TestClient

from citewire.index.errors import ArchiveDamaged
from citewire.rag.errors import BrokenCitation
from citewire.rag.types import Answers, Question
from citewire.service.auth.keys import Keyring
from citewire.service.wire.answers import Problem
from citewire.service.work.executor import MAX_QUESTIONS, DeadlinePassed

JSON = {"Content-Type": "application/json"}
SECRET = "/home/somebody/archive: the question was about herons"


def read_problem(response: httpx2.Response) -> dict[str, Any]:
    """The problem that the response is, checked for all that every problem has."""
    problem: dict[str, Any] = response.json()
    assert response.headers["content-type"] == "application/problem+json"
    Problem.model_validate(problem, strict=True)
    assert problem["status"] == response.status_code
    assert problem["type"] == "/problems/" + problem["title"].lower().replace(" ", "-")
    assert problem["instance"] == "/requests/" + response.headers["x-request-id"]
    return problem


def ask(client: TestClient, body: str | bytes) -> dict[str, Any]:
    return read_problem(client.post("/v1/ask", content=body, headers=JSON))


# Errors of the client


@pytest.mark.parametrize(
    "body",
    ["{", "{'question': 'x'}", b"\xff\xfe", "[" * 60_000, '{"max_answers": ' + "1" * 5000 + "}"],
)
def test_broken_json_is_400(client: TestClient, body: str | bytes) -> None:
    assert ask(client, body)["status"] == 400


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v1/ask/x", "/static/nothing", "/docs"])
def test_unknown_path_is_404(client: TestClient, path: str) -> None:
    problem = read_problem(client.get(path))

    assert problem["title"] == "Not Found"
    assert problem["detail"] == f"there is nothing at {path}"


@pytest.mark.parametrize(
    "path", ["/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py"]
)
def test_only_static_files_are_served(client: TestClient, path: str) -> None:
    assert read_problem(client.get(path))["status"] == 404


@pytest.mark.parametrize("path", ["/v1/articles/absent", "/v1/articles/", "/v1/articles/%00"])
def test_unknown_article_is_404(client: TestClient, path: str) -> None:
    problem = read_problem(client.get(path))

    assert problem["status"] == 404
    assert problem["detail"].startswith("the archive holds no article ")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/ask", "POST"),
        ("DELETE", "/v1/articles", "GET, POST"),
        ("PATCH", "/v1/articles/bare", "GET, PUT, DELETE"),
        ("POST", "/static/app.js", "GET"),
        ("POST", "/health/live", "GET"),
    ],
)
def test_wrong_method_is_405_and_names_the_right_one(
    client: TestClient, method: str, path: str, allowed: str
) -> None:
    for headers in (JSON, {"Content-Type": "text/plain"}):
        response = client.request(method, path, headers=headers)

        assert read_problem(response)["status"] == 405
        assert response.headers["allow"] == allowed


@pytest.mark.parametrize("day", [0, "0", 1699488000, "2023-11-09T00:00:00", "9.11.2023", True])
def test_value_that_is_not_written_as_a_day_is_refused(client: TestClient, day: object) -> None:
    asked = {"question": "Who?", "filters": {"published_from": day}}
    for response in (
        client.post("/v1/ask", json=asked),
        client.get("/v1/articles", params={"published_to": str(day)}),
        client.put("/v1/articles/new", json={"text": "It rained.", "published_at": day}),
    ):
        assert read_problem(response)["status"] == 422
        assert "write a day like 2023-11-09" in response.json()["detail"]


def test_large_body_is_413_by_its_length(client: TestClient) -> None:
    problem = ask(client, b" " * (64 * 1024 + 1))

    assert problem["title"] == "Content Too Large"
    assert problem["detail"] == "send at most 65536 bytes"


def test_large_body_is_413_when_it_comes_in_chunks(client: TestClient) -> None:
    def chunks() -> Iterator[bytes]:
        for _ in range(65):
            yield b" " * 1024

    response = client.post("/v1/ask", content=chunks(), headers=JSON)

    assert "content-length" not in response.request.headers
    assert read_problem(response)["title"] == "Content Too Large"


def test_largest_body_is_read(client: TestClient) -> None:
    body = b'{"question": "Who?"}'.ljust(64 * 1024)

    assert client.post("/v1/ask", content=body, headers=JSON).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ('{"question": "Who?", "top_k": 3}', "top_k"),
        ('{"question": "Who?", "filters": {"author": "Ada"}}', "filters.author"),
        ("{}", "question"),
        ('{"question": ""}', "question"),
        ('{"question": null}', "question"),
        ('{"question": ["Who?"]}', "question"),
        ('{"question": "' + "x" * 1001 + '"}', "question"),
        ('{"question": "half \\ud83d pair"}', "question"),
        ('{"question": "Who?", "max_answers": 0}', "max_answers"),
        ('{"question": "Who?", "max_answers": 11}', "max_answers"),
        ('{"question": "Who?", "max_answers": 1.5}', "max_answers"),
        ('{"question": "Who?", "filters": {"published_from": "soon"}}', "filters.published_from"),
        ('{"question": "Who?", "filters": {"published_to": "2023-02-30"}}', "filters.published_to"),
        ('{"question": "Who?", "filters": {"sources": "Tideline"}}', "filters.sources"),
        ('{"question": "Who?", "filters": {"sources": ["\\udc00"]}}', "filters.sources.0"),
    ],
)
def test_request_with_a_wrong_field_is_422_and_names_it(
    client: TestClient, body: str, field: str
) -> None:
    problem = ask(client, body)

    assert problem["title"] == "Unprocessable Content"
    assert [error["field"] for error in problem["errors"]] == [field]
    assert problem["detail"].startswith(f"{field}: ")


@pytest.mark.parametrize("body", ["null", "[]", '"Who?"', "", '{"\\ud800": 1}'])
def test_body_that_is_no_request_is_422(client: TestClient, body: str) -> None:
    assert ask(client, body)["status"] == 422


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        ('{"question": " \\n "}', "the question is empty"),
        ('{"question": "a\\u0000b"}', "the question: character 1 is U+0000, not text"),
        (
            '{"question": "Who?", "filters":'
            ' {"published_from": "2023-11-10", "published_to": "2023-11-09"}}',
            "published_from is later than published_to",
        ),
    ],
)
def test_question_that_the_library_refuses_is_422(
    client: TestClient, body: str, detail: str
) -> None:
    problem = ask(client, body)

    assert (problem["status"], problem["detail"]) == (422, detail)


@pytest.mark.parametrize("limit", ["0", "201", "-1", "many"])
def test_page_of_impossible_length_is_422(client: TestClient, limit: str) -> None:
    problem = read_problem(client.get("/v1/articles", params={"limit": limit}))

    assert problem["errors"][0]["field"] == "limit"


@pytest.mark.parametrize("cursor", ["!", "a", "ÿ", "_w==", "bmV3cw==!!!!", "x" * 2001])
def test_cursor_of_someone_elses_is_422(client: TestClient, cursor: str) -> None:
    assert read_problem(client.get("/v1/articles", params={"cursor": cursor}))["status"] == 422


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Origin": "null"}, 403),
        ({"Content-Type": "text/plain"}, 415),
    ],
)
def test_refusals_by_the_guard_are_problems(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    assert read_problem(client.post("/v1/ask", headers=headers))["status"] == status


def test_missing_key_is_a_problem(serve: Callable[..., TestClient]) -> None:
    assert (
        read_problem(serve(keys=Keyring(api_key="a-key-of-sixteen")).get("/v1/articles"))["status"]
        == 401
    )


# Errors of the service


def test_full_queue_is_429_and_says_when_to_try_again(client: TestClient, answerer: Any) -> None:
    release = threading.Event()
    reply = answerer.reply

    def wait(question: Question) -> Answers:
        assert release.wait(60)
        answers: Answers = reply(question)
        return answers

    answerer.reply = wait
    with ThreadPoolExecutor(MAX_QUESTIONS + 1) as crowd:
        asked = [
            crowd.submit(client.post, "/v1/ask", json={"question": "Who?"})
            for _ in range(MAX_QUESTIONS + 1)
        ]
        refused = next(as_completed(asked)).result()
        release.set()
        statuses = sorted(response.result().status_code for response in asked)

    assert read_problem(refused)["type"] == "/problems/overloaded"
    assert refused.headers["retry-after"] == "2"
    assert statuses == [200] * 24 + [429]


def test_bug_is_500_and_leaks_nothing(
    client: TestClient, answerer: Any, caplog: pytest.LogCaptureFixture
) -> None:
    answerer.reply = raising(RuntimeError(SECRET))
    with caplog.at_level(logging.ERROR, "citewire.service"):
        response = client.post("/v1/ask", json={"question": "Who?"})

    assert read_problem(response)["status"] == 500
    assert "somebody" not in response.text
    assert "RuntimeError" not in response.text
    (logged,) = caplog.records
    assert response.headers["x-request-id"] in logged.getMessage()


def test_broken_citation_is_500_and_never_shown(client: TestClient, answerer: Any) -> None:
    answerer.reply = raising(BrokenCitation(SECRET))
    response = client.post("/v1/ask", json={"question": "Who?"})

    assert read_problem(response)["status"] == 500
    assert "herons" not in response.text


def test_unusable_archive_is_503_and_leaks_nothing(client: TestClient, answerer: Any) -> None:
    answerer.reply = raising(ArchiveDamaged(SECRET))
    response = client.post("/v1/ask", json={"question": "Who?"})

    assert read_problem(response)["detail"] == "the archive cannot be used at present"
    assert response.status_code == 503
    assert response.headers["retry-after"] == "2"


def test_archive_that_cannot_be_read_is_not_ready(client: TestClient, pipeline: Any) -> None:
    catalogue = pipeline.archive.catalogue
    catalogue.close()
    with catalogue.path.open("r+b") as file:
        file.write(b"not a database, " * 1000)
    response = client.get("/health/ready")

    assert read_problem(response)["status"] == 503
    assert client.get("/health/live").status_code == 200


def test_missed_deadline_is_504(client: TestClient, answerer: Any) -> None:
    answerer.reply = raising(DeadlinePassed("no answer within 30 seconds"))

    problem = ask(client, '{"question": "Who?"}')
    assert (problem["status"], problem["title"]) == (504, "Gateway Timeout")
    assert problem["detail"] == "no answer within 30 seconds"


def raising(error: Exception) -> Callable[[Question], Answers]:
    def reply(question: Question) -> Answers:
        raise error

    return reply
