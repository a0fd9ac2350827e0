"""`citewire.service.client` against the real service, as another program would use it."""

import json
import re
import threading
from collections.abc import Iterator
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from citewire.service.client import (
    BadRequest,
    Citewire,
    CutOff,
    KeyRefused,
    Message,
    NotCitewire,
    NotFound,
    Unavailable,
    Unreachable,
)
from citewire.service.wire.answers import FiltersIn
from citewire.service.wire.articles import ArticleContent

QUESTION = "who met Park Jin?"
ANSWER = "Antony Blinken"


@pytest.fixture(scope="module")
def archive(service_url: str) -> Iterator[Citewire]:
    with Citewire(service_url, timeout_seconds=120) as opened:
        yield opened


def test_an_answer_quotes_its_articles(archive: Citewire) -> None:
    answer = archive.ask(QUESTION).answers[0]
    citation = answer.citations[0]

    assert "Blinken" in answer.text
    assert archive.article(citation.article_id).text[citation.start : citation.end] == (
        citation.quote
    )


def test_a_stream_ends_with_the_result(archive: Citewire) -> None:
    events = list(archive.stream(QUESTION, max_answers=1))
    last = events[-1]
    read = [event for event in events if event.event == "passages"]

    assert last.event == "result"
    assert last.data.answers == archive.ask(QUESTION, max_answers=1).answers
    assert {citation.article_id for citation in last.data.answers[0].citations} <= {
        passage.article_id for event in read for passage in event.data.passages
    }


def test_the_example_in_the_readme_runs(
    service_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (Path(__file__).parents[2] / "service" / "README.md").read_text("utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", readme, re.DOTALL | re.MULTILINE)
    exec(example.replace("http://127.0.0.1:8000", service_url), {})
    shown = capsys.readouterr().out.splitlines()

    assert shown[0].startswith(f"{ANSWER} {ANSWER} https://")
    assert shown[-2:] == ["result", "exact"]


def test_filters_are_the_services(archive: Citewire) -> None:
    found = archive.search(QUESTION, limit=3, filters=FiltersIn(sources=["Harbour Wire"]))

    assert {passage.source for passage in found.passages} == {"Harbour Wire"}


def test_a_conversation_is_understood_or_asks_back(archive: Citewire) -> None:
    messages = [
        Message(role="user", content=QUESTION),
        Message(role="assistant", content=ANSWER),
        Message(role="user", content="where?"),
    ]
    answer = archive.chat(messages)
    back = archive.chat(messages[2:])

    assert answer.status == "answered"
    assert answer.asked_as == f"Where was it that {ANSWER} met Park Jin?"
    assert back.status == "unclear"


def test_articles_are_filtered(archive: Citewire) -> None:
    (largest, *_) = archive.sources().sources
    of_source = list(archive.articles(page_size=2, filters=FiltersIn(sources=[largest.name])))
    late = FiltersIn(published_from=date(2023, 11, 10), published_to=date(2023, 11, 22))
    named = list(archive.articles(filters=late, named="satellite"))

    assert len(of_source) == largest.articles
    assert {article.source for article in of_source} == {largest.name}
    assert [article.id for article in named] == ["seeds/north-korea-spy-satellite-third-try.md"]


def test_a_quote_is_verified(archive: Citewire) -> None:
    quote = archive.ask(QUESTION).answers[0].citations[0].context

    assert archive.verify(quote).status == "exact"
    assert archive.verify("Park Jin danced on the moon").status == "not_found"


def test_articles_are_stored_listed_and_removed(archive: Citewire) -> None:
    name = "client/ü & ?#%"
    archive.put(name, ArticleContent(text="Olga Lindqvist repaired the lighthouse.", title="Light"))
    listed = [article.id for article in archive.articles(page_size=7)]
    text = archive.article(name).text
    archive.delete(name)

    assert name in listed
    assert listed == sorted(set(listed))
    assert text == "Olga Lindqvist repaired the lighthouse."
    assert archive.ready().articles == len(listed) - 1
    with pytest.raises(NotFound):
        archive.article(name)


def test_refusals_carry_the_problem(archive: Citewire) -> None:
    with pytest.raises(BadRequest, match="the question is empty") as refused:
        archive.ask(" ")
    with pytest.raises(BadRequest):
        list(archive.stream(""))

    assert refused.value.problem.status == 422


class Fake(BaseHTTPRequestHandler):
    """Sends the configured reply."""

    reply: ClassVar[tuple[int, bytes]] = (200, b"")

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status, content = Fake.reply
        self.send_response(status)
        self.send_header("Location", "/elsewhere")
        self.end_headers()
        self.wfile.write(content)

    def log_request(self, *_: object) -> None:
        """Be quiet."""


@pytest.fixture
def fake() -> Iterator[Citewire]:
    with HTTPServer(("127.0.0.1", 0), Fake) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        with Citewire(f"http://127.0.0.1:{server.server_port}") as opened:
            yield opened
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, KeyRefused), (403, KeyRefused), (429, Unavailable), (504, Unavailable)],
)
def test_problems_have_classes(fake: Citewire, status: int, kind: type[Exception]) -> None:
    problem = {"type": "/problems/x", "title": "X", "status": status, "detail": "d", "instance": ""}
    Fake.reply = (status, json.dumps(problem).encode())

    with pytest.raises(kind, match="X: d"):
        fake.ask(QUESTION)


def test_a_stream_without_its_end_is_cut_off(fake: Citewire) -> None:
    Fake.reply = (200, b': ping\n\nevent: status\ndata: {"stage": "reading"}\n\n')
    stream = fake.stream(QUESTION)

    assert next(stream).event == "status"
    with pytest.raises(CutOff):
        next(stream)


@pytest.mark.parametrize(("status", "content"), [(200, b"<html>"), (302, b""), (502, b"Bad")])
def test_response_of_another_service_is_not_citewires(
    fake: Citewire, status: int, content: bytes
) -> None:
    Fake.reply = (status, content)

    with pytest.raises(NotCitewire):
        fake.ask(QUESTION)


def test_service_that_is_not_there_is_unreachable() -> None:
    with pytest.raises(Unreachable):
        Citewire("http://127.0.0.1:9").ready()
