"""Asking the service that has the archive open, and what its silence means."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar

import pytest

from citewire.index.errors import ArchiveLocked, InvalidInput
from citewire.rag.types import Answers
from citewire.service.client.local_service import RunningService
from citewire.service.wire.convert import convert_result


class FakeService(BaseHTTPRequestHandler):
    """Sends the replies that it was given, and keeps the requests."""

    reply: ClassVar[tuple[int, bytes]] = (200, b"")
    sent: ClassVar[list[tuple[str, str, str | None, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        FakeService.sent.append((self.command, self.path, self.headers.get("Authorization"), body))
        status, content = FakeService.reply
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST  # noqa: N815

    def log_request(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def url() -> Iterator[str]:
    FakeService.sent.clear()
    with HTTPServer(("127.0.0.1", 0), FakeService) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def replies(status: int, content: str | bytes) -> None:
    FakeService.reply = (status, content if isinstance(content, bytes) else content.encode())


def problem(status: int, detail: str) -> str:
    return json.dumps(
        {"type": "/problems/x", "title": "X", "status": status, "detail": detail, "instance": "/r"}
    )


def test_answer_is_the_services(url: str, answered: Answers) -> None:
    response = convert_result(answered, "r-1")
    replies(200, response.model_dump_json())

    assert RunningService(url, None).ask("who met Park Jin?") == response
    assert FakeService.sent == [("POST", "/v1/ask", None, b'{"question": "who met Park Jin?"}')]


def test_key_is_sent(url: str, answered: Answers) -> None:
    replies(200, convert_result(answered, "r-1").model_dump_json())
    RunningService(url, "a-key-of-sixteen").ask("Who?")

    assert FakeService.sent[0][2] == "Bearer a-key-of-sixteen"


def test_readiness_is_the_services(url: str) -> None:
    replies(200, '{"status": "ready", "articles": 18, "passages": 42, "index_version": "abc-1"}')
    ready = RunningService(url, None).ready()

    assert (ready.articles, ready.passages, ready.index_version) == (18, 42, "abc-1")


def test_no_proxy_comes_between(
    url: str, answered: Answers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    replies(200, convert_result(answered, "r-1").model_dump_json())

    assert RunningService(url, None).ask("Who?").request_id == "r-1"


@pytest.mark.parametrize("status", [400, 413, 422])
def test_refused_question_is_refused_as_the_library_would(url: str, status: int) -> None:
    replies(status, problem(status, "the question is empty"))

    with pytest.raises(InvalidInput, match=r"^the question is empty$"):
        RunningService(url, None).ask(" ")


@pytest.mark.parametrize("status", [401, 429, 500, 503, 504])
def test_other_errors_say_what_the_service_says(url: str, status: int) -> None:
    replies(status, problem(status, "send the key"))

    with pytest.raises(ArchiveLocked, match=f"^the service at {url} answers: send the key$"):
        RunningService(url, None).ask("Who?")


@pytest.mark.parametrize("content", ["<html>Bad gateway</html>", "", "[]", "{}", b"\xff"])
def test_error_that_is_no_problem_is_told_by_its_status(url: str, content: str | bytes) -> None:
    replies(502, content)

    with pytest.raises(ArchiveLocked, match=r"answers: 502 Bad Gateway$"):
        RunningService(url, None).ask("Who?")


@pytest.mark.parametrize("content", ["<html>Hello</html>", "", "{}", "null", b"\xff"])
def test_something_else_at_the_address_is_told_apart(url: str, content: str | bytes) -> None:
    replies(200, content)

    with pytest.raises(ArchiveLocked, match=f"what answers at {url} is not Citewire"):
        RunningService(url, None).ask("Who?")


def test_service_that_is_gone_is_named(url: str) -> None:
    gone = "http://127.0.0.1:9"

    with pytest.raises(ArchiveLocked, match=f"in use by a service at {gone} that does not answer"):
        RunningService(gone, None).ready()
