"""A Citewire service as typed Python: questions, searches, quotes and articles.

>>> from citewire.service.client import Citewire
>>> with Citewire("http://127.0.0.1:8000") as archive:  # doctest: +SKIP
...     print(archive.ask("who met Park Jin?").answers[0].text)
Antony Blinken

All methods raise ClientError: see `citewire.service.client.transport` for its kinds.
"""

import json
from collections.abc import Iterator, Sequence
from http.client import HTTPResponse
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

from citewire.rag.types import DEFAULT_ANSWERS, DEFAULT_HITS
from citewire.service.client.transport import (
    TIMEOUT_SECONDS,
    Call,
    CutOff,
    NotCitewire,
    Reply,
    ServiceProblem,
    Transport,
)
from citewire.service.wire.answers import AskResponse, FiltersIn, Ready
from citewire.service.wire.articles import (
    ArticleContent,
    ArticleList,
    ArticleOut,
    ArticleSummary,
    SourceList,
    StoredArticle,
)
from citewire.service.wire.chat import ChatAnswer, ChatResponse, Message, UnclearOut
from citewire.service.wire.events import AskEvent, StreamedEvent
from citewire.service.wire.quotes import VerifyResponse
from citewire.service.wire.search import SearchResponse

EVERY_ARTICLE = FiltersIn()


class Citewire:
    """A client of one service; threads may share it. All methods raise ClientError."""

    def __init__(
        self, url: str, *, api_key: str | None = None, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._transport = Transport(url, api_key)
        self._timeout_seconds = timeout_seconds

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._transport.close()

    def ask(
        self,
        question: str,
        *,
        max_answers: int = DEFAULT_ANSWERS,
        filters: FiltersIn = EVERY_ARTICLE,
    ) -> AskResponse:
        """Return the archive's answers, or why it has none."""
        return self._read(
            AskResponse, "POST", "/v1/ask", build_body(question, max_answers, filters)
        )

    def stream(
        self,
        question: str,
        *,
        max_answers: int = DEFAULT_ANSWERS,
        filters: FiltersIn = EVERY_ARTICLE,
    ) -> Iterator[AskEvent]:
        """Yield the events before `done`; close the iterator to stop earlier.

        Raises:
            ServiceProblem: the service refuses, or fails after the stream began.
            CutOff: the stream ended before `done`.
        """
        body = build_body(question, max_answers, filters)
        with self._transport.open(self._call("POST", "/v1/ask/stream", body)) as response:
            for event in read_events(response):
                if event.event == "done":
                    return
                if event.event == "error":
                    raise ServiceProblem.from_problem(event.data)
                yield event
        raise CutOff(f"{self._transport.url}: the stream ended before it was whole")

    def chat(
        self,
        messages: Sequence[Message],
        *,
        max_answers: int = DEFAULT_ANSWERS,
        filters: FiltersIn = EVERY_ARTICLE,
    ) -> ChatAnswer | UnclearOut:
        """Answer the last question by the messages before it, or ask which question is meant."""
        body = {
            "messages": [message.model_dump() for message in messages],
            "max_answers": max_answers,
            "filters": filters.model_dump(mode="json"),
        }
        return self._read(ChatResponse, "POST", "/v1/chat", body).root

    def search(
        self, question: str, *, limit: int = DEFAULT_HITS, filters: FiltersIn = EVERY_ARTICLE
    ) -> SearchResponse:
        """Return the passages that are worth reading, best first."""
        body = {"question": question, "limit": limit, "filters": filters.model_dump(mode="json")}
        return self._read(SearchResponse, "POST", "/v1/search", body)

    def verify(self, words: str, *, article_id: str | None = None) -> VerifyResponse:
        """Say whether the archive, or one of its articles, holds the words."""
        body = {"quote": words, "article_id": article_id}
        return self._read(VerifyResponse, "POST", "/v1/verify", body)

    def articles(
        self, *, page_size: int = 50, filters: FiltersIn = EVERY_ARTICLE, named: str = ""
    ) -> Iterator[ArticleSummary]:
        """Yield the articles in the order of their ids, a page at a time.

        Only those that pass the filters and have `named` in their title or id.
        """
        days = {"published_from": filters.published_from, "published_to": filters.published_to}
        only = {
            "named": named,
            "source": filters.sources,
            **{name: day.isoformat() for name, day in days.items() if day is not None},
        }
        cursor = ""
        while True:
            asked = urlencode(only | {"limit": page_size, "cursor": cursor}, doseq=True)
            page = self._read(ArticleList, "GET", f"/v1/articles?{asked}")
            yield from page.articles
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def article(self, article_id: str) -> ArticleOut:
        """Return an article with its text, to which offsets refer."""
        return self._read(ArticleOut, "GET", build_path(article_id))

    def sources(self) -> SourceList:
        """Return the articles' sources, those of most articles first."""
        return self._read(SourceList, "GET", "/v1/sources")

    def put(self, article_id: str, article: ArticleContent) -> StoredArticle:
        """Store an article; it replaces the one of the same id, if there is one."""
        body = article.model_dump(mode="json")
        return self._read(StoredArticle, "PUT", build_path(article_id), body)

    def delete(self, article_id: str) -> None:
        """Remove an article."""
        with self._transport.open(self._call("DELETE", build_path(article_id))):
            return

    def ready(self) -> Ready:
        """Return how large the archive is; raise Unavailable where it cannot be asked."""
        return self._read(Ready, "GET", "/health/ready")

    def _read(
        self, kind: type[Reply], method: str, path: str, body: dict[str, Any] | None = None
    ) -> Reply:
        return self._transport.read(kind, self._call(method, path, body))

    def _call(self, method: str, path: str, body: dict[str, Any] | None = None) -> Call:
        content = None if body is None else json.dumps(body).encode()
        return Call(method, path, content, self._timeout_seconds)


def build_body(question: str, max_answers: int, filters: FiltersIn) -> dict[str, Any]:
    """Return the body of a question."""
    return {
        "question": question,
        "max_answers": max_answers,
        "filters": filters.model_dump(mode="json"),
    }


def build_path(article_id: str) -> str:
    """Return the article's path; all characters of an id are quoted."""
    return f"/v1/articles/{quote(article_id, safe='')}"


def read_events(response: HTTPResponse) -> Iterator[AskEvent]:
    """Yield the events of a stream; comment lines, which keep it alive, are skipped."""
    name = ""
    for line in response:
        field, _, value = line.decode().rstrip("\n").partition(": ")
        if field == "event":
            name = value
        elif field == "data":
            try:
                read = StreamedEvent.model_validate({"event": name, "data": json.loads(value)})
            except ValueError as error:
                raise NotCitewire(f"no event of Citewire's: {name!r}") from error
            yield read.root
