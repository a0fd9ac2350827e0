"""A response that reports progress while the work goes on, and leaves nothing behind."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from starlette.types import Message

from citewire.index.types import Passage, Span
from citewire.rag.types import Answers, Hit, NoAnswer, Question
from citewire.service.app import build_app
from citewire.service.http.streaming import PING, Emit, EventStream
from citewire.service.wire.answers import AskResponse, Problem
from citewire.service.wire.events import StreamedEvent
from citewire.service.work.executor import MAX_QUESTIONS, DeadlinePassed, Overloaded

ASK = {"question": "Who opened it?"}
STREAM = {"Accept": "text/event-stream"}


def read_events(text: str) -> list[tuple[str, str]]:
    """Read events by the standard: blocks of `field: value` lines; comments are skipped."""
    events = []
    for block in text.split("\n\n"):
        fields = dict(
            line.split(": ", 1) for line in block.split("\n") if line[:1] not in ("", ":")
        )
        if fields:
            events.append((fields["event"], fields["data"]))
    return events


def watching(pipeline: Any) -> None:
    """Make the answerer report one passage before it answers."""
    answerer = pipeline.answerer
    reply = answerer.answer

    def answer(question: Question, *watchers: Callable[[list[Hit]], None]) -> Answers | NoAnswer:
        article = pipeline.archive.catalogue.article("news/harbour.md")
        for watcher in watchers:
            watcher([Hit(Passage(1, article, Span(0, 13)), score=0.7512345, similarity=0.5)])
        result: Answers | NoAnswer = reply(question)
        return result

    answerer.answer = answer


@pytest.fixture(autouse=True)
def _telling(pipeline: Any) -> None:
    watching(pipeline)


def test_the_stream_has_stages_passages_answers_and_the_result(client: TestClient) -> None:
    response = client.post("/v1/ask/stream", json=ASK)
    events = read_events(response.text)
    typed = [StreamedEvent.model_validate_json(f'{{"event":"{n}","data":{d}}}') for n, d in events]

    assert [name for name, _ in events] == [
        *["status", "passages", "status", "answer", "result", "done"]
    ]
    assert [each.root.data.stage for each in typed if each.root.event == "status"] == [
        "retrieving",
        "reading",
    ]
    (passage,) = typed[1].root.data.passages
    assert (passage.article_id, passage.start, passage.end, passage.score) == (
        *("news/harbour.md", 0, 13, 0.7512),
    )
    result = typed[4].root.data
    assert typed[3].root.data == result.answers[0]
    assert result.request_id == response.headers["x-request-id"]


def test_the_result_is_the_response_of_the_plain_route(client: TestClient) -> None:
    plain = AskResponse.model_validate(client.post("/v1/ask", json=ASK).json())
    (data,) = [
        data
        for name, data in read_events(client.post("/v1/ask/stream", json=ASK).text)
        if name == "result"
    ]
    own = {"timing_ms", "request_id"}

    assert AskResponse.model_validate_json(data).model_dump(exclude=own) == plain.model_dump(
        exclude=own
    )


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("text/event-stream", "text/event-stream; charset=utf-8"),
        ("text/event-stream, application/json;q=0.5", "text/event-stream; charset=utf-8"),
        ("application/json, text/event-stream", "application/json"),
        ("*/*", "application/json"),
        ("", "application/json"),
    ],
)
def test_client_that_accepts_a_stream_gets_one(client: TestClient, accept: str, kind: str) -> None:
    response = client.post("/v1/ask", json=ASK, headers={"Accept": accept})

    assert response.headers["content-type"] == kind


def test_nothing_on_the_way_may_keep_or_gather_the_stream(client: TestClient) -> None:
    headers = client.post("/v1/ask", json=ASK, headers=STREAM).headers

    assert headers["cache-control"] == "no-store"
    assert headers["x-accel-buffering"] == "no"
    assert "content-length" not in headers


@pytest.mark.parametrize(
    ("error", "status"), [(Overloaded("full"), 429), (DeadlinePassed("late"), 504)]
)
def test_a_refusal_before_the_first_byte_is_a_problem(
    client: TestClient, pipeline: Any, error: Exception, status: int
) -> None:
    async def refuse(_: object) -> None:
        raise error

    response = request_stream(client, refuse)

    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"


def request_stream(client: TestClient, work: Callable[[Emit], Any], **options: Any) -> Any:
    """The response of a route in the same application that does this work."""
    inner: Any = client.app
    while not hasattr(inner, "router"):
        inner = inner._app

    @inner.post("/v1/test")
    async def route() -> EventStream:
        return EventStream(work, failed=lambda problem: b"failed: " + problem, **options)

    return client.post("/v1/test", json={})


def test_an_error_after_the_first_byte_travels_as_an_event(
    client: TestClient, answerer: Any
) -> None:
    def fail(question: Question) -> Answers:
        raise RuntimeError("secret")

    answerer.reply = fail
    response = client.post("/v1/ask/stream", json=ASK)
    *_, (name, data) = read_events(response.text)

    assert response.status_code == 200
    assert (name, Problem.model_validate_json(data).status) == ("error", 500)
    assert "secret" not in response.text


def test_invalid_questions_are_refused_before_the_stream(client: TestClient) -> None:
    assert client.post("/v1/ask/stream", json={"question": " "}).status_code == 422
    assert client.post("/v1/ask/stream", json={}).status_code == 422
    assert (
        client.post(
            "/v1/ask/stream", content=b"{", headers={"Content-Type": "application/json"}
        ).status_code
        == 400
    )


def test_silence_is_filled_with_comments(client: TestClient) -> None:
    async def slow(emit: Emit) -> None:
        emit(b"event: a\ndata: 1\n\n")
        await asyncio.sleep(0.3)
        emit(b"event: b\ndata: 2\n\n")

    text = request_stream(client, slow, ping_seconds=0.05).text

    assert PING.decode() in text
    assert read_events(text) == [("a", "1"), ("b", "2")]


def test_question_that_waits_for_others_is_reported_as_waiting(client: TestClient) -> None:
    async def slow(emit: Emit) -> None:
        await asyncio.sleep(0.2)
        emit(b"event: b\ndata: 2\n\n")

    waiting = b"event: status\ndata: 0\n\n"
    text = request_stream(client, slow, waiting=waiting, patience_seconds=0.05).text

    assert read_events(text)[0] == ("status", "0")


@pytest.fixture
def release() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


async def hang_up(app: Any, *, after: str) -> list[Message]:
    """Send a question, and go away: at once, or as soon as something came."""
    sent: list[Message] = []
    gone = asyncio.Event()
    begun = False

    async def receive() -> Message:
        nonlocal begun
        if not begun:
            begun = True
            return {"type": "http.request", "body": b'{"question": "Who?"}'}
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] == after:
            gone.set()

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/ask/stream",
        "raw_path": b"",
        "query_string": b"",
        "headers": headers,
        "scheme": "http",
        "root_path": "",
    }
    if after == "nothing":
        asyncio.get_running_loop().call_soon(gone.set)
    await app(scope, receive, send)
    return sent


@pytest.mark.parametrize("after", ["nothing", "http.response.start", "http.response.body"])
def test_clients_that_hang_up_leave_no_task_and_no_place_taken(
    pipeline: Any, answerer: Any, release: threading.Event, after: str
) -> None:
    def wait(question: Question) -> Answers:
        release.wait(20)
        raise RuntimeError("no client waits for this")

    answerer.reply = wait

    async def scenario() -> set[Any]:
        app = build_app(pipeline)
        before = asyncio.all_tasks()
        for _ in range(2):
            batch = [hang_up(app, after=after) for _ in range(MAX_QUESTIONS - 2)]
            await asyncio.wait_for(asyncio.gather(*batch), 20)
        left = asyncio.all_tasks() - before
        release.set()
        metrics = ""
        while "questions_running 0.0" not in metrics or "questions_waiting 0.0" not in metrics:
            metrics = await read_metrics(app)
            await asyncio.sleep(0.01)
        return left

    assert asyncio.run(scenario()) == set()


async def read_metrics(app: Any) -> str:
    """The service's own metrics."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": "/metrics",
        "raw_path": b"",
        "query_string": b"",
        "headers": [(b"host", b"localhost")],
        "scheme": "http",
        "root_path": "",
    }
    await app(scope, receive, send)
    return b"".join(message.get("body", b"") for message in sent).decode()
