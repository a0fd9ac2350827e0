"""A Citewire service as typed Python: questions, searches, quotes and articles.

>>> with Citewire("http://127.0.0.1:8000") as archive:  # doctest: +SKIP
...     print(archive.ask("who met Park Jin?").answers[0].text)
Antony Blinken

ClientError
├── ServiceProblem      the service says what is wrong; `problem` has its words
│   ├── BadRequest      correct what was asked
│   ├── KeyRefused      use a key that may do this
│   ├── NotFound        there is nothing of that name
│   └── Unavailable     try again, after `problem.retry_after_s` where it is given
├── Unreachable         no answer came, or not in time
├── NotCitewire         what answers there is something else
└── CutOff              a stream ended before it was whole
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, HTTPResponse
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import HTTPRedirectHandler, OpenerDirector, Request, build_opener

from pydantic import BaseModel, ValidationError

from service.article_schemas import ArticleContent, StoredArticle
from service.events import AskEvent, StreamedEvent
from service.quote_schemas import VerifyResponse
from service.schemas import (
    ArticleList,
    ArticleOut,
    ArticleSummary,
    AskResponse,
    FiltersIn,
    Problem,
    Ready,
)
from service.search_schemas import SearchResponse

TIMEOUT_SECONDS = 60.0
EVERYWHERE = FiltersIn()
Reply = TypeVar("Reply", bound=BaseModel)


class ClientError(Exception):
    """What came is no answer."""


class ServiceProblem(ClientError):
    """The service refuses, or fails, and says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(f"{problem.title}: {problem.detail}")
        self.problem = problem


class BadRequest(ServiceProblem):
    """What was asked cannot be answered as it is."""


class KeyRefused(ServiceProblem):
    """No key was sent, or one that may not do this."""


class NotFound(ServiceProblem):
    """There is nothing of that name."""


class Unavailable(ServiceProblem):
    """The service cannot answer now."""


class Unreachable(ClientError):
    """No answer came, or not in time."""


class NotCitewire(ClientError):
    """What answered does not speak this API."""


class CutOff(ClientError):
    """The stream ended without `done`: what came of it is not all."""


KINDS: dict[int, type[ServiceProblem]] = {
    **dict.fromkeys((400, 405, 413, 415, 422, 431), BadRequest),
    **dict.fromkeys((401, 403), KeyRefused),
    404: NotFound,
    **dict.fromkeys((429, 503, 504, 507), Unavailable),
}


class NoRedirects(HTTPRedirectHandler):
    """A key is for one service: it is never sent on to where a response points."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing."""


class Citewire:
    """A client of one service; threads may share it. All methods raise ClientError."""

    def __init__(
        self, url: str, *, api_key: str | None = None, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._url = url.rstrip("/")
        self._timeout_seconds = timeout_seconds
        self._headers = {"Content-Type": "application/json"}
        if api_key is not None:
            self._headers["Authorization"] = f"Bearer {api_key}"
        self._opener: OpenerDirector = build_opener(NoRedirects)

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
        """Let go of what the client holds."""
        self._opener.close()

    def ask(
        self, question: str, *, max_answers: int = 5, filters: FiltersIn = EVERYWHERE
    ) -> AskResponse:
        """Return the archive's answers, or that it has none."""
        return self._read(AskResponse, "POST", "/v1/ask", asking(question, max_answers, filters))

    def stream(
        self, question: str, *, max_answers: int = 5, filters: FiltersIn = EVERYWHERE
    ) -> Iterator[AskEvent]:
        """Yield what happens until `done`, which is not yielded; close it to stop earlier.

        Raises:
            ServiceProblem: the service refuses, or fails on the way.
            CutOff: the stream ended before `done`.
        """
        body = asking(question, max_answers, filters)
        with self._opened("POST", "/v1/ask/stream", body) as response:
            for event in events_of(response):
                if event.event == "done":
                    return
                if event.event == "error":
                    raise KINDS.get(event.data.status, ServiceProblem)(event.data)
                yield event
        raise CutOff(f"{self._url}: the stream ended before it was whole")

    def search(
        self, question: str, *, limit: int = 10, filters: FiltersIn = EVERYWHERE
    ) -> SearchResponse:
        """Return the passages that are worth reading, best first."""
        body = {"question": question, "limit": limit, "filters": filters.model_dump(mode="json")}
        return self._read(SearchResponse, "POST", "/v1/search", body)

    def verify(self, words: str, *, article_id: str | None = None) -> VerifyResponse:
        """Say whether the words stand in the archive, or in one of its articles."""
        body = {"quote": words, "article_id": article_id}
        return self._read(VerifyResponse, "POST", "/v1/verify", body)

    def articles(self, *, page_size: int = 50) -> Iterator[ArticleSummary]:
        """Yield all articles in the order of their ids, a page at a time."""
        cursor = ""
        while True:
            asked = urlencode({"limit": page_size, "cursor": cursor})
            page = self._read(ArticleList, "GET", f"/v1/articles?{asked}")
            yield from page.articles
            if page.next_cursor is None:
                return
            cursor = page.next_cursor

    def article(self, article_id: str) -> ArticleOut:
        """Return an article with its text, to which offsets refer."""
        return self._read(ArticleOut, "GET", path_of(article_id))

    def put(self, article_id: str, article: ArticleContent) -> StoredArticle:
        """Store an article, or replace that of the same id."""
        body = article.model_dump(mode="json")
        return self._read(StoredArticle, "PUT", path_of(article_id), body)

    def delete(self, article_id: str) -> None:
        """Remove an article."""
        with self._opened("DELETE", path_of(article_id)):
            return

    def ready(self) -> Ready:
        """Return how large the archive is, when it can be asked."""
        return self._read(Ready, "GET", "/health/ready")

    def _read(
        self, kind: type[Reply], method: str, path: str, body: dict[str, Any] | None = None
    ) -> Reply:
        with self._opened(method, path, body) as response:
            content = response.read()
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            raise NotCitewire(f"{self._url}: what answers there is not Citewire") from error

    @contextmanager
    def _opened(
        self, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Iterator[HTTPResponse]:
        content = None if body is None else json.dumps(body).encode()
        request = Request(self._url + path, content, self._headers, method=method)
        try:
            with self._opener.open(request, timeout=self._timeout_seconds) as response:
                yield response
        except HTTPError as error:
            raise self._problem(error) from error
        except (OSError, HTTPException) as error:
            raise Unreachable(f"{self._url}: no answer: {error}") from error

    def _problem(self, error: HTTPError) -> ClientError:
        with error:
            try:
                problem = Problem.model_validate_json(error.read())
            except (ValidationError, OSError, HTTPException):
                return NotCitewire(f"{self._url}: answers {error.code} {error.reason}")
        return KINDS.get(problem.status, ServiceProblem)(problem)


def asking(question: str, max_answers: int, filters: FiltersIn) -> dict[str, Any]:
    """Return the body of a question."""
    return {
        "question": question,
        "max_answers": max_answers,
        "filters": filters.model_dump(mode="json"),
    }


def path_of(article_id: str) -> str:
    """Return the article's path: an id may hold anything."""
    return f"/v1/articles/{quote(article_id, safe='')}"


def events_of(response: HTTPResponse) -> Iterator[AskEvent]:
    """Yield a stream's events; lines that begin with a colon only keep it alive."""
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
