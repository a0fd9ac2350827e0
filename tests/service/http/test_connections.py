"""Connections over a real socket: slow ones are closed, bad ones refused, and none is lost."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
import pytest
import uvicorn

from citewire.rag.cancellation import get_cancellation
from citewire.rag.types import Answers, Question
from citewire.service.app import build_app
from citewire.service.http.connections import BoundedConnection
from citewire.service.http.guard import Drain
from citewire.service.server import DrainingServer
from citewire.service.wire.answers import Problem
from citewire.service.work.executor import DEADLINE_SECONDS

ASK = b'{"question": "Who opened it?"}'
HEAD = (
    b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Content-Length: %d\r\n\r\n"
)
# Before a question's deadline would stop it.
SOON_SECONDS = DEADLINE_SECONDS / 2


class Hasty(BoundedConnection):
    """The connection of the service, with a deadline short enough for a test."""

    receive_seconds = 0.5


class Few(BoundedConnection):
    """The connection of the service, with a limit small enough for a test."""

    receive_seconds = 60.0
    max_connections = 8


class Served:
    """A service in a thread of its own."""

    def __init__(self, pipeline: Any, connection: type[BoundedConnection]) -> None:
        self.drain = Drain()
        app = build_app(pipeline, drain=self.drain)
        config = uvicorn.Config(
            app,
            log_level="critical",
            http=connection,
            ws="none",
            h11_max_incomplete_event_size=16_384,
        )
        self.server = DrainingServer(config, self.drain)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self.server.serve(sockets=[self.listening]))
        )
        self._thread.start()
        while not self.server.started:
            time.sleep(0.01)

    def end(self) -> None:
        self.drain.begun = True
        self.server.should_exit = True

    def wait(self) -> None:
        self._thread.join(60)
        assert not self._thread.is_alive()

    @contextmanager
    def connected(self) -> Iterator[socket.socket]:
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            yield connection


@pytest.fixture
def hasty(pipeline: Any) -> Iterator[Served]:
    yield from serving(pipeline, Hasty)


@pytest.fixture
def served(pipeline: Any) -> Iterator[Served]:
    yield from serving(pipeline, Few)


def serving(pipeline: Any, connection: type[BoundedConnection]) -> Iterator[Served]:
    service = Served(pipeline, connection)
    yield service
    service.end()
    service.wait()


def read_all(connection: socket.socket) -> bytes:
    """All bytes that the service sends until it closes the connection."""
    received = b""
    while part := connection.recv(65_536):
        received += part
    return received


def read_response(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    head, _, body = read_all(connection).partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split(" ")[1]), headers, body


def read_problem(connection: socket.socket) -> Problem:
    status, headers, body = read_response(connection)
    assert headers["content-type"] == "application/problem+json"
    assert headers["x-content-type-options"] == "nosniff"
    problem = Problem.model_validate_json(body)
    assert problem.status == status
    return problem


# Slow clients


@pytest.mark.parametrize(
    "sent",
    [b"", b"G", b"GET / HTTP/1.1\r\nHost: localhost\r\n", HEAD % 100, HEAD % 100 + ASK],
    ids=["nothing", "a byte", "half a head", "no body", "half a body"],
)
def test_request_that_does_not_arrive_is_408(hasty: Served, sent: bytes) -> None:
    with hasty.connected() as connection:
        connection.sendall(sent)

        assert read_problem(connection).status == 408


def test_bytes_that_trickle_in_do_not_put_the_deadline_off(hasty: Served) -> None:
    with hasty.connected() as connection:
        trickling = threading.Thread(target=trickle, args=(connection,))
        trickling.start()

        assert read_problem(connection).status == 408
        trickling.join()


def trickle(connection: socket.socket) -> None:
    try:
        for byte in (HEAD % 5000 + b" " * 5000)[:3000]:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)
    except OSError:
        return


def test_slow_second_request_is_408_as_well(hasty: Served) -> None:
    with hasty.connected() as connection:
        connection.sendall(HEAD % len(ASK) + ASK)
        first = connection.recv(15)
        connection.sendall(HEAD % 100)
        rest = read_all(connection)

    assert first == b"HTTP/1.1 200 OK"
    assert b"HTTP/1.1 408" in rest


def test_question_that_takes_longer_than_sending_it_may_is_answered(
    hasty: Served, answerer: Any
) -> None:
    reply = answerer.reply

    def slow(question: Question) -> Answers:
        time.sleep(1.0)
        answers: Answers = reply(question)
        return answers

    answerer.reply = slow

    assert httpx2.post(f"{hasty.url}/v1/ask", json={"question": "Who?"}).status_code == 200


# Bytes that are not HTTP


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"nonsense\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 20_000, 431),
        (b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400),
    ],
    ids=["nonsense", "no host", "long head", "negative length", "TLS"],
)
def test_unparsable_request_is_a_problem(served: Served, sent: bytes, status: int) -> None:
    with served.connected() as connection:
        connection.sendall(sent)

        assert read_problem(connection).status == status


def test_refusal_arrives_though_more_is_being_sent(served: Served) -> None:
    head = b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 3_000_000 + b"\r\n\r\n"
    with served.connected() as connection:
        connection.sendall(head)

        assert read_problem(connection).status == 431


def test_client_that_expects_100_continue_gets_it_or_is_closed(served: Served) -> None:
    waiting = (HEAD % len(ASK))[:-2] + b"Expect: 100-continue\r\n\r\n"
    with served.connected() as connection:
        connection.sendall(waiting)
        interim = connection.recv(1000)
        connection.sendall(ASK)
        answered = connection.recv(15)
    with served.connected() as connection:
        connection.sendall(waiting.replace(b"application/json", b"text/plain"))
        status, headers, _ = read_response(connection)

    assert (interim, answered) == (b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK")
    assert (status, headers["connection"]) == (415, "close")


@pytest.mark.parametrize(
    ("media_type", "status"), [(b"application/json", 413), (b"text/plain", 415)]
)
def test_unread_chunks_are_not_waited_for(served: Served, media_type: bytes, status: int) -> None:
    head = b"POST /v1/ask HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    with served.connected() as connection:
        connection.sendall(head + b"Content-Type: %s\r\n\r\n" % media_type)
        connection.sendall(b"1\r\nx\r\n" * 70_000)
        answered, headers, _ = read_response(connection)

    assert (answered, headers["connection"]) == (status, "close")


@pytest.mark.parametrize(("host", "status"), [(b"localhost", 200), (b"evil.example", 421)])
def test_target_may_name_the_host_and_then_counts(served: Served, host: bytes, status: int) -> None:
    lines = [b"GET http://%s/health/live HTTP/1.1" % host, b"Host: localhost", b"Connection: close"]
    with served.connected() as connection:
        connection.sendall(b"\r\n".join(lines) + b"\r\n\r\n")

        assert read_response(connection)[0] == status


def test_connection_is_kept_for_longer_than_clients_keep_theirs(served: Served) -> None:
    with served.connected() as connection:
        connection.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert connection.recv(15) == b"HTTP/1.1 200 OK"
        (kept,) = served.server.server_state.connections

        until(lambda: kept.timeout_keep_alive > 60)


def test_connection_above_the_limit_is_refused(served: Served) -> None:
    with served.connected() as last:
        others = [socket.create_connection(("127.0.0.1", served.port)) for _ in range(8)]
        with served.connected() as over:
            over.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n")
            problem = read_problem(over)
        for other in others:
            other.close()
        last.sendall(b"GET /health/live HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")

        assert (problem.status, problem.retry_after_s) == (503, 2)
        assert read_response(last)[0] == 200


def test_head_is_answered_without_a_body(served: Served) -> None:
    response = httpx2.head(f"{served.url}/")

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-type"] == "text/html; charset=utf-8"


# Clients that hang up


def test_client_that_hangs_up_stops_its_question(
    served: Served, answerer: Any, stoppable: Callable[[], threading.Event]
) -> None:
    stopped = stoppable()
    with served.connected() as connection:
        connection.sendall(HEAD % len(ASK) + ASK)
        until(lambda: answerer.asked)

    assert stopped.wait(SOON_SECONDS)


@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
def test_client_that_hangs_up_stops_the_question_of_its_tool(
    served: Served, answerer: Any, stoppable: Callable[[], threading.Event], version: str
) -> None:
    stopped = stoppable()
    params = {
        "name": "ask",
        "arguments": {"question": "Who?"},
        "_meta": {
            "io.modelcontextprotocol/protocolVersion": version,
            "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
            "io.modelcontextprotocol/clientCapabilities": {},
        },
    }
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    body = json.dumps(call).encode()
    head = HEAD.replace(b"/v1/ask", b"/mcp").replace(b"\r\n\r\n", b"\r\n") % len(body)
    head += b"Accept: application/json, text/event-stream\r\nMcp-Method: tools/call\r\n"
    head += b"Mcp-Name: ask\r\nMCP-Protocol-Version: %s\r\n\r\n" % version.encode()
    with served.connected() as connection:
        connection.sendall(head + body)
        until(lambda: answerer.asked)

    assert stopped.wait(SOON_SECONDS)


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline, "it does not come about"
        time.sleep(0.01)


@pytest.fixture
def stoppable(answerer: Any) -> Callable[[], threading.Event]:
    """Makes the answerer work until it is stopped."""

    def begin() -> threading.Event:
        stopped = threading.Event()

        def work(question: Question) -> Answers:
            with get_cancellation().stopping(stopped.set):
                stopped.wait(60)
            raise AssertionError("stopped")

        answerer.reply = work
        return stopped

    return begin


# Ending


def test_service_that_ends_reports_it_first_and_answers_accepted_requests(
    served: Served, answerer: Any
) -> None:
    release = threading.Event()
    reply = answerer.reply

    def wait(question: Question) -> Answers:
        assert release.wait(60)
        answers: Answers = reply(question)
        return answers

    answerer.reply = wait
    with served.connected() as asking, served.connected() as watching:
        asking.sendall(HEAD % len(ASK) + ASK)
        while not answerer.asked:
            time.sleep(0.01)
        served.end()
        watching.sendall(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\n\r\n")
        readiness = read_problem(watching)
        release.set()
        status, _, body = read_response(asking)

    assert (readiness.status, readiness.detail) == (503, "the service is ending")
    assert (status, json.loads(body)["status"]) == (200, "answered")
    served.wait()
